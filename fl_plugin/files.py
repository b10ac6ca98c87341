"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO

PRIVATE, SHARED = 0o600, 0o644
_ASIDE = ".aside"


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
    with _aside(path, mode, Path.replace) as file:
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


def remove(path: Path) -> None:
    """Remove a file, and what a killed process has left of one of its name.

    Raises:
        OSError: It cannot be removed.
    """
    path.unlink(missing_ok=True)
    _sweep(path)


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
    path: Path, mode: int, name: Callable[[Path, Path], object]
) -> Iterator[IO[bytes]]:
    """Open a file beside a path, and give it the path's name once it is whole."""
    _sweep(path)
    handle, aside = _made_and_locked(path)
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


def _made_and_locked(path: Path) -> tuple[int, Path]:
    while True:
        handle, made = tempfile.mkstemp(
            dir=path.parent, prefix=_prefix(path), suffix=_ASIDE
        )
        with suppress(OSError):  # where nobody can lock, nobody sweeps either
            flock(handle, LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, Path(made)
        os.close(handle)  # swept before it was locked


def _sweep(path: Path) -> None:
    """Remove what writers of a path have left that were killed: nobody locks it."""
    with suppress(OSError):
        for name in os.listdir(path.parent):  # noqa: PTH208 no paths of all the others
            if name.startswith(_prefix(path)) and name.endswith(_ASIDE):
                _sweep_one(path.parent / name)


def _sweep_one(aside: Path) -> None:
    with suppress(OSError):
        handle = os.open(aside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            flock(handle, LOCK_EX | LOCK_NB)
            aside.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _prefix(path: Path) -> str:
    return f".{path.name[:64]}."
