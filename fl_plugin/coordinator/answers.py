"""What one round brought: facts of each party, and sums over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fl_plugin.privacy.encoding import decode
from fl_plugin.privacy.received import check_part
from fl_plugin.summand import Array, Arrays, Summand


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one round brought.

    Args:
        bodies: Each party's facts.
        sums: The arrays, added over the parties: masks have cancelled.
        parts: Each party's own arrays, where no masks hide them and each was asked
            for; else empty.
        raw: What a single party sent that is no sum.
    """

    bodies: Mapping[str, Mapping[str, Any]]
    sums: Mapping[str, Array] = field(default_factory=dict)
    parts: Sequence[Arrays] = ()
    raw: Mapping[str, Arrays] = field(default_factory=dict)


def added(
    found: Mapping[str, Mapping[str, Any]],
    parts: Mapping[str, Arrays],
    expected: Mapping[str, Summand],
) -> Answers:
    """Return the sums of parts that nothing hides.

    Args:
        found: Each party's facts.
        parts: Each party's arrays.
        expected: The arrays that are summed over the parties.

    Raises:
        MessageError: A party sent something that does not fit.
    """
    words = {
        p: check_part(p, expected, arrays, masked=False) for p, arrays in parts.items()
    }
    own = [{n: decode(s, w[n]) for n, s in expected.items()} for w in words.values()]
    sums = {
        n: decode(s, np.sum([w[n] for w in words.values()], axis=0, dtype=np.uint64))
        for n, s in expected.items()
    }
    return Answers(bodies=found, sums=sums, parts=own)
