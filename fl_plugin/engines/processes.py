"""Every party in a process of its own, on one machine.

A node that runs already is found by its address in `nodes.yml`; of all other domains
one is started for the run. The coordinator then opens nothing of a domain's. A node
that dies is started again, or waited for, and asked the same again: it takes its run
up where it stood.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from fl_plugin.engines.base import Engine
from fl_plugin.engines.framing import ConnectionLost, greet, greeting, receive, send
from fl_plugin.errors import MeshError, PolicyError, UnreachableError
from fl_plugin.software import release

DEADLINE = 300.0  # seconds for one answer, restarts of the node included
START_SECONDS = 60.0
_PAUSE = 0.05


class Processes(Engine):
    """Parties in processes of their own."""

    name: ClassVar[str] = "processes"

    def __init__(self, folders: Sequence[Path], caller: str) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="fl-nodes-"))
        nodes = [
            _Started(folder, self._place / f"{number}.sock", caller)
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

    def exchange(self, asks: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Send each node its message; who has not answered in time is left out."""
        until = time.monotonic() + DEADLINE
        futures = {
            name: self._threads.submit(self._nodes[name].ask, data, until)
            for name, data in asks.items()
        }
        found = {name: future.result() for name, future in futures.items()}
        return {name: reply for name, reply in found.items() if reply is not None}

    def close(self) -> None:
        """Stop the nodes that were started here."""
        self._threads.shutdown(wait=True)
        for node in self._nodes.values():
            node.close()
        shutil.rmtree(self._place, ignore_errors=True)


class _Started:
    """A node in a process of this one's: it ends when this process does.

    Args:
        folder: The domain's folder, `domains/<domain>`.
        path: Of its socket.
        caller: On whose behalf messages are sent.
    """

    def __init__(self, folder: Path, path: Path, caller: str) -> None:
        self.name = folder.name
        self._folder, self._path, self._caller = folder, path, caller
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def ask(self, data: bytes, until: float) -> bytes | None:
        """Return the answer; None where there is none in time.

        Raises:
            MeshError: The node does not let this caller in, or cannot be started.
        """
        while time.monotonic() < until:
            try:
                connection = self._connected(until)
                send(connection, data, until=until)
                return receive(connection, until=until)
            except ConnectionLost:
                self._drop()
                time.sleep(_PAUSE)
        return None

    def close(self) -> None:
        """End the process, if it runs."""
        self._drop()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # that is how a node learns that nobody needs it
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self, until: float) -> socket.socket:
        if self._connection is not None:
            return self._connection
        if self._process is None or self._process.poll() is not None:
            self._start()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(os.fspath(self._path))
            told = {
                "party": self.name,
                "caller": self._caller,
                "software": release(),
            }
            greet(connection, told, until)
            answer = greeting(connection, until)
        except OSError:
            connection.close()
            raise ConnectionLost from None
        except BaseException:
            connection.close()
            raise
        if "problem" in answer:
            connection.close()
            raise PolicyError(
                str(answer["problem"]),
                remedy=str(answer.get("remedy", "Ask the domain's team.")),
                reason="caller.unknown",
                domain=self.name,
            )
        self._connection = connection
        return connection

    def _start(self) -> None:
        words = [sys.executable, "-m", "fl_plugin", "node", "--domain", self.name]
        words += ["--project", os.fspath(self._folder.parent.parent)]
        words += ["--socket", os.fspath(self._path), "--while-stdin-is-open"]
        self._process = subprocess.Popen(  # noqa: S603 this program, with names checked
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        until = time.monotonic() + START_SECONDS
        ready = b""
        with contextlib.suppress(OSError, ValueError):
            ready = self._first_line(self._process, until)
        if ready.strip() != b"ready":
            raise _not_started(self.name)

    @staticmethod
    def _first_line(process: subprocess.Popen[bytes], until: float) -> bytes:
        if process.stdout is None:
            return b""
        line = process.stdout.readline()
        return line if time.monotonic() < until else b""


def _not_started(domain: str) -> MeshError:
    return UnreachableError(
        f"The node of {domain} did not start.",
        remedy=f"See why: fl node --domain {domain}",
    )
