"""Numbers and names as people read them; None is always an en dash."""

import re
from collections.abc import Sequence

from fl_plugin.report.measures import MEANINGS, MEASURES, Measure

Category = str | bool | int

NOTHING = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
_RAISED = str.maketrans(
    "-0123456789",
    "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079",
)
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_FEW = 2.0  # of a larger unit are shown rather than thousands of a smaller
_BASELINES = {"majority": "Majority class", "mean": "Training mean"}
# Beyond these a power of ten is shorter.
_MOST_DIGITS, _LEAST_DIGITS = 1e7, 1e-3
_PEOPLE = ("Bernoulli", "Gaussian", "Poisson", "Tweedie")
_NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


def unit_for(largest: float) -> tuple[str, float]:
    """Return the unit that numbers of bytes are drawn in, and its size.

    Args:
        largest: The largest of them.
    """
    fits = (unit for unit in _UNITS if largest >= _FEW * unit[1])
    return next(fits, _UNITS[-1])


def figure(value: float | None, digits: int = 3) -> str:
    """Return a metric with fixed digits."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return _minus(text if float(text) else text.lstrip("-"))


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign; zero has none."""
    if value is None:
        return NOTHING
    text = f"{value:+.{digits}f}"
    return _minus(text if float(text) else text[1:])


def short(value: float | None) -> str:
    """Return three significant digits, with a power of ten where that is shorter."""
    if value is None:
        return NOTHING
    digits, _, power = f"{value:.3g}".partition("e")
    if not power:
        return _minus(digits)
    # Spaces that do not break: the figure stays on one line.
    times = f"\N{NO-BREAK SPACE}{TIMES}\N{NO-BREAK SPACE}"
    return f"{_minus(digits)}{times}{power_of_ten(int(power))}"


def power_of_ten(exponent: int) -> str:
    """Return ten with a raised exponent."""
    return f"10{str(exponent).translate(_RAISED)}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a ratio as a percentage."""
    return NOTHING if value is None else f"{100 * value:.{digits}f} %"


def count(value: int | None) -> str:
    """Return an integer with thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def rows(value: int | None) -> str:
    """Return a bucketed row count, which is never exact."""
    return "too few to say" if value is None else f"about {value:,}"


def rounded(value: int) -> str:
    """Return a sum of bucketed counts, no finer than the buckets: two digits."""
    return f"{float(f'{value:.2g}'):,.0f}"


def size(value: float) -> str:
    """Return bytes with a decimal unit."""
    for unit, scale in _UNITS:
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f} B"


def duration(seconds: float) -> str:
    """Return seconds in the unit that reads best."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:  # noqa: PLR2004 - two minutes still read well in seconds
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"


def words(name: str) -> str:
    """Return an identifier as words."""
    return name.replace("_", " ")


def title(name: str) -> str:
    """Return an identifier as a title."""
    text = words(name)
    return text[:1].upper() + text[1:]


def method_name(title: str) -> str:
    """Return an algorithm's title without what it says of how it computes."""
    return re.split(r", exact| \(", title)[0]


def method_in_text(title: str) -> str:
    """Return an algorithm's title as it stands inside a sentence."""
    name = method_name(words(title))
    return name if name.startswith(_PEOPLE) else name[:1].lower() + name[1:]


def listed(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def numeral(value: int) -> str:
    """Return a small number in words."""
    return _NUMERALS[value] if 0 <= value < len(_NUMERALS) else str(value)


def counted(value: int, noun: str) -> str:
    """Return "three domains" or "one domain"."""
    return f"{numeral(value)} {noun}{'' if value == 1 else 's'}"


def times(value: int) -> str:
    """Return "once", "twice" or "5 times"."""
    return {1: "once", 2: "twice"}.get(value, f"{value} times")


def digest(value: str, keep: int = 12) -> str:
    """Return the start of a digest, its algorithm dropped."""
    plain = value.removeprefix("sha256:")
    return plain if len(plain) <= keep else plain[:keep] + "…"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")  # as wide as a plus


KINDS = {
    "arrange": "Preparation",
    "agreement": "Agreement",
    "assign": "Allocation",
    "channel": "Keys of channels",
    "compare": "Comparison",
    "count": "Counting",
    "cut": "Splitting",
    "evaluate": "Evaluation",
    "expand": "Lookup of rows",
    "assess": "Evaluation",
    "keep": "Keeping the parts",
    "match": "Matching of rows",
    "judge": "Evaluation",
    "open": "Opening",
    "prepare": "Preparation",
    "scatter": "Scaling",
    "step": "Training",
    "turn": "Training and scoring",
    "vocabulary": "Vocabulary",
}


def kind_name(kind: str) -> str:
    """Return what a kind of message is for."""
    return KINDS.get(kind, title(kind))


def category(value: Category | None) -> str:
    """Return a category as people write it; None is that of unknown ones."""
    if value is None:
        return "not known"
    return str(value).lower() if isinstance(value, bool) else str(value)


def measure_of(name: str) -> Measure:
    """Return a figure's name and meaning, those of an unknown one too."""
    return MEASURES.get(name) or Measure(title(name), "", "")


def metric_name(name: str) -> str:
    """Return a metric's name as people write it."""
    return measure_of(name).name


def metric_in_text(name: str) -> str:
    """Return a metric's name as it stands inside a sentence: ROC-AUC, but accuracy."""
    text = metric_name(name)
    return text if text[:2].isupper() or not text[1:2].isalpha() else _lowered(text)


def _lowered(text: str) -> str:
    # A name of a person keeps its capital.
    kept = text.startswith(("Brier", "Gini", *_PEOPLE))
    return text if kept else text[:1].lower() + text[1:]


def metric_meaning(name: str, target_kind: str = "") -> str:
    """Return one sentence on how to read a metric; empty where none is known."""
    return MEANINGS.get((target_kind, name)) or measure_of(name).meaning


def value_of(name: str, value: float | None) -> str:
    """Return a metric's value in the digits that tell it."""
    if value is None:
        return NOTHING
    return figure(value) if measure_of(name).share else amount(value)


def change_of(name: str, value: float | None) -> str:
    """Return a difference between two values of a metric, with its sign."""
    if value is None or measure_of(name).share:
        return signed(value)
    return f"+{amount(value)}" if value > 0 else amount(value)


def amount(value: float) -> str:
    """Return a number of any size in about four digits."""
    size = abs(value)
    if size >= _MOST_DIGITS or 0 < size < _LEAST_DIGITS:
        return short(value)
    digits = max(0, 4 - len(str(int(size))))
    return _minus(f"{value:,.{digits}f}")


def tick(value: float) -> str:
    """Return an axis's number: thousands apart, and no digit too many."""
    text = f"{value:,.10g}"
    return _minus(text if float(text.replace(",", "")) else "0")


def baseline_name(name: str) -> str:
    """Return what a baseline says, as a column's heading."""
    return _BASELINES.get(name, title(name))
