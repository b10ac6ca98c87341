"""What has been seen of one column's values: their kind, whether they repeat."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from fl_plugin.scaffold.reserved import words_of

_MANY = 50  # more values than this are no categories
_TRUTHS = words_of("true false t f yes no y n")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?",
    re.ASCII,
)


def _integer(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value)) and -(2**31) <= int(value) < 2**31


def _bigint(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value)) and -(2**63) <= int(value) < 2**63


def _day(value: str) -> bool:
    return bool(_DAY.fullmatch(value)) and _parses(date.fromisoformat, value)


def _instant(value: str) -> bool:
    return bool(_INSTANT.fullmatch(value)) and _parses(datetime.fromisoformat, value)


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


# From narrow to wide. A leading zero makes text: 01234 is a postal code.
_KINDS: Mapping[str, Callable[[str], bool]] = {
    "boolean": lambda value: value.lower() in _TRUTHS,
    "integer": _integer,
    "bigint": _bigint,
    "double": lambda value: bool(_NUMBER.fullmatch(value)),
    "date": _day,
    "timestamp": _instant,
}


@dataclass
class Observed:
    """One column while its file is read: it grows, and forgets what it can."""

    empty: int = 0
    rows: int = 0
    kinds: list[str] = field(default_factory=lambda: list(_KINDS))
    zeros_and_ones: bool = True
    negative: bool = False
    distinct: bool = True
    _seen: set[int] = field(default_factory=set)

    def look_at(self, value: str) -> None:
        """Count one value in."""
        self.rows += 1
        if not value:
            self.empty += 1
            return
        # The first value leaves kinds of which each holds what the narrower ones hold.
        first = len(self.kinds) == len(_KINDS)
        if first or (self.kinds and not _KINDS[self.kinds[0]](value)):
            self.kinds = [kind for kind in self.kinds if _KINDS[kind](value)]
        self.zeros_and_ones = self.zeros_and_ones and value in ("0", "1")
        self.negative = self.negative or value.startswith("-")
        self._remember(hash(value))

    @property
    def data_type(self) -> str:
        """The narrowest type that holds every value; text where there is none."""
        return self.kinds[0] if self.kinds and self.empty < self.rows else "varchar"

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.distinct and not self.empty

    @property
    def few(self) -> bool:
        """Whether the values are categories: at most 50, each twice on average."""
        return len(self._seen) <= min(_MANY, self.rows // 2)

    @property
    def binary(self) -> bool:
        """Whether every value says true or false."""
        filled = self.empty < self.rows
        return filled and (self.data_type == "boolean" or self.zeros_and_ones)

    def _remember(self, mark: int) -> None:
        """Keep marks while they tell something: all are new, or there are few."""
        if mark in self._seen:
            self.distinct = False
        elif self.distinct or len(self._seen) <= _MANY:
            self._seen.add(mark)
