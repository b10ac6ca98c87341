"""Small damage to a file: in its structure, and in its bytes."""

import copy
import json
from contextlib import suppress
from random import Random
from typing import Any

import yaml

Step = str | int
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 1e308, float("nan"), float("inf"), 2**70),
    *("", "x", "../x", "null", "true", "1", "\x00", "\ud800", "{{ x }}", "x" * 5000),
    *([], {}, [None], [[]], {"": 1}, ["x", "x"], {"mesh": {}}, "2026-02-30"),
)
WORDS = (
    *("public", "private", "active", "draft", "restricted", "approved", "revoked"),
    *("query", "predict", "evaluate", "marketing", "credit_risk", "is_bad", "amount"),
    *("feature", "label", "shared", "consumer_banking", "2036-01-01", "allow", "deny"),
)
BYTES = (
    *(
        b"\x00",
        b"\xff",
        b"\xc3(",
        b"\\ud800",
        b"NaN",
        b"1e999",
        b"-0",
        b"null",
        b"true",
    ),
    *(b'"', b"'", b"{", b"}", b"[", b"]", b":", b",", b"\n", b"\t", b"#", b"&a", b"*a"),
    *(b"!!x", b"<<", b"? ", b"- ", b"|", b">", b"%", b"@", b"`", b"---\n", b"...\n"),
    *(b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"\xef\xbb\xbf", b"\xe2\x80\xa8"),
)


def mutant_of_tree(tree: bytes, dice: Random) -> Any:
    """Return what JSON holds, with one to three things changed."""
    found = json.loads(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        with suppress(RecursionError):  # too deep already to be copied elsewhere
            found = _one_change(found, dice)
    return found


def _one_change(tree: Any, dice: Random) -> Any:
    holder, key = _somewhere(tree, dice)
    if holder is None:
        return dice.choice(VALUES)
    change = dice.choice(_CHANGES)
    if change is _moved:
        other, name = _somewhere(tree, dice)
        holder[key] = copy.deepcopy(other[name])
    else:
        change(holder, key, dice)
    return tree


def _gone(holder: Any, key: Any, dice: Random) -> None:
    del holder[key]


def _another_value(holder: Any, key: Any, dice: Random) -> None:
    holder[key] = copy.deepcopy(dice.choice(VALUES))


def _another_word(holder: Any, key: Any, dice: Random) -> None:
    holder[key] = dice.choice(WORDS)


def _listed(holder: Any, key: Any, dice: Random) -> None:
    holder[key] = [holder[key]]


def _moved(holder: Any, key: Any, dice: Random) -> None:
    """Put here what stands elsewhere in the tree; see `_one_change`."""


def _somewhere(tree: Any, dice: Random) -> tuple[Any, Any]:
    """Return a mapping or list inside the tree, and a key of it."""
    holder: Any = None
    key: Any = None
    place = tree
    while isinstance(place, dict | list) and place:
        if holder is not None and dice.random() < 0.12:
            break
        keys = list(place) if isinstance(place, dict) else range(len(place))
        holder, key = place, dice.choice(keys)
        place = place[key]
    return holder, key


def _rename(holder: Any, key: Any, dice: Random) -> None:
    if isinstance(holder, dict):
        name = dice.choice((*WORDS, f"{key}x", str(key)[1:], str(key).upper(), ""))
        holder[name] = holder.pop(key)
    else:
        holder.insert(key, copy.deepcopy(holder[key]))


def _nudge(holder: Any, key: Any, dice: Random) -> None:
    """Change a value into one that is like it."""
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = value * dice.choice((-1, 0.1, 10, 1000)) + dice.choice((0, 1))
    elif isinstance(value, str) and value:
        at = dice.randrange(len(value))
        holder[key] = value[:at] + dice.choice("aA0_ -\u00e9.") + value[at + 1 :]
    elif isinstance(value, list):
        value.append(copy.deepcopy(dice.choice((*value, *WORDS))))
    elif isinstance(value, dict):
        value[dice.choice(WORDS)] = dice.choice(VALUES)


def _deep(holder: Any, key: Any, dice: Random) -> None:
    value = holder[key]
    for _ in range(dice.choice((5, 25, 400))):
        value = [value] if dice.random() < 0.5 else {"x": value}
    holder[key] = value


_CHANGES = (
    *(_gone, _another_value, _another_word, _listed, _moved),
    *(_rename, _nudge, _deep),
)


def mutant_of_bytes(content: bytes, dice: Random) -> bytes:
    """Return a copy with one to three pieces damaged."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + dice.choice((1, 1, 2, 8, 64, 1024)))
        piece = content[at:end]
        kind = dice.randrange(6)
        if kind == 0:
            new = b""
        elif kind == 1:
            new = bytes(dice.randrange(256) for _ in piece[:8]) + piece[8:]
        elif kind == 2:
            new = dice.choice(BYTES) + piece
        elif kind == 3:
            new = piece + piece
        elif kind == 4:
            new = (
                bytes([piece[0] ^ 1 << dice.randrange(8)]) + piece[1:] if piece else b""
            )
        else:
            content, new, end = content[:at], b"", at
        content = content[:at] + new + content[end:]
    return content


def json_bytes(tree: Any) -> bytes:
    """Return JSON, in which Python's own writer allows NaN and lone surrogates."""
    return json.dumps(tree).encode()


def yaml_bytes(tree: Any) -> bytes:
    """Return YAML; JSON, which is YAML too, where the writer cannot."""
    try:
        text = yaml.dump(tree, Dumper=_DUMPER, default_flow_style=None)
    except (RecursionError, UnicodeEncodeError):
        return json_bytes(tree)
    return text.encode("utf-8", "surrogatepass")


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
