"""On record at the SuperLink's machine: who came and was not let in."""

import threading
import time
from contextlib import suppress
from pathlib import Path

from fl_plugin.errors import MeshError
from fl_plugin.ledger.record import LONGEST_TEXT, AuditEntry
from fl_plugin.ledger.store import Ledger

_AGAIN_SECONDS = 60.0
_MOST_REMEMBERED = 10_000


class TurnedAway:
    """Writes one record for each peer and reason, and at most one a minute.

    A stranger who knocks without end must not fill the disk.

    Args:
        file: The ledger.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, peer: str, why: str) -> None:
        """Put one on record.

        Args:
            peer: The address that it came from, or what it brought.
            why: In a word, such as `certificate.unknown`.
        """
        now = time.monotonic()
        with self._lock:
            if now - self._last.get((peer, why), -_AGAIN_SECONDS) < _AGAIN_SECONDS:
                return
            if len(self._last) >= _MOST_REMEMBERED:
                self._last.clear()
            self._last[peer, why] = now
            # What cannot be written down is turned away all the same.
            with suppress(MeshError), Ledger.open(self._file) as ledger:
                ledger.append(
                    AuditEntry(
                        action="refuse",
                        decision="refused",
                        consumer="",
                        actor=peer[:LONGEST_TEXT],
                        purpose="",
                        study="",
                        run="",
                        rule=why,
                    )
                )
