"""The machine that runs the SuperLink: its gate, its door, and whom it lets in.

Flower's SuperLink listens on this machine alone. Nodes reach it through the gate, with
the certificate that was admitted for their domain; runs through the door. Every app
but the mesh's own, and every run that was not started at the door, is turned away.
"""

import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from queue import Empty, Queue

import httpx
from cryptography import x509
from flwr.common.constant import SubStatus
from flwr.common.serde import fab_to_proto
from flwr.proto.control_pb2 import (
    ListNodesRequest,
    RegisterNodeRequest,
    StartRunRequest,
    StopRunRequest,
    UnregisterNodeRequest,
)
from flwr.proto.runtime_pb2 import PullTaskInputRequest, PushTaskOutputRequest
from flwr.supercore.constant import TaskType
from flwr.supercore.control import ControlHttpClient
from flwr.supercore.fab import Fab
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

from fl_plugin.errors import MeshError, UnreachableError
from fl_plugin.files import PRIVATE
from fl_plugin.flower.admission import admitted, pem_of
from fl_plugin.flower.certificates import make_authority, make_server, public_pem
from fl_plugin.flower.children import child
from fl_plugin.flower.door import Pass, hand_over, is_own, open_door
from fl_plugin.flower.forwarding import (
    Address,
    Forwarder,
    Way,
    free_port,
    gate_context,
)
from fl_plugin.flower.invitation import Invitation, check_host, write_invitation
from fl_plugin.flower.pace import Pace
from fl_plugin.flower.places import LinkPlace, private_folder, write
from fl_plugin.flower.runtime import Runtime
from fl_plugin.flower.shim import fingerprint, is_listed, shim
from fl_plugin.flower.turned_away import TurnedAway
from fl_plugin.signing.keys import create_key, load_key
from fl_plugin.software import release
from fl_plugin.unix_sockets import answer_each

_START_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_LOOPBACK = "127.0.0.1"


