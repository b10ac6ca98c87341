"""A domain's ledger, kept open while a run is: opening it costs more than a release."""

import os
from pathlib import Path

from fl_plugin.ledger.store import Ledger


class Books:
    """The open ledger of a party.

    Args:
        path: `domains/<domain>/ledger/ledger.sqlite`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ledger: Ledger | None = None
        self._file: tuple[int, int] | None = None

    def open(self) -> Ledger:
        """Return the ledger that lies at its path now.

        Raises:
            StorageError: It cannot be opened.
        """
        if self._ledger is None or self._file != _file(self._path):
            self.close()
            self._ledger = Ledger.open(self._path)
            self._file = _file(self._path)
        return self._ledger

    def close(self) -> None:
        """Close it, if it is open."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = None


def _file(path: Path) -> tuple[int, int] | None:
    """Return which file lies at a path; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 at every release
    except OSError:
        return None
    return found.st_dev, found.st_ino
