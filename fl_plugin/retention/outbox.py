"""An outbox loses its oldest events; its numbers go on, so readers lose nothing new."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.retention.places import is_own

FILES = ("events.jsonl", "dead.jsonl")
LOCKS = (".lock", ".sender")  # of whoever looks, and of whoever sends
MAX_BYTES = 32 * 2**20


def old_lines(root: Path, file: Path, *, now: datetime, days: int) -> int:
    """Return how many lines at the top of a file are past their days.

    Raises:
        StorageError: The file is not an outbox's.
    """
    if not is_own(root, file):
        return 0
    count = 0
    for line in _lines(file):
        if _at(line, file) + timedelta(days=days) > now:
            break
        count += 1
    return count


def cut(root: Path, file: Path, *, now: datetime, days: int) -> int:
    """Take the lines off the top and return how many; the file is replaced whole.

    Raises:
        StorageError: Another process holds the outbox, or the disk refuses.
    """
    with _held(file.parent):
        count = old_lines(root, file, now=now, days=days)
        if count:
            _replace(file, _lines(file)[count:])
    return count


def _lines(file: Path) -> list[bytes]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError:
        raise _unfit(file) from None
    if len(content) > MAX_BYTES:
        raise _unfit(file)
    return content.splitlines()


def _at(line: bytes, file: Path) -> datetime:
    try:
        found = datetime.fromisoformat(json.loads(line)["at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unfit(file) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _replace(file: Path, lines: list[bytes]) -> None:
    try:
        with whole(file, mode=PRIVATE) as opened:
            opened.writelines(line + b"\n" for line in lines)
    except OSError:
        raise _unfit(file) from None


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the locks that writers of an outbox hold; they end with this process."""
    handles = []
    try:
        for path in (folder / name for name in LOCKS):
            if not path.exists():
                continue
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            handles.append(handle)
            flock(handle, LOCK_EX | LOCK_NB)
        yield
    except OSError:
        raise StorageError(
            f"The outbox of {folder.parent.name} is held by another process.",
            remedy="Wait for the other command to end, then try again.",
        ) from None
    finally:
        for handle in handles:
            os.close(handle)


def _unfit(file: Path) -> StorageError:
    return StorageError(
        f"{file.parent.parent.name}/outbox/{file.name} cannot be used.",
        remedy="Look at it, or move the outbox away: the next look begins a new one.",
    )
