"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PRIVATE, SHARED = 0o600, 0o644


@contextmanager
def whole(path: Path, *, mode: int = SHARED) -> Iterator[IO[bytes]]:
    """Open a file to write that takes its name once all of it is on the disk.

    Until then, and if anything fails, whoever looks sees the file that was there.

    Args:
        path: In a folder that exists.
        mode: Who may read it: `PRIVATE`, `SHARED`, or what the file before had.

    Raises:
        OSError: It cannot be written; nothing is left of it. What to tell the reader
            is the caller's to say.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode & 0o777)  # mkstemp's own is 0600
            os.fsync(file.fileno())
        aside.replace(path)
        _sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def create(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Write a new file that takes its name once all of it is on the disk.

    Args:
        path: In a folder that exists; nothing is ever written over.
        data: What is in it.
        mode: Who may read it.

    Raises:
        FileExistsError: There is a file of that name; it stays as it is.
        OSError: It cannot be written; nothing is left of it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode & 0o777)
            os.fsync(file.fileno())
        path.hardlink_to(aside)  # the first of several wins
        _sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write all of it to an unbuffered file, which may take less at a time.

    Raises:
        OSError: It cannot be written; a part of it may be.
    """
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _sync(folder: Path) -> None:
    """Put the new name on the disk too, where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
