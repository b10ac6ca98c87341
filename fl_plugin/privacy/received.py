"""What the coordinator checks of a party's arrays, and of their sum, before using them.

Where parts are masked the coordinator sees names, shapes and widths only; a party's own
`encode` has proven the values, and the total is checked. In the clear every value is
checked against its public bound as well.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.encoding import decode, is_within, unpack, words_shape
from fl_plugin.privacy.fixed_point import LIMB_BITS, Words
from fl_plugin.summand import Array, Arrays, Summand

_MOST_ROWS = 2**40


def check_part(
    domain: str, expected: Mapping[str, Summand], arrays: Any, *, masked: bool
) -> dict[str, Words]:
    """Return the words of one party's answer.

    Args:
        domain: Whose answer it is, for the message.
        expected: What was agreed: the summand of every array.
        arrays: What came, by name, as `encoding.pack` cuts it.
        masked: Whether masks hide the values, so that nothing can be said of them.

    Raises:
        MessageError: An array is missing, was not asked for, is of another shape, type
            or width, or breaks its public bound.
    """
    if not isinstance(arrays, Mapping) or set(arrays) != set(expected):
        raise _refused(domain, "other arrays than were asked for")
    words = {}
    for name, summand in expected.items():
        words[name] = _unpacked(domain, name, summand, arrays[name])
        if not masked and not _keeps_bound(summand, words[name]):
            raise _refused(domain, f"values of {name} outside their public bound")
    return words


def check_total(expected: Mapping[str, Summand], totals: Arrays, parties: int) -> None:
    """Check decoded sums: masks that did not cancel leave numbers beyond any bound.

    Raises:
        TrainingError: A sum breaks the public bound of its array.
    """
    for name, summand in expected.items():
        if not is_within(summand, totals[name], parties * summand.rounding):
            raise TrainingError(
                f"The sum {name} is outside its public bound: a party's part was wrong "
                "or its masks did not fit.",
                remedy="Check that every node runs the same version of fl_plugin, then "
                "run the study without one domain after the other.",
            )


def check_rows(domain: str, rows: Any) -> int:
    """Return a number of rows that a party has told.

    Raises:
        MessageError: It is no positive whole number.
    """
    if type(rows) is not int or not 0 < rows <= _MOST_ROWS:
        raise _refused(domain, "a number of rows that is not positive and whole")
    return rows


def _unpacked(domain: str, name: str, summand: Summand, array: Any) -> Words:
    if not isinstance(array, np.ndarray):
        raise _refused(domain, f"no array for {name}")
    try:
        return unpack(array, words_shape(summand), summand.width)
    except MessageError:
        raise _refused(domain, f"{name} in another shape or width") from None


def _keeps_bound(summand: Summand, words: Words) -> bool:
    if summand.bound is None:
        # A digit beyond its range could make the sum of all parties overflow.
        digits = words.view(np.int64)
        return bool(((digits <= 2**LIMB_BITS) & (digits >= -(2**LIMB_BITS))).all())
    values: Array = decode(summand, words)
    return is_within(summand, values, summand.rounding)


def _refused(domain: str, what: str) -> MessageError:
    return MessageError(
        f"{domain} sent {what}.",
        remedy=f"Check the node of {domain} and that it runs the same version of "
        "fl_plugin.",
    )
