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
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fl_plugin.errors import MessageError, StorageError
from fl_plugin.files import PRIVATE

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
            # Unbuffered: what a full disk refused must not be tried again at the end.
            self._file: FileIO = open(handle, "r+b", buffering=0)  # noqa: PTH123, SIM115 a handle
            self._heard: list[Heard] = []
            self._ends: list[int] = []
            for heard, end in _read_all(self._file):
                self._heard.append(heard)
                self._ends.append(end)
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
        return len(self._heard)

    def next(self, asks: Mapping[str, bytes]) -> Heard | None:
        """Return what was answered to these questions; None where nobody has asked yet.

        Raises:
            MessageError: Others were asked then: the run is not the same one.
        """
        self._newest = False
        if self._at == len(self._heard):
            return None
        heard = self._heard[self._at]
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
        try:
            for part in (head, *parts):
                _write(self._file, part)
            os.fdatasync(self._file.fileno())
        except OSError as error:
            self._cut()
            raise self._unusable(error) from None
        # Not kept in memory: a run never goes back.
        self._heard.append(_NEVER_AGAIN)
        self._ends.append(self._file.tell())
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
            del self._heard[self._at :], self._ends[self._at :]
            self._cut()

    def _cut(self) -> None:
        """Leave what was kept, and nothing of what was not."""
        end = self._ends[-1] if self._ends else 0
        with suppress(OSError):
            self._file.seek(end)
            self._file.truncate()

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(
            f"The journal {self._path.parent.name}/{self._path.name} of the run cannot "
            f"be read or written ({error.strerror}).",
            remedy="Free space or fix its permissions.",
        )


_NEVER_AGAIN = Heard(asks={}, replies={}, seconds=0.0)


def _digests(asks: Mapping[str, bytes]) -> dict[str, str]:
    return {party: hashlib.sha256(data).hexdigest() for party, data in asks.items()}


def _write(file: FileIO, part: bytes) -> None:
    """Write all of it; the system may take less at a time."""
    left = memoryview(part)
    while left:
        left = left[file.write(left) :]


def _read(file: FileIO, size: int) -> bytes:
    """Return so many bytes, or all that are left."""
    found = bytearray()
    while len(found) < size:
        more = file.read(size - len(found))
        if not more:
            break
        found += more
    return bytes(found)


def _read_all(file: FileIO) -> Iterator[tuple[Heard, int]]:
    """Yield whole exchanges and where they end; leave the file at the last end."""
    end = 0
    while True:
        head = _read(file, _HEAD.size)
        if len(head) < _HEAD.size:
            break
        magic, size, digest = _HEAD.unpack(head)
        data = _read(file, size) if magic == _MAGIC else b""
        if len(data) != size or hashlib.sha256(data).digest() != digest:
            break
        end += _HEAD.size + size
        yield _exchange(data), end
    file.seek(end)
    file.truncate()


def _exchange(data: bytes) -> Heard:
    (size,) = _SIZE.unpack_from(data)
    told: dict[str, Any] = json.loads(data[_SIZE.size : _SIZE.size + size])
    at, replies = _SIZE.size + size, {}
    for party, length in told["replies"]:
        replies[party] = data[at : at + length]
        at += length
    return Heard(asks=told["asks"], replies=replies, seconds=told["seconds"])
