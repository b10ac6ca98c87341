"""How a key is spelt before it is compared: one named rule for each key column.

Every rule says in `words` what it does, so that a contract can show it. A value that a
rule can make nothing of is no key: it matches nothing, and it is counted.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from fl_plugin.errors import ContractError

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LARGEST_EXACT_FLOAT = 2**53
_INVISIBLE = ("Cc", "Cf")  # control and format characters: zero width, soft hyphen


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way of spelling a key.

    Args:
        name: As a contract writes it.
        words: What it does, for people.
        spell: The spelling of one value that is not missing; empty where it is no key.
        most_bits: Of the space of such keys, where it is known to be smaller than it
            looks.
    """

    name: str
    words: str
    spell: Callable[[Any], str]
    most_bits: float = math.inf


def rule_for(name: str) -> Rule:
    """Return the rule of that name.

    Raises:
        ContractError: There is none.
    """
    if name not in RULES:
        raise ContractError(
            f"There is no rule {name} for spelling keys (`match.normalise`).",
            remedy=f"Choose one of {', '.join(sorted(RULES))}.",
        )
    return RULES[name]


def is_missing(value: Any) -> bool:
    """Return whether a value is None, or not equal to itself (NaN, NaT)."""
    return value is None or bool(value != value)  # noqa: PLR0124 - what NaN is


def _folded(text: str) -> str:
    """Return text in one spelling: width, case, composition, blanks, nothing unseen."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    folded = ""
    while folded != text:  # a second pass can find more to compose; a third rarely
        folded, text = text, _folded_once(text)
    return folded


def _folded_once(text: str) -> str:
    seen = unicodedata.normalize("NFKC", text).casefold()
    words = " ".join(seen.split())
    kept = (c for c in words if unicodedata.category(c) not in _INVISIBLE)
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())


def _plain(value: Any) -> str:
    """Return the canonical text of a text, whole number, date, time or UUID."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        is_day = moment.time() == datetime.min.time()
        return (moment.date() if is_day else moment).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return str(_whole(value))


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    # A column of whole numbers with gaps often arrives as one of floats.
    if isinstance(value, float) and value.is_integer():
        if abs(value) <= _LARGEST_EXACT_FLOAT:
            return int(value)
    elif isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    raise ContractError(
        "A key column holds fractions, or values that are neither text, whole numbers, "
        "dates nor UUIDs.",
        remedy="Publish the key as text or as a whole number.",
    )


def _exact(value: Any) -> str:
    if isinstance(value, str):
        return f"text {value}" if _folded(value) else ""
    kind = "date" if isinstance(value, date) else "number"
    if isinstance(value, UUID):
        kind = "uuid"
    return f"{kind} {_plain(value)}"


def _text(value: Any) -> str:
    return _folded(_plain(value))


def _digits(value: Any) -> str:
    kept = _digits_as_written(value if isinstance(value, str) else _positive(value))
    return kept.lstrip("0") or kept[:1]


def _digits_as_written(value: Any) -> str:
    if not isinstance(value, str):
        raise ContractError(
            "A key column is not text, so leading zeros of its keys are lost; the rule "
            "digits_as_written needs them.",
            remedy="Publish the key as text, or use the rule digits.",
        )
    if value.isascii():
        return "".join(c for c in value if c in "0123456789")
    numbers = (unicodedata.decimal(c, None) for c in value)
    return "".join(str(number) for number in numbers if number is not None)


def _positive(value: Any) -> str:
    if isinstance(value, date) or _whole(value) < 0:
        raise ContractError(
            "A key column under the rule digits holds dates or negative numbers.",
            remedy="Use the rule date for dates, and exact or text for such numbers.",
        )
    return str(_whole(value))


def _email(value: Any) -> str:
    folded = _folded(value) if isinstance(value, str) else ""
    return folded if _EMAIL.fullmatch(folded) else ""


def _date(value: Any) -> str:
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if not isinstance(value, str):
        return ""
    try:
        return datetime.fromisoformat(value.strip()).date().isoformat()
    except ValueError:
        return ""


_ALL = (
    Rule(
        name="text",
        words="Upper and lower case, width, accents composed or not, blanks before, "
        "after and doubled inside make no difference; unseen characters are dropped. "
        "Numbers and dates count as their text: 7 equals '7', not '007'.",
        spell=_text,
    ),
    Rule(
        name="exact",
        words="Nothing is changed; blanks alone are no key. A text equals only the "
        "same text, a number only a number, a date only a date: 7 is not '7'.",
        spell=_exact,
    ),
    Rule(
        name="digits",
        words="Only digits count, without leading zeros, whether text or number: "
        "'007', '0-07' and 7 are equal.",
        spell=_digits,
    ),
    Rule(
        name="digits_as_written",
        words="Only digits count, leading zeros too: '007' does not equal '7'. Number "
        "columns are refused, since they have lost their zeros.",
        spell=_digits_as_written,
    ),
    Rule(
        name="email",
        words="As text; what is not one name, one @ and one host is no key. Dots and "
        "'+' in the name count, since not every host ignores them.",
        spell=_email,
        most_bits=33.0,  # lists with billions of addresses are about
    ),
    Rule(
        name="date",
        words="The day: a date, a time's day, or text that starts as 2026-11-21 and is "
        "a valid date or time. Anything else is no key.",
        spell=_date,
    ),
)
RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in _ALL})
