"""Every party in a process of its own, on one machine.

A node that runs already is found by its address in `nodes.yml`; of all other domains
one is started for the run. The coordinator then opens nothing of a domain's. A node
that dies is started again, or waited for, and asked the same again: it takes its run
up where it stood.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from fl_plugin.engines.addresses import addresses
from fl_plugin.engines.asking import Clock, Line, ask
from fl_plugin.engines.base import Engine, tell_when_done
from fl_plugin.engines.framing import (
    READY,
    ConnectionLost,
    greet,
    greeting,
    receive,
    send,
)
from fl_plugin.errors import MeshError, PolicyError, UnreachableError
from fl_plugin.software import release

_END_SECONDS = 10.0
CLOCK = Clock()


class Processes(Engine):
    """Parties in processes of their own."""

    name: ClassVar[str] = "processes"

    def __init__(self, folders: Sequence[Path], caller: str) -> None:
        known = addresses(folders[0].parent.parent) if folders else {}
        self._place = Path(tempfile.mkdtemp(prefix="fl-nodes-"))
        nodes: list[_Reached] = [
            _Reached(folder.name, known[folder.name], caller)
            if folder.name in known
            else _Started(folder, self._place / f"{number}.sock", caller)
            for number, folder in enumerate(folders)
        ]
        self._nodes = {node.name: node for node in nodes}
        self._threads = ThreadPoolExecutor(
            max_workers=max(len(nodes), 1), thread_name_prefix="node"
        )

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, sorted."""
        return tuple(sorted(self._nodes))

    def exchange(
        self, asks: Mapping[str, bytes], seconds: float
    ) -> Mapping[str, bytes]:
        """Send each node its message; who has not answered in time is left out."""
        until = CLOCK.now() + seconds
        futures = {
            name: self._threads.submit(ask, self._nodes[name], data, until, CLOCK)
            for name, data in asks.items()
        }
        tell_when_done(futures, self.heard)
        wait(futures.values())  # a line that is still in use must not be used again
        found = {name: future.result() for name, future in futures.items()}
        return {name: reply for name, reply in found.items() if reply is not None}

    def close(self) -> None:
        """Stop the nodes that were started here, whatever they are at."""
        with ThreadPoolExecutor(max_workers=max(len(self._nodes), 1)) as ending:
            list(ending.map(lambda node: node.give_up(), self._nodes.values()))
        self._threads.shutdown(wait=True)
        for node in self._nodes.values():
            node.close()
        shutil.rmtree(self._place, ignore_errors=True)


class _Reached(Line):
    """A node that somebody else runs, as its domain's own user.

    Args:
        name: The domain's.
        path: Of its socket.
        caller: On whose behalf messages are sent.
    """

    def __init__(self, name: str, path: Path, caller: str) -> None:
        self.name = name
        self._path, self._caller = path, caller
        self._connection: socket.socket | None = None

    def call(self, data: bytes, until: float) -> bytes:
        """Send a message and return the answer.

        Raises:
            ConnectionLost: There is none.
            MeshError: The node does not let this caller in, or cannot be started.
        """
        try:
            connection = self._connected(until)
            send(connection, data, until=until)
            return receive(connection, until=until)
        except (ConnectionLost, MeshError):
            self._drop()
            raise

    def give_up(self) -> None:
        """Let a thread that waits for an answer wait no more."""
        self.given_up = True
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave the node to whoever runs it."""
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _make_ready(self, until: float) -> None:
        """Do what has to be done before the node can be called."""

    def _connected(self, until: float) -> socket.socket:
        """Return the connection; a new one once the node has let this caller in."""
        if self._connection is not None:
            return self._connection
        self._make_ready(until)
        # Kept before it is let in, so that `give_up` ends the waiting for that too.
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Without a limit it would wait for ever where others fill the node's queue.
        self._connection.settimeout(max(until - CLOCK.now(), 0.0))
        try:
            self._connection.connect(os.fspath(self._path))
        except OSError:
            raise ConnectionLost from None
        self._ask_in(self._connection, until)
        return self._connection

    def _ask_in(self, connection: socket.socket, until: float) -> None:
        told = {"party": self.name, "caller": self._caller, "software": release()}
        greet(connection, told, until)
        answer = greeting(connection, until)
        if "problem" in answer:
            raise PolicyError(
                str(answer["problem"]),
                remedy=str(answer.get("remedy", "Ask the domain's team.")),
                reason="caller.unknown",
                domain=self.name,
            )


class _Started(_Reached):
    """A node in a process of this one's: it ends when this process does.

    Args:
        folder: The domain's folder, `domains/<domain>`.
        path: Of its socket.
        caller: On whose behalf messages are sent.
    """

    def __init__(self, folder: Path, path: Path, caller: str) -> None:
        super().__init__(folder.name, path, caller)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def give_up(self) -> None:
        """End the process as well: one that stands still would answer nobody."""
        super().give_up()
        self._end()

    def close(self) -> None:
        """End the process, if it runs."""
        super().close()
        self._end()  # a thread may have begun one as it was told to give up

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with process:  # closes its pipes: that is how a node learns that it may end
            try:
                if process.stdin is not None:
                    process.stdin.close()
                process.wait(timeout=_END_SECONDS)
            except (subprocess.TimeoutExpired, OSError):
                process.kill()

    def _make_ready(self, until: float) -> None:
        """Start the process, again where it has died."""
        if self._process is not None and self._process.poll() is None:
            return
        self._end()
        words = [sys.executable, "-m", "fl_plugin", "node", "--domain", self.name]
        words += ["--project", os.fspath(self._folder.parent.parent)]
        words += ["--socket", os.fspath(self._path), "--while-stdin-is-open"]
        # A session of its own: Ctrl-C is for the coordinator, which ends its nodes.
        process = subprocess.Popen(  # noqa: S603 this program, with names checked
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._process = process
        if not _says_ready(process, until):
            raise UnreachableError(
                f"The node of {self.name} did not start.",
                remedy=f"See why: fl node --domain {self.name}",
            ).at(self.name)


def _says_ready(process: subprocess.Popen[bytes], until: float) -> bool:
    """Return whether a node listens; False where it ended first.

    Raises:
        ConnectionLost: It is too slow.
    """
    if process.stdout is None:
        return False
    left = max(until - CLOCK.now(), 0.0)
    if not select.select([process.stdout], [], [], left)[0]:
        process.kill()
        raise ConnectionLost
    return process.stdout.readline().strip() == READY.encode()
