"""Files for the rows of one run that do not fit into a party's memory.

They lie in the domain's own folder, `spool/<run>/`, for this user alone, and go with
the run. A lock that the kernel takes back when a process ends tells the folders that
a crash has left behind: the next run removes them.
"""

import fcntl
import os
import re
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from fl_plugin.errors import StorageError

FOLDER = "spool"
_LOCK = "lock"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


class Spool:
    """One run's folder; made when its first file is.

    Args:
        domain: The domain's folder.
        run: The run's name, as a message tells it.
    """

    def __init__(self, domain: Path, run: str) -> None:
        name = run if _NAME.match(run) else "run"  # never a path out of a message
        self._folder = domain / FOLDER / f"{name}.{uuid4().hex[:12]}"
        self._domain = domain.name
        self._close: weakref.finalize[..., object] | None = None

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Give a new file of this folder to write to.

        Raises:
            StorageError: It cannot be written; the whole folder is gone then.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            with self.kept():
                self._make()
                handle = os.open(self.path(name), flags, 0o600)
                with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 a handle
                    yield file
        except OSError as error:
            raise StorageError(
                f"The rows of {self._domain} do not fit into its memory, and its "
                f"folder {FOLDER} cannot be written ({error.strerror}).",
                remedy="Free some disk space there, or raise `memory` in node.yml.",
            ) from None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Remove the folder if what is done within does not succeed."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def path(self, name: str) -> Path:
        """Return where a file of this folder lies."""
        return self._folder / name

    def close(self) -> None:
        """Remove the folder and everything in it; twice does no harm."""
        if self._close is not None:
            self._close()

    def _make(self) -> None:
        if self._close is not None and self._close.alive:
            return
        parent = self._folder.parent
        parent.mkdir(mode=0o700, exist_ok=True)
        with _turn(parent):
            self._folder.mkdir(mode=0o700)
            lock = _locked(self._folder)
        # Also where nobody closes it: the object is forgotten, the program ends.
        self._close = weakref.finalize(self, _remove, self._folder, lock)


def sweep(domain: Path) -> None:
    """Remove what runs have left behind in a domain's folder whose process is gone."""
    parent = domain / FOLDER
    if not parent.is_dir():
        return
    with suppress(OSError), _turn(parent):
        for folder in parent.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                _sweep(folder)


def _sweep(folder: Path) -> None:
    try:
        lock = _locked(folder)
    except BlockingIOError:
        return  # its run is under way
    _remove(folder, lock)


@contextmanager
def _turn(parent: Path) -> Iterator[None]:
    """Keep others from seeing a folder that is made but not locked yet."""
    lock = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    """Return the open lock of a folder.

    Raises:
        BlockingIOError: Another holds it.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
