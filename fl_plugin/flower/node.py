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
from hashlib import sha256
from pathlib import Path

import httpx
from flwr.app import Error, Message
from flwr.common.constant import ErrorCode, SubStatus
from flwr.supercore.constant import TaskType
from flwr.supernode.runtime.run_clientapp import (
    pull_task_input,
    push_message,
    push_task_output,
)

from fl_plugin.errors import StorageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.flower.asking import Answer, question_in
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
from fl_plugin.flower.places import NodePlace, private_folder
from fl_plugin.flower.runtime import Runtime
from fl_plugin.flower.shim import is_listed
from fl_plugin.party.party import Party
from fl_plugin.software import release

Tell = Callable[[str], None]
_PROBE_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
_LOOPBACK = "127.0.0.1"


class FlowerNode:
    """One domain's node; `serve` runs until `stop`.

    Args:
        folder: The domain's folder.
        invitation: Of the mesh that it joins.

    Raises:
        StorageError: A file of the node cannot be made.
    """

    def __init__(self, folder: Path, invitation: Invitation) -> None:
        self._party = Party(folder)
        self.name = self._party.name
        self._invitation = invitation
        self.place = NodePlace(folder)
        self._stopped = threading.Event()
        _prepare(self.place, self.name, invitation)

    def serve(self, tell: Tell, ready: Callable[[], None]) -> None:
        """Join the mesh and answer until `stop`.

        Args:
            tell: Told in words what the node waits for.
            ready: Called once the node has joined.

        Raises:
            StorageError: No port of this machine can be listened on.
        """
        while self._wait_until_admitted(tell):
            self._join(ready)
            if not self._stopped.is_set():
                tell(f"The SuperNode of {self.name} has ended: see {self.place.log}")
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

    def _wait_until_admitted(self, tell: Tell) -> bool:
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
                tell(problem)
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
                self._carry_out(runtime, found[1])
            except httpx.HTTPError:  # the SuperNode starts, or the run was stopped
                pace.sleep()

    def _carry_out(self, runtime: Runtime, token: str) -> None:
        """Answer one of Flower's messages."""
        with runtime.at_task(token) as client:
            message, context, _, app = pull_task_input(client)
            reply = self._replied(message, sha256(app.content).hexdigest())
            push_message(client, reply, context)
            push_task_output(client, context, SubStatus.COMPLETED, "")

    def _replied(self, message: Message, app: str) -> Message:
        if not is_listed(app):
            self._party.turn_away("", f"app {app}", "app.unlisted")
            reason = f"{self.name} starts no app but the mesh's own."
            return Message(Error(ErrorCode.INVALID_FAB, reason), reply_to=message)
        return Message(self._answer(message).record(), reply_to=message)

    def _answer(self, message: Message) -> Answer:
        asked = question_in(message.content)
        if asked is None or not asked.is_genuine or asked.party != self.name:
            self._party.turn_away("", "", "question.unsigned")
            return Answer(
                problem=f"{self.name} was asked by nobody who signs for it.",
                remedy="Ask through: fl train STUDY --engine flower",
                code="question.unsigned",
            )
        if asked.software != release():
            return Answer(
                problem=f"The node of {self.name} runs version {release()} of "
                "fl_plugin, and was called by another.",
                remedy="Install the same version on both sides.",
                code="software.differs",
            )
        # Who joined with an invitation has accepted whoever sent it, as a node on one
        # machine accepts its own user: `callers` in node.yml says otherwise.
        own = asked.key == self._invitation.caller
        if not self._party.admits(asked.caller, asked.key, own=own):
            return Answer(
                problem=f"The coordinator with the key {asked.key} may not speak for "
                f"the consumer {asked.caller} at {self.name}.",
                remedy=f"Ask {self.name} to list the key under `callers` in its "
                "node.yml.",
                code="caller.unknown",
            )
        return Answer(data=self._party.handle(asked.data, asked.caller))


def _prepare(place: NodePlace, domain: str, invitation: Invitation) -> None:
    private_folder(place.folder)
    private_folder(place.home)
    make_node(place.certificate, domain)
    try:
        with whole(place.authority) as file:
            file.write(invitation.authority.encode())
        with whole(place.openssh_key, mode=PRIVATE) as file:
            file.write(openssh(load_key(place.certificate)))
        with whole(place.secret, mode=PRIVATE) as file:
            file.write(secrets.token_bytes(32))
    except OSError as error:
        raise StorageError(
            f"The node of {domain} cannot write its files ({error.strerror}).",
            remedy=f"Check the disk, and who may write to {place.folder}.",
        ) from None


def _problem_at(gate: Address, greeting: ssl.SSLContext, place: NodePlace) -> str:
    """Return why the gate does not let this node in, in words; empty where it does."""
    try:
        with (
            socket.create_connection((gate.host, gate.port), _PROBE_SECONDS) as plain,
            greeting.wrap_socket(plain, server_hostname=gate.host) as probe,
        ):
            probe.settimeout(_PROBE_SECONDS / 4)
            probe.recv(1)  # TLS 1.3: a certificate is refused after the handshake
    except TimeoutError:
        return ""
    except ssl.SSLCertVerificationError:
        return (
            f"What answers at {gate} is not the SuperLink of the invitation, or its "
            "certificate has ended. Ask whoever runs it for a new invitation."
        )
    except ssl.SSLError:
        return (
            f"Waiting to be admitted at {gate}. Send {place.certificate} to whoever "
            "runs the SuperLink."
        )
    except OSError:
        return f"Waiting for the SuperLink at {gate}: nobody answers there."
    return ""


def _has_joined(log: Path) -> bool:
    return b"SuperNode ID:" in log.read_bytes()[:100_000]
