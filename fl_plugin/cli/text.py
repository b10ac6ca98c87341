"""Values as text: made safe for a terminal, rounded for people, whole for a pipe."""

import re

from fl_plugin.report.wording import size

Cell = str | int | float | None
_TWO_DIGITS = 10.0


class Size(int):
    """A number of bytes; people read it with a unit."""


class Change(float):
    """A difference; people read it with its sign."""


# Control characters, C1 and the bidirectional overrides: what is shown comes from
# files of several teams and must not steer the terminal.
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def one_line(text: str) -> str:
    """Return a text on one line, without anything that steers a terminal."""
    return _STEERING.sub(" ", text).strip()


def for_people(cell: Cell) -> str:
    """Return a cell for a table: figures rounded, a dash for nothing."""
    match cell:
        case None:
            text = "-"
        case bool():
            text = "yes" if cell else "no"
        case Size():
            text = size(cell)
        case Change():
            text = f"{'+' if cell > 0 else ''}{_few(cell)}"
        case float():
            text = _few(cell)
        case int():
            text = f"{cell:,}"
        case _:
            text = one_line(cell)
    return text


def _few(value: float) -> str:
    """Return three decimals, of a number of two digits and more about four digits."""
    if not _TWO_DIGITS <= abs(value) < float("inf"):
        return f"{value:.3f}"
    decimals = max(0, 4 - len(str(int(abs(value)))))
    return f"{value:,.{decimals}f}"


def for_programs(cell: Cell) -> str:
    """Return a cell for a pipe: figures as they are, nothing for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return repr(float(cell))
    return one_line(str(cell))
