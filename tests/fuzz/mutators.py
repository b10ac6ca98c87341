"""Small damage to a file: in its structure, and in its bytes."""

import copy
import json
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


def mutant_of_tree(tree: Any, dice: Random) -> Any:
    """Return a copy with one to three things changed."""
    found = copy.deepcopy(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        found = _one_change(found, dice)
    return found


def _one_change(tree: Any, dice: Random) -> Any:
    holder, key = _somewhere(tree, dice)
    if holder is None:
        return dice.choice(VALUES)
    kind = dice.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = copy.deepcopy(dice.choice(VALUES))
    elif kind == 2:
        holder[key] = dice.choice(WORDS)
    elif kind == 3:
        holder[key] = [holder[key]]
    elif kind == 4:
        _move(holder, key, tree, dice)
    elif kind == 5:
        _rename(holder, key, dice)
    elif kind == 6:
        _nudge(holder, key, dice)
    else:
        holder[key] = _deep(holder[key], dice)
    return tree


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


def _move(holder: Any, key: Any, tree: Any, dice: Random) -> None:
    """Put what stands elsewhere in this place."""
    other, name = _somewhere(tree, dice)
    if other is not None:
        holder[key] = copy.deepcopy(other[name])


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


def _deep(value: Any, dice: Random) -> Any:
    for _ in range(dice.choice((5, 25, 400))):
        value = [value] if dice.random() < 0.5 else {"x": value}
    return value


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
    """Return YAML, with whatever a value needs: tags and escapes as well."""
    text = yaml.dump(tree, Dumper=_DUMPER, default_flow_style=None)
    return text.encode("utf-8", "surrogatepass")


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
