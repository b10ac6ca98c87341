"""The only types that cross a party's boundary, and their bytes.

A message is a frozen value; on the wire it is a 4-byte magic, a 4-byte header length,
a JSON header and the arrays' little-endian bytes one after another. Even the embedded
engine sends bytes, so what is not in a message cannot cross. Whatever arrives is
treated as written by an opponent: sizes, names, types and lengths are checked before
anything is used, and nothing in a message is ever executed or unpickled.
"""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError

Array = npt.NDArray[Any]

MAGIC = b"FLM1"
MAX_HEADER = 4 * 2**20
MAX_BYTES = 2**30
MAX_ARRAYS = 8_192
_TYPES = {"<u8": 8, "<i8": 8, "<f8": 8, "<f4": 4, "|u1": 1}  # bytes of an entry
_NAME = re.compile(r"[a-z0-9_.-]{1,64}")
_MAX_DIMENSIONS = 4


@dataclass(frozen=True, kw_only=True)
class Message:
    """What every message says of itself: which run, round, party and kind of work."""

    type: ClassVar[str] = ""
    kind: str
    run: str
    round: int
    party: str
    body: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


class Ask(Message):
    """The coordinator asks one party for one kind of work."""

    type = "ask"


class Reply(Message):
    """A party's answer: `arrays` are summed over parties, `body` is read singly."""

    type = "reply"


class Refusal(Message):
    """A party's no; `body` has code, exit_code, problem, remedy and reason."""

    type = "refusal"


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_KINDS: dict[str, type[Message]] = {c.type: c for c in (Ask, Reply, Refusal)}


def encode(message: Message) -> bytes:
    """Return the message's bytes; equal messages give equal bytes."""
    parts = []
    shapes = []
    for name in sorted(message.arrays):
        array = np.ascontiguousarray(message.arrays[name])
        code = array.dtype.newbyteorder("<").str
        if code not in _TYPES:
            raise _bad(f"an array of type {array.dtype} cannot be sent")
        shapes.append([name, code, list(array.shape)])
        parts.append(array.astype(code, copy=False).tobytes())
    words = {
        "type": message.type,
        "kind": message.kind,
        "run": message.run,
        "round": message.round,
        "party": message.party,
        "body": message.body,
        "arrays": shapes,
    }
    header = _JSON.encode(words).encode()
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *parts])


def content_digest(message: Message) -> str:
    """Return the digest of what a message asks for, whomever it is sent to.

    The number of its masks is left out: the same question is the same under any.
    """
    digest = hashlib.sha256(message.kind.encode())
    asked = {word: v for word, v in message.body.items() if word != "mask"}
    body = json.dumps(asked, sort_keys=True, allow_nan=False)
    digest.update(body.encode())
    for name in sorted(message.arrays):
        array = np.ascontiguousarray(message.arrays[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.data)
    return digest.hexdigest()


def decode(data: bytes) -> Message:
    """Return the message that `data` holds.

    Raises:
        MessageError: The bytes are too large, cut, of another version, or say
            something that no message of ours says.
    """
    if len(data) > MAX_BYTES or len(data) < len(MAGIC) + 4 or data[:4] != MAGIC:
        raise _bad("it is not a message of this version, or too large")
    (size,) = struct.unpack_from("<I", data, 4)
    if size > MAX_HEADER or 8 + size > len(data):
        raise _bad("its header is cut or too large")
    header = _header(data[8 : 8 + size])
    arrays = _arrays(header["arrays"], data, 8 + size)
    return _KINDS[header["type"]](
        kind=header["kind"],
        run=header["run"],
        round=header["round"],
        party=header["party"],
        body=header["body"],
        arrays=arrays,
    )


def _header(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _bad("its header is not valid JSON") from None
    if not isinstance(header, dict) or header.get("type") not in _KINDS:
        raise _bad("its header is of no known type")
    texts = [header.get(k) for k in ("kind", "run", "party")]
    if not all(isinstance(t, str) and _NAME.fullmatch(t) for t in texts):
        raise _bad("its kind, run or party is not a name")
    number = header.get("round")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise _bad("its round is not a number")
    if not isinstance(header.get("body"), dict):
        raise _bad("its body is not an object")
    return header


def _no_constant(_: str) -> Any:
    raise ValueError


def _arrays(declared: Any, data: bytes, offset: int) -> dict[str, Array]:
    if not isinstance(declared, list) or len(declared) > MAX_ARRAYS:
        raise _bad("its list of arrays is malformed")
    arrays: dict[str, Array] = {}
    for entry in declared:
        name, code, shape = _declaration(entry)
        count = 1
        for length in shape:
            count *= length
        end = offset + _TYPES[code] * count
        if end > len(data) or name in arrays:
            raise _bad("its arrays are cut or doubled")
        flat = np.frombuffer(data, dtype=code, count=count, offset=offset)
        arrays[name] = flat.reshape(shape)
        offset = end
    if offset != len(data):
        raise _bad("it has bytes that belong to no array")
    return arrays


def _declaration(entry: Any) -> tuple[str, str, list[int]]:
    if not (isinstance(entry, list) and len(entry) == 3):  # noqa: PLR2004
        raise _bad("an array's declaration is malformed")
    name, code, shape = entry
    if not (isinstance(name, str) and _NAME.fullmatch(name) and code in _TYPES):
        raise _bad("an array's name or type is not allowed")
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS:
        raise _bad("an array's shape is malformed")
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_BYTES:
            raise _bad("an array's shape is malformed")
    return name, code, shape


def _bad(why: str) -> MessageError:
    return MessageError(
        f"A message was refused: {why}.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
