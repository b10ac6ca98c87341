"""Write a model folder whole or not at all.

The folder grows beside its place under a name that nobody lists, every file and
folder is flushed to disk, and one rename publishes it. A lock on the study keeps two
writers apart; what a killed writer left behind is removed by the next one.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fl_plugin.errors import RegistryHeldError, StorageError
from fl_plugin.registry.digests import DIGESTS, digests_bytes
from fl_plugin.registry.names import study_folder, version_of

_WAIT = 0.05


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The next version of a study, held until the `with` block ends."""

    study: str
    version: int
    folder: Path

    def publish(self, files: Mapping[str, bytes]) -> Path:
        """Write the files and their digests, and return the published folder.

        Raises:
            StorageError: The disk refused. Nothing is half-written; where only the
                last flush failed, the whole version stays, and a power cut may undo it.
        """
        draft = self.folder.with_name(f".{self.folder.name}.draft")
        try:
            draft.mkdir()
            for name, data in {**files, DIGESTS: digests_bytes(files)}.items():
                _write(draft / name, data)
            _flush(draft)
            draft.rename(self.folder)
            _flush(self.folder.parent)
        except OSError as error:
            raise _cannot_write(self.study, error) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # gone already if published
        return self.folder


@contextmanager
def reserve(root: Path, study: str, *, patience: float = 30.0) -> Iterator[Reservation]:
    """Hold the study's next version number while its files are made.

    Args:
        root: The registry's folder; made if it is missing.
        study: Checked to be a plain name.
        patience: Seconds to wait for another writer of the same study.

    Raises:
        RegistryError: The name is unsafe.
        RegistryHeldError: Another writer holds the study.
        StorageError: The registry's folder cannot be written.
    """
    folder = study_folder(root, study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("ab")
    except OSError as error:
        raise _cannot_write(study, error) from None
    with lock:
        _acquire(lock, study, patience)
        for draft in folder.glob(".v*.draft"):
            shutil.rmtree(draft, ignore_errors=True)
        taken = [version_of(child) or 0 for child in folder.iterdir()]
        version = max(taken, default=0) + 1
        yield Reservation(study=study, version=version, folder=folder / f"v{version}")


def _acquire(lock: IO[bytes], study: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RegistryHeldError(
                    f"Another process is registering a model of {study}.",
                    remedy="Wait for it to end, then run the command again.",
                ) from None
            time.sleep(_WAIT)
        else:
            return


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Make the folder's entries durable: a rename alone may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(study: str, error: OSError) -> StorageError:
    return StorageError(
        f"The registry's folder of {study} cannot be written ({error.strerror}).",
        remedy="Free space or fix its permissions; earlier versions are untouched.",
    )
