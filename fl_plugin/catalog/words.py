"""The contract's words as people say them."""

import re
from collections.abc import Sequence

_USES = {
    "aggregate": "count and sum",
    "train_horizontal": "train (horizontal)",
    "train_vertical": "train (vertical)",
    "evaluate": "evaluate a model",
    "predict": "predict",
    "query": "read rows",
}
_PII = {
    "identifier": "identifies a person",
    "quasi": "may identify a person together with others",
    "sensitive": "sensitive",
}
_ROLES = {
    "join_key": "join key",
    "feature": "feature",
    "label": "label",
    "protected": "protected, for fairness only",
}
_COMPARED = {
    ">=": "at least",
    ">": "more than",
    "<=": "at most",
    "<": "less than",
    "=": "",
    "<>": "not",
    "!=": "not",
}
_COMPARISON = re.compile(
    r"(?P<column>[a-z_][a-z0-9_]*) *(?P<sign><=|>=|<>|!=|=|<|>) *"
    r"(?P<value>-?[0-9.]+|'[A-Za-z0-9_ ]*'|true|false)"
)
_FLAG = re.compile(r"not coalesce\((?P<column>[a-z_][a-z0-9_]*), *false\)")


def spaced(name: str) -> str:
    """Return an identifier as words."""
    return name.replace("_", " ")


def use_words(use: str) -> str:
    """Return what a use is, for somebody who is not an engineer."""
    return _USES.get(use, spaced(use))


def pii_words(kind: str) -> str:
    """Return what a kind of personal data means."""
    return _PII.get(kind, spaced(kind))


def role_words(role: str) -> str:
    """Return what a column may be in a model."""
    return _ROLES.get(role, spaced(role))


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def printable(text: str) -> str:
    """Return text that cannot steer a terminal."""
    return "".join(c for c in text if c.isprintable())


def first_paragraph(text: str) -> str:
    """Return an author's first paragraph on one line."""
    return printable(" ".join(text.strip().split("\n\n", 1)[0].split()))


def first_sentence(text: str) -> str:
    """Return an author's first sentence on one line."""
    paragraph = first_paragraph(text)
    end = paragraph.find(". ")
    return paragraph if end < 0 else paragraph[: end + 1]


def counted(number: int, noun: str) -> str:
    """Return "1 steward" or "2 stewards"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return f"{100 * share:.4g} %"


def size_words(size: int) -> str:
    """Return bytes with a decimal unit."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} B"


def filter_words(row_filter: str) -> str:
    """Return a row filter in words; empty where it is more than plain comparisons."""
    parts = re.split(r" and ", row_filter.strip(), flags=re.IGNORECASE)
    said = [_condition(part.strip()) for part in parts]
    return listed(said) if all(said) else ""


def _condition(text: str) -> str:
    flag = _FLAG.fullmatch(text)
    if flag:
        return f"{spaced(flag['column'])} is not set"
    found = _COMPARISON.fullmatch(text)
    if not found:
        return ""
    sign = _COMPARED[found["sign"]]
    value = found["value"].strip("'")
    return " ".join(p for p in (spaced(found["column"]), "is", sign, value) if p)
