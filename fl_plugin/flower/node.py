"""A domain's node on a machine of its own: its party, behind Flower's SuperNode.

The party is this process, and keeps the domain's table in memory for the length of a
run. The SuperNode beside it carries messages; it opens nothing of the domain's. Of an
app that was submitted its fingerprint alone is looked at: what answers is installed.
"""

import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
from flwr.supercore.constant import TaskType

from fl_plugin.files import PRIVATE
from fl_plugin.flower.carrying_out import carry_out
from fl_plugin.flower.certificates import (
    load_key,
    make_node,
    openssh,
)
from fl_plugin.flower.children import child
from fl_plugin.flower.forwarding import (
    Address,
    Forwarder,
    Way,
    free_port,
    tunnel_context,
)
from fl_plugin.flower.invitation import Invitation
from fl_plugin.flower.pace import Pace
from fl_plugin.flower.passing_on import PassingOn, Tell
from fl_plugin.flower.places import NodePlace, private_folder, write
from fl_plugin.flower.runtime import Runtime
from fl_plugin.party.heard import Tell as Heard
from fl_plugin.party.heard import untold
from fl_plugin.party.party import Party

_PROBE_SECONDS = 2.0
_AGAIN_SECONDS = 2.0
_PATIENCE = 20.0  # a SuperNode itself waits 30 s for an answer
_LOOPBACK = "127.0.0.1"


class FlowerNode:
    """One domain's node; `serve` runs until `stop`.

    Args:
        folder: The domain's folder.
        invitation: Of the mesh that it joins.
        tell: Told in words what the node waits for, and what is wrong with it.
        heard: Told of each message, for the domain's own people.

    Raises:
        StorageError: A file of the node cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        invitation: Invitation,
        tell: Tell,
        heard: Heard = untold,
    ) -> None:
        party = Party(folder, heard)
        self.name = party.name
        self.place = NodePlace(folder)
        self._invitation = invitation
        self._tell = tell
        self._passing_on = PassingOn(party, invitation.caller, tell)
        self._stopped = threading.Event()
        _prepare(self.place, self.name, invitation)

    def serve(self, ready: Callable[[], None]) -> None:
        """Join the mesh and answer until `stop`.

        Args:
            ready: Called once the node has joined.

        Raises:
            StorageError: No port of this machine can be listened on.
        """
        while self._wait_until_admitted():
            self._join(ready)
            if not self._stopped.is_set():
                self._tell(
                    f"The SuperNode of {self.name} has ended: see {self.place.log}"
                )
                self._stopped.wait(_AGAIN_SECONDS)

    def _join(self, ready: Callable[[], None]) -> None:
        """Answer until `stop`, or until the SuperNode ends."""
        gate = Address(self._invitation.host, self._invitation.port)
        with ExitStack() as held:
            tunnel = Forwarder(
                Way(
                    listens=Address(_LOOPBACK, 0),
                    leads_to=gate,
                    outside=self._greeting(),
                    patience=_PATIENCE,
                )
            )
            held.callback(tunnel.close)
            port = free_port()
            process = held.enter_context(
                child(
                    "supernode",
                    self._words(tunnel.port, port),
                    self.place.home,
                    self.place.log,
                )
            )
            runtime = Runtime(Address(_LOOPBACK, port), self.place.secret.read_bytes())
            held.callback(runtime.close)
            self._answer_all(runtime, process, ready)

    def stop(self) -> None:
        """Answer what is being answered, and end."""
        self._stopped.set()

    def _greeting(self) -> ssl.SSLContext:
        certificate = self.place.certificate
        return tunnel_context(
            str(certificate),
            str(certificate.with_suffix(".key")),
            str(self.place.authority),
        )

    def _words(self, tunnel: int, port: int) -> list[str]:
        return [
            *("--superlink", f"{_LOOPBACK}:{tunnel}"),
            *("--root-certificates", str(self.place.authority)),
            *("--auth-supernode-private-key", str(self.place.openssh_key)),
            *("--isolation", "process"),
            *("--host", _LOOPBACK, "--port", str(port)),
            *("--superexec-auth-secret-file", str(self.place.secret)),
        ]

    def _wait_until_admitted(self) -> bool:
        """Return whether the mesh lets this node in; False where it was stopped."""
        told = ""
        while not self._stopped.is_set():
            problem = _problem_at(
                Address(self._invitation.host, self._invitation.port),
                self._greeting(),
                self.place,
            )
            if not problem:
                return True
            if problem != told:
                self._tell(problem)
                told = problem
            self._stopped.wait(_PROBE_SECONDS)
        return False

    def _answer_all(
        self,
        runtime: Runtime,
        process: subprocess.Popen[bytes],
        ready: Callable[[], None],
    ) -> None:
        pace, joined = Pace(), False
        while not self._stopped.is_set() and process.poll() is None:
            if not joined and _has_joined(self.place.log):
                joined = True
                ready()
            try:
                found = runtime.claim(TaskType.CLIENT_APP)
                if found is None:
                    pace.sleep()
                    continue
                pace.found()
                with runtime.at_task(found[1]) as client:
                    carry_out(client, self._passing_on.reply)
            except httpx.HTTPError:  # the SuperNode starts, or the run was stopped
                pace.sleep()


def _prepare(place: NodePlace, domain: str, invitation: Invitation) -> None:
    private_folder(place.folder)
    private_folder(place.home)
    make_node(place.certificate, domain)
    write(place.authority, invitation.authority.encode())
    write(place.openssh_key, openssh(load_key(place.certificate)), mode=PRIVATE)
    write(place.secret, secrets.token_bytes(32), mode=PRIVATE)


def _problem_at(gate: Address, greeting: ssl.SSLContext, place: NodePlace) -> str:
    """Return why the gate does not let this node in, in words; empty where it does."""
    try:
        if _lets_in(gate, greeting):
            return ""
    except ssl.SSLCertVerificationError:
        return (
            f"What answers at {gate} is not the SuperLink of the invitation, or its "
            "certificate has ended. Ask whoever runs it for a new invitation."
        )
    except ssl.SSLError:
        pass
    except OSError:
        return f"Waiting for the SuperLink at {gate}: nobody answers there."
    return (
        f"Waiting to be admitted at {gate}. Send {place.certificate} to whoever "
        "runs the SuperLink."
    )


def _lets_in(gate: Address, greeting: ssl.SSLContext) -> bool:
    """Return whether the gate keeps the connection.

    With TLS 1.3 a certificate is refused after the handshake, as this side sees it.
    """
    with (
        socket.create_connection((gate.host, gate.port), _PROBE_SECONDS) as plain,
        greeting.wrap_socket(plain, server_hostname=gate.host) as probe,
    ):
        probe.settimeout(_PROBE_SECONDS)
        try:
            return bool(probe.recv(1))
        except TimeoutError:  # nobody speaks, and nobody hangs up
            return True


def _has_joined(log: Path) -> bool:
    return b"SuperNode ID:" in log.read_bytes()[:100_000]
