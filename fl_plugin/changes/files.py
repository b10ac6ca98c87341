"""Files of an outbox: read with a cap, written aside and renamed, under a lock."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.files import PRIVATE, whole

MAX_BYTES = 32 * 1024 * 1024
_TRIES = 0.02  # seconds between two looks at a lock


def shown_path(path: Path) -> str:
    """Return the end of a path: it names the domain and hides the host's folders."""
    return "/".join(path.absolute().parts[-3:])


def read_bytes(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none.

    Raises:
        StorageError: It cannot be read, or is larger than any that is written here.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, f"cannot be read ({error.strerror})") from None
    if len(content) > MAX_BYTES:
        raise unusable(path, "is larger than any outbox")
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file aside and rename it: a reader sees the old one or the new one.

    Raises:
        StorageError: It cannot be written; the old one is still there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, mode=PRIVATE) as file:
            file.write(content)
    except OSError as error:
        raise unusable(path, f"cannot be written ({error.strerror})") from None


@contextmanager
def locked(path: Path, *, seconds: float = 30.0) -> Iterator[None]:
    """Hold a lock between processes; it ends with the process that holds it.

    Raises:
        StorageError: Another process holds it for longer than so many seconds.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(path, f"cannot be written ({error.strerror})") from None
    try:
        _wait(handle, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(handle)  # and with it the lock


def unusable(path: Path, why: str) -> StorageError:
    """Return the error about a file of an outbox."""
    return StorageError(
        f"{shown_path(path)} {why}.",
        remedy="Free space or mend its permissions. An outbox can be moved away: the "
        "next look begins a new one.",
    )


def _wait(handle: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StorageError(
                    f"{shown_path(path)} is held by another process.",
                    remedy="Wait for the other command to end, then try again.",
                ) from None
            time.sleep(_TRIES)
        else:
            return
