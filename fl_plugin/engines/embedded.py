"""Every party in a thread of this process: the default, for one machine.

Even here nothing but bytes crosses: a message is encoded before it reaches the party's
thread and the answer is encoded before it leaves it. The channel cannot authenticate
the caller beyond the operating system's user; the engines for several machines do.
"""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import ClassVar

from fl_plugin.engines.base import Engine, tell_when_done
from fl_plugin.party.party import Party
from fl_plugin.threads import one_thread

# Seconds. Short answers come one after the other: threads that hand the interpreter
# to and fro at each statement of SQLite take a fifth more (`python -m bench.engine`).
# Long ones, and waiting for the disk, overlap.
_HEAD_START = 0.001


class Embedded(Engine):
    """Parties in threads."""

    name: ClassVar[str] = "embedded"

    def __init__(self, folders: Sequence[Path], caller: str) -> None:
        found = (Party(folder) for folder in folders)
        self._parties = {party.name: party for party in found}
        self._seats = {n: _Seat(party, caller) for n, party in self._parties.items()}

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return tuple(sorted(self._parties))

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Let every party answer in its own thread; who is too slow is left out."""
        answers: dict[str, Future[bytes]] = {}
        for name, data in asks.items():
            answers[name] = self._seats[name].ask(data)
            with suppress(TimeoutError):
                answers[name].exception(_HEAD_START)
        tell_when_done(answers, self.heard)
        done, _ = wait(answers.values(), timeout=seconds)
        return {name: a.result() for name, a in answers.items() if a in done}

    def close(self) -> None:
        """Wait for the threads to end; one whose work hangs is left behind."""
        for seat in self._seats.values():
            seat.leave()


class _Seat:
    """One party, and the thread that it works in.

    No pool's thread: this process waits for those at its end, however long.
    """

    def __init__(self, party: Party, caller: str) -> None:
        self._party, self._caller = party, caller
        self._asked: SimpleQueue[tuple[bytes, Future[bytes]] | None] = SimpleQueue()
        self._newest: Future[bytes] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, data: bytes) -> Future[bytes]:
        """Hand in a message; its answer comes when those before it are answered."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name=f"party {self._party.name}", daemon=True
            )
            self._thread.start()
        self._newest = Future()
        self._asked.put((data, self._newest))
        return self._newest

    def leave(self) -> None:
        """End the thread once it has nothing to do."""
        self._asked.put(None)
        idle = self._newest is None or self._newest.done()
        if self._thread is not None and idle:
            self._thread.join()

    def _work(self) -> None:
        with one_thread():  # or each message would set it, and set it back
            while (task := self._asked.get()) is not None:
                data, answer = task
                try:
                    answer.set_result(self._party.handle(data, self._caller))
                except BaseException as error:
                    answer.set_exception(error)
