"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
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
    with _aside(path, mode, os.replace) as file:
        yield file


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
    with _aside(path, mode, os.link) as file:  # the first of several wins
        file.write(data)


def write_all(file: IO[bytes], data: bytes) -> None:
    """Write all of it to an unbuffered file, which may take less at a time.

    Raises:
        OSError: It cannot be written; a part of it may be.
    """
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def sync(folder: Path) -> None:
    """Put a new name on the disk too, where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _aside(
    path: Path, mode: int, name: Callable[[Path, Path], None]
) -> Iterator[IO[bytes]]:
    """Open a file beside a path, and give it the path's name once it is whole."""
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.")
    aside = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode & 0o777)  # mkstemp's own is 0600
            os.fsync(file.fileno())
        name(aside, path)
        sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)
