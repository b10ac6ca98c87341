"""Several machines on one: a SuperLink and nodes, to be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fl_plugin.flower.admission import admit
from fl_plugin.flower.places import LinkPlace, NodePlace

GATE = "127.0.0.2"
_LONGEST = 180.0
_LOOK = 0.05


def _free(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Machines:
    """The processes that an operator starts: `fl flower up`, and a node per domain.

    Args:
        root: The mesh's folder.
        domains: Whose nodes.
        program: The module that is `fl`.
    """

    def __init__(
        self, root: Path, domains: tuple[str, ...], program: str = "fl_plugin"
    ) -> None:
        self.root = root
        self._program = program
        self.port = _free(GATE)
        self.domains = domains
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all, and admit the nodes."""
        self.up()
        for domain in self.domains:
            self.node(domain)
        for domain in self.domains:
            certificate = NodePlace(self.root / "domains" / domain).certificate
            assert _until(certificate.exists), domain
            admit(LinkPlace(self.root), domain, certificate)
        for domain in self.domains:
            self.wait_for(domain)

    def up(self) -> None:
        """Start the SuperLink."""
        self._start("up", "--listen", GATE, "--port", str(self.port), called="up")
        self._said("up", "Nodes may join")

    def node(self, domain: str) -> None:
        """Start a domain's node."""
        self._start("node", "--domain", domain, called=domain)

    def wait_for(self, domain: str) -> None:
        """Wait until a domain's node has joined."""
        self._said(domain, "has joined")

    def kill(self, name: str) -> None:
        """Kill a node, or "up", with SIGKILL."""
        process = self._processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def said(self, name: str) -> str:
        """Return what one of them has said."""
        return self._file(name).read_text()

    def close(self) -> list[str]:
        """End all; return the processes that are left over, which there must not be."""
        for process in reversed(list(self._processes.values())):
            process.terminate()
        for process in self._processes.values():
            process.wait(30)
        _until(lambda: not self.left(), 20)
        return self.left()

    def left(self) -> list[str]:
        """Return the processes that work on this mesh."""
        found = subprocess.run(
            ["pgrep", "-fa", str(self.root)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [line for line in found.stdout.splitlines() if "python" in line]

    def _start(self, *words: str, called: str) -> None:
        command = [sys.executable, "-m", self._program, "flower", *words]
        with self._file(called).open("wb") as said:
            self._processes[called] = subprocess.Popen(
                [*command, "--project", os.fspath(self.root)], stdout=said, stderr=said
            )

    def _said(self, name: str, words: str) -> None:
        def told() -> bool:
            assert self._processes[name].poll() is None, self.said(name)
            return words in self.said(name)

        assert _until(told), self.said(name)

    def _file(self, name: str) -> Path:
        return self.root.parent / f"{name}.out"


def _until(holds: Callable[[], object], longest: float = _LONGEST) -> bool:
    until = time.monotonic() + longest
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK)
    return True
