"""Large messages of open runs, in a file beside the ledger for each run.

Megabytes a message would grow the ledger's own file for good. A body is on the disk
before the record that it belongs to is committed, under a key made of the run's secret:
once SQLite has written over that secret, nobody reads what a disk may still hold.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fl_plugin.errors import StorageError
from fl_plugin.files import PRIVATE, sync, write_all
from fl_plugin.privacy.derivation import key_for

FOLDER = "messages"
_NONCE = 12  # bytes


class Bodies:
    """The files of one ledger.

    Args:
        ledger: The ledger's file; theirs lie in a folder beside it.
    """

    def __init__(self, ledger: Path) -> None:
        self._folder = ledger.parent / FOLDER

    def put(self, run: str, at: int, sealed: bytes) -> None:
        """Put bytes on the disk, at a place behind which nothing is on record.

        Raises:
            StorageError: The disk refused.
        """
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._file(run), os.O_WRONLY | os.O_CREAT, PRIVATE)
            with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 a handle
                file.truncate(at)
                file.seek(at)
                write_all(file, sealed)
                os.fdatasync(handle)
            if at == 0:  # a new file: its name too
                sync(self._folder)
        except OSError as error:
            raise StorageError(
                f"A message of the run {run} cannot be kept beside the ledger "
                f"({error.strerror}).",
                remedy="Free space or fix its permissions.",
            ) from None

    def get(self, run: str, at: int | None, size: int | None) -> bytes:
        """Return what was put.

        Args:
            run: The run's id.
            at: As the ledger says now, which may be damaged.
            size: Likewise.

        Raises:
            StorageError: It is not there any more.
        """
        with suppress(OSError), self._file(run).open("rb") as file:
            there = os.fstat(file.fileno()).st_size
            if at is not None and size is not None and 0 <= at < at + size <= there:
                file.seek(at)
                return file.read(size)
        raise lost(run)

    def forget(self, run: str) -> None:
        """Remove a run's file, if there is one."""
        with suppress(OSError):
            self._file(run).unlink(missing_ok=True)

    def forget_all_but(self, runs: Iterable[str]) -> None:
        """Remove what a crash has left of runs that are closed."""
        known = {self._file(run) for run in runs}
        with suppress(OSError):
            for file in self._folder.iterdir():
                if file not in known:
                    file.unlink(missing_ok=True)

    def _file(self, run: str) -> Path:
        # A run's name comes out of a message: it is never a path.
        return self._folder / hashlib.sha256(run.encode()).hexdigest()[:32]


def sealed(secret: bytes, run: str, number: int, body: bytes) -> bytes:
    """Return a body encrypted under a key of its round alone."""
    # The nonce is drawn: a round that was not committed is written once more.
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(secret, run, number)).encrypt(nonce, body, None)


def opened(secret: bytes, run: str, number: int, data: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        StorageError: It was altered.
    """
    nonce, body = data[:_NONCE], data[_NONCE:]
    try:
        return AESGCM(_key(secret, run, number)).decrypt(nonce, body, None)
    except (InvalidTag, ValueError):
        raise lost(run) from None


def lost(run: str) -> StorageError:
    """Return the error for a message that is not there as it was written."""
    return StorageError(
        f"The messages that were kept of the run {run} are damaged.",
        remedy="Start the run again: fl train",
    )


def _key(secret: bytes, run: str, number: int) -> bytes:
    return key_for(secret, "kept message", [run, number])
