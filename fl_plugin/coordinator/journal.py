"""What a run has asked and heard so far, so that it goes on after a crash.

The coordinator asks the same questions again, being deterministic, and reads the
answers of the rounds before the crash from here; the first question that has no answer
goes out to the parties. Every exchange is on the disk before its answers are used.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from fl_plugin.errors import MessageError, StorageError
from fl_plugin.files import PRIVATE, write_all

_MAGIC = b"FLJ1"
_HEAD = struct.Struct("<4sQ32s")  # magic, size of what follows, its SHA-256
_SIZE = struct.Struct("<I")  # of the JSON part


class JournalError(StorageError):
    """The coordinator's own disk has failed; the run can be resumed."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One exchange.

    Args:
        asks: Digest of each party's question.
        replies: What each party answered; who is missing did not.
        seconds: That it took.
    """

    asks: Mapping[str, str]
    replies: Mapping[str, bytes] = field(repr=False)
    seconds: float


class Journal:
    """A run's exchanges, in a file that grows; use as a context manager.

    What a kill has cut off at the end was never used: it is written over.

    Args:
        path: In a folder that exists.

    Raises:
        JournalError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
            # Unbuffered: what a full disk refuses is not tried again when it closes.
            self._file: BinaryIO = os.fdopen(handle, "r+b", buffering=0)
            self._known = list(_places(self._file))
        except OSError as error:
            raise self._unusable(error) from None
        self._at = 0
        self._newest = False  # whether the newest question's exchange is in it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def kept(self) -> int:
        """How many exchanges it holds."""
        return len(self._known)

    def next(self, asks: Mapping[str, bytes]) -> Heard | None:
        """Return what was answered to these questions; None where nobody has asked yet.

        Raises:
            MessageError: Others were asked then: the run is not the same one.
        """
        self._newest = False
        if self._at == len(self._known):
            return None
        heard = self._read(*self._known[self._at])
        if dict(heard.asks) != _digests(asks):
            raise MessageError(
                "The run asks something else than it did before it stopped: the study, "
                "the catalog or the program has changed.",
                remedy="Start it again: fl train",
            )
        self._at += 1
        self._newest = True
        return heard

    def keep(
        self, asks: Mapping[str, bytes], replies: Mapping[str, bytes], seconds: float
    ) -> None:
        """Put an exchange on the disk.

        Raises:
            JournalError: The disk refused; the exchange has not happened then.
        """
        told = {
            "asks": _digests(asks),
            "seconds": seconds,
            "replies": [[p, len(replies[p])] for p in sorted(replies)],
        }
        text = json.dumps(told, sort_keys=True).encode()
        parts = [_SIZE.pack(len(text)), text, *(replies[p] for p in sorted(replies))]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        head = _HEAD.pack(_MAGIC, sum(map(len, parts)), digest.digest())
        end = self._end
        try:
            self._file.seek(end)
            for part in (head, *parts):
                write_all(self._file, part)
            os.fdatasync(self._file.fileno())
        except OSError as error:
            self._cut()
            raise self._unusable(error) from None
        # Where it lies, not what it holds: replies may be large.
        self._known.append((end, _HEAD.size + sum(map(len, parts))))
        self._at += 1
        self._newest = True

    def forget(self) -> None:
        """Forget the newest exchange, if it is kept: it is to be asked again.

        Where the disk refuses, it is read once more when the run goes on, and
        forgotten then.
        """
        if self._newest:
            self._newest = False
            self._at -= 1
            del self._known[self._at :]
            self._cut()

    @property
    def _end(self) -> int:
        """Where the last exchange that is kept ends."""
        return sum(self._known[-1]) if self._known else 0

    def _cut(self) -> None:
        """Leave what was kept, and nothing of what was not."""
        with suppress(OSError):
            self._file.truncate(self._end)

    def _read(self, begin: int, size: int) -> Heard:
        try:
            self._file.seek(begin + _HEAD.size)
            return _exchange(_read(self._file, size - _HEAD.size))
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(
            f"The journal {self._path.parent.name}/{self._path.name} of the run cannot "
            f"be read or written ({error.strerror}).",
            remedy="Free space or fix its permissions.",
        )


def _digests(asks: Mapping[str, bytes]) -> dict[str, str]:
    return {party: hashlib.sha256(data).hexdigest() for party, data in asks.items()}


def _read(file: BinaryIO, size: int) -> bytes:
    """Return so many bytes, or all that are left; a read may give less."""
    found = bytearray()
    while len(found) < size:
        more = file.read(size - len(found))
        if not more:
            break
        found += more
    return bytes(found)


def _places(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield where whole exchanges begin and their sizes; cut off what is behind."""
    end = 0
    while True:
        head = _read(file, _HEAD.size)
        if len(head) < _HEAD.size:
            break
        magic, size, digest = _HEAD.unpack(head)
        data = _read(file, size) if magic == _MAGIC else b""
        if len(data) != size or hashlib.sha256(data).digest() != digest:
            break
        yield end, _HEAD.size + size
        end += _HEAD.size + size
    file.truncate(end)


def _exchange(data: bytes) -> Heard:
    (size,) = _SIZE.unpack_from(data)
    told: dict[str, Any] = json.loads(data[_SIZE.size : _SIZE.size + size])
    at, replies = _SIZE.size + size, {}
    for party, length in told["replies"]:
        replies[party] = data[at : at + length]
        at += length
    return Heard(asks=told["asks"], replies=replies, seconds=told["seconds"])
