"""Every party in a thread of this process: the default, for one machine.

Even here nothing but bytes crosses: a message is encoded before it reaches the party's
thread and the answer is encoded before it leaves it. The channel cannot authenticate
the caller beyond the operating system's user; the engines for several machines do.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from fl_plugin.engines.base import Engine
from fl_plugin.party.party import Party


class Embedded(Engine):
    """Parties in threads."""

    name: ClassVar[str] = "embedded"

    def __init__(self, folders: Sequence[Path], caller: str) -> None:
        found = (Party(folder) for folder in folders)
        self._parties = {party.name: party for party in found}
        self._caller = caller
        self._threads = ThreadPoolExecutor(
            max_workers=max(len(self._parties), 1), thread_name_prefix="party"
        )

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return tuple(sorted(self._parties))

    def exchange(self, asks: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Let every party answer in its own thread."""
        futures = {
            name: self._threads.submit(self._parties[name].handle, data, self._caller)
            for name, data in asks.items()
        }
        return {name: future.result() for name, future in futures.items()}

    def close(self) -> None:
        """Wait for the threads to end."""
        self._threads.shutdown(wait=True)