class Link:
    """A SuperLink for one mesh; `serve` runs until `stop`.

    Args:
        root: The mesh's folder.
        gate: Where nodes reach it: the address to listen on.
        host: The name or address that nodes call it by.

    Raises:
        UsageError: The host is no name of a machine.
        StorageError: A file cannot be made, or another one runs.
    """

    def __init__(self, root: Path, gate: Address, host: str) -> None:
        check_host(host)
        self.place = LinkPlace(root)
        self._gate = gate
        self._host = host
        self._inside = Address(_LOOPBACK, free_port())
        self._stopped = threading.Event()
        self._starting = threading.Lock()
        self._waiting: dict[int, Queue[str]] = {}
        self._known: Mapping[str, x509.Certificate] = {}
        self._turned_away = TurnedAway(self.place.ledger)
        _prepare(self.place, host)

    def serve(self, ready: Callable[[], None]) -> None:
        """Carry messages until `stop`.

        Args:
            ready: Called once nodes and runs can come.

        Raises:
            UnreachableError: The SuperLink does not start, or has ended.
            StorageError: The gate's address is taken.
        """
        with ExitStack() as held:
            door = held.enter_context(open_door(self.place.door))
            process = held.enter_context(
                child("superlink", self._words(), self.place.home, self.place.log)
            )
            self._wait_for(process.poll)
            runtime = Runtime(
                self._inside, self.place.secret.read_bytes(), self.place.authority
            )
            held.callback(runtime.close)
            control = _control(self._inside, self.place.authority)
            held.callback(control.close)
            self._admit(control)
            gate = Forwarder(
                Way(
                    listens=self._gate,
                    leads_to=self._inside,
                    inside=self._greeting,
                    refused=self._turned_away,
                )
            )
            held.callback(gate.close)
            write_invitation(self.place.invitation, self._invitation(gate.port))
            let_in = partial(self._see_through, control)
            threading.Thread(
                target=answer_each, args=(door, let_in), daemon=True
            ).start()
            ready()
            self._look_after(runtime, control, gate, process.poll)
            self.place.door.unlink(missing_ok=True)

    def stop(self) -> None:
        """End; runs that go on find their way again once it is started anew."""
        self._stopped.set()

    def _words(self) -> list[str]:
        place = self.place
        return [
            *("--ssl-ca-certfile", str(place.authority)),
            *("--ssl-certfile", str(place.server)),
            *("--ssl-keyfile", str(place.server.with_suffix(".key"))),
            *("--host", _LOOPBACK, "--port", str(self._inside.port)),
            "--enable-supernode-auth",
            "--disable-runtime-dependency-installation",
            *("--isolation", "process"),
            *("--superexec-auth-secret-file", str(place.secret)),
            *("--database", str(place.state)),
        ]

    def _invitation(self, port: int) -> Invitation:
        return Invitation(
            host=self._host,
            port=port,
            authority=self.place.authority.read_text(),
            caller=load_key(self.place.caller).public,
            software=release(),
        )

    def _greeting(self) -> ssl.SSLContext:
        server = self.place.server
        known = tuple(map(pem_of, self._known.values()))
        return gate_context(str(server), str(server.with_suffix(".key")), known)

    def _wait_for(self, ended: Callable[[], int | None]) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and ended() is None:
            with socket.socket() as probe:
                if probe.connect_ex((_LOOPBACK, self._inside.port)) == 0:
                    return
            time.sleep(0.1)
        raise self._gone()

    def _gone(self) -> MeshError:
        return UnreachableError(
            "Flower's SuperLink does not run.",
            remedy=f"See why in {self.place.log}, and start it again: fl flower up",
        )

    def _look_after(
        self,
        runtime: Runtime,
        control: ControlHttpClient,
        gate: Forwarder,
        ended: Callable[[], int | None],
    ) -> None:
        """Claim the runs that start, and follow who is admitted."""
        pace, looked = Pace(_LOOK_SECONDS), 0.0
        while not self._stopped.is_set():
            if ended() is not None:
                raise self._gone()
            with suppress(httpx.HTTPError):
                found = runtime.claim(TaskType.SERVER_APP)
                if found is not None:
                    self._give(runtime, *found)
            if self._waiting:
                pace.found()
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked = time.monotonic()
                with suppress(MeshError, httpx.HTTPError):  # a file half there
                    if self._admit(control):
                        gate.cut()  # who was admitted comes again
            pace.sleep()

    def _give(self, runtime: Runtime, task: object, token: str) -> None:
        """Give a run its task; turn away every run that did not start at the door."""
        run, app = int(getattr(task, "run_id", 0)), str(getattr(task, "fab_hash", ""))
        with self._starting:
            waits = self._waiting.get(run)
        if waits is not None and is_listed(app):
            waits.put(token)
            return
        self._turned_away(f"app {app[:64]}", "app.unlisted")
        with runtime.at_task(token) as client:
            client.PullTaskInput(PullTaskInputRequest())
            client.PushTaskOutput(
                PushTaskOutputRequest(
                    sub_status=SubStatus.FAILED,
                    details="This SuperLink starts no app but the mesh's own.",
                )
            )

    def _see_through(
        self, control: ControlHttpClient, connection: socket.socket
    ) -> None:
        """Start a run for who stands at the door, and end it when they leave."""
        with connection, suppress(OSError):
            if not is_own(connection):
                return
            run, mine = 0, Queue[str]()
            try:
                with self._starting:
                    run = _started(control)
                    self._waiting[run] = mine
                token = mine.get(timeout=_START_SECONDS)
            except (httpx.HTTPError, Empty):
                hand_over(connection, "The SuperLink does not start a run.")
                return
            finally:
                self._waiting.pop(run, None)
            hand_over(connection, Pass(str(self._inside), token))
            connection.recv(1)
            with suppress(httpx.HTTPError):
                control.StopRun(StopRunRequest(run_id=run))

    def _admit(self, control: ControlHttpClient) -> bool:
        """Let the admitted nodes in, and no others; return whether they changed."""
        now = admitted(self.place)
        if now == self._known:
            return False
        wanted = {public_pem(c): d for d, c in now.items()}
        listed = control.ListNodes(ListNodesRequest()).nodes_info
        there = {n.public_key: n.node_id for n in listed if n.status != "unregistered"}
        for key in there.keys() - wanted.keys():
            control.UnregisterNode(UnregisterNodeRequest(node_id=there[key]))
        for key in wanted.keys() - there.keys():
            control.RegisterNode(RegisterNodeRequest(public_key=key, name=wanted[key]))
        self._known = now  # the gate lets in whom the SuperLink knows
        return True


def _prepare(place: LinkPlace, host: str) -> None:
    for folder in (place.folder, place.nodes, place.home, place.ledger.parent):
        private_folder(folder)
    make_authority(place.authority)
    make_server(place.server, place.authority, (host,))
    if not place.caller.exists():
        create_key(place.caller)
    if not place.secret.exists():
        write(place.secret, secrets.token_bytes(32), mode=PRIVATE)


def _control(inside: Address, authority: Path) -> ControlHttpClient:
    return ControlHttpClient.from_server_address(
        server_address=str(inside),
        insecure=False,
        root_certificates=authority.read_bytes(),
        interceptors=[RuntimeVersionHttpInterceptor("flwr-cli")],
    )


def _started(control: ControlHttpClient) -> int:
    app = fab_to_proto(Fab(fingerprint(), shim(), {}))
    return int(control.StartRun(StartRunRequest(fab=app)).run_id)
