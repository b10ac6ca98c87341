"""Markdown that dbt's page renders, made from words that nobody has to trust.

The page renders descriptions with HTML switched off, but its search shows names,
tags, code and descriptions as trusted HTML. So nothing that could open an HTML tag
leaves this module, wherever on the page it will stand.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

_TAG_OPENS = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!(?=\[)")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!~])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_EMAIL = re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,190}")
# Keys of a manifest whose text the page renders as Markdown.
_PROSE = frozenset({"description", "block_contents", "comment"})


def plain(words: object) -> str:
    """Return words as one line of Markdown that shows them and does nothing else."""
    line = " ".join(_CONTROL.sub("", str(words)).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line).replace("|", "&#124;")


def unbroken(words: str) -> str:
    """Return words as `plain` does, but a line never ends inside a date."""
    return plain(words.replace("-", "\N{NON-BREAKING HYPHEN}"))


def code(words: object) -> str:
    """Return words in the code face."""
    line = _untagged(" ".join(_CONTROL.sub("", str(words)).split()))
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def codes(words: Iterable[object]) -> str:
    """Return several words in the code face, joined by commas."""
    return ", ".join(code(word) for word in words)


def link(words: object, kind: str, unique_id: str) -> str:
    """Return a link to another page of the catalog: a model's, an exposure's."""
    return f"[{plain(words)}](#!/{kind}/{quote(unique_id, safe='._-')})"


def address(person: str) -> str:
    """Return an e-mail address as a link, or as words if it is not one."""
    whole = _EMAIL.fullmatch(person)
    return f"[{plain(person)}](mailto:{person})" if whole else plain(person)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def prose(markdown: str) -> str:
    """Return an author's Markdown, unable to leave its place.

    HTML is shown, not run; an image (which a browser would fetch) becomes a link; a
    code fence that was left open is closed.
    """
    text = _CONTROL.sub("", markdown.replace("\r\n", "\n"))
    text = _TAG_OPENS.sub("&lt;", _IMAGE.sub("", text)).rstrip()
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and line.strip().startswith(fence):
            fence = ""
    return f"{text}\n{fence}" if fence else text


def defused(value: Any, key: str = "") -> Any:
    """Return a deep copy of an artifact in which no text can open an HTML tag.

    Args:
        value: What JSON holds: mappings, lists, text, numbers.
        key: Under which it stands; prose is kept readable as Markdown.
    """
    if isinstance(value, dict):
        return {_untagged(k): defused(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [defused(item, key) for item in value]
    if isinstance(value, str):
        return prose(value) if key in _PROSE else _untagged(value)
    return value


def _untagged(text: str) -> str:
    """Part `<` from what makes it a tag; SQL means the same with the space."""
    return _TAG_OPENS.sub("< ", text)
