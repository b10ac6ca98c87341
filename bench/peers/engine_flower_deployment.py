"""Flower's deployment on loopback: SuperLink, a SuperNode a domain, `flwr run`.

As Flower's guides start it, with TLS and registered node keys; variant `plain` is
without. Needs the commands `openssl` and `ssh-keygen`. Every round starts a process in
each node, as Flower does by default.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import job
from bench.peers.crew import free_ports
from bench.peers.timed import Timed, begun

HERE = Path(__file__).parent
OUT = "flower.json"
_PATIENCE, _PAUSE, _END = 1_200.0, 0.25, 15.0


@dataclass
class Deployment:
    """Its folder, its processes and its certificates.

    Args:
        folder: For everything that it writes.
        tls: Whether it speaks TLS, and knows its nodes by their keys.
    """

    folder: Path
    tls: bool
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose the ports."""
        self.port, *self.node_ports = free_ports(1 + len(job.DOMAINS))
        (self.folder / "home").mkdir()

    def call(self, *command: str) -> str:
        """Run a command to its end; return what it said."""
        done = subprocess.run(  # noqa: S603  # our own command line
            command, env=self._settings(), check=True, capture_output=True, text=True
        )
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        """Start a program of Flower's and leave it running."""
        program = Path(sys.executable).parent / command[0]
        with (self.folder / f"{name}.log").open("w") as log:
            started = subprocess.Popen(  # noqa: S603  # our own command line
                [str(program), *command[1:]],
                env=self._settings(),
                stdout=log,
                stderr=log,
            )
        self.processes.append(started)

    def flwr(self, *words: str) -> str:
        """Run `flwr`."""
        return self.call(str(Path(sys.executable).parent / "flwr"), *words)

    def end(self) -> None:
        """End what was started."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(_END)
            except subprocess.TimeoutExpired:
                process.kill()

    def path(self, name: str) -> str:
        """Return a file's path in the folder."""
        return str(self.folder / name)

    def _settings(self) -> dict[str, str]:
        bin_ = Path(sys.executable).parent
        return {
            **os.environ,
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_HOME": self.path("home"),
            "PATH": f"{bin_}:{os.environ['PATH']}",
        }


def certify(made: Deployment) -> None:
    """Make an authority, the server's certificate and a key for each node."""
    ca, pem = made.path("ca.crt"), made.path("server.pem")
    new = ("openssl", "req", "-newkey", "rsa:3072", "-nodes")
    authority = ("-x509", "-days", "30", "-subj", "/CN=bench-ca")
    made.call(*new, *authority, "-keyout", made.path("ca.key"), "-out", ca)
    server = ("-subj", "/CN=localhost", "-keyout", made.path("server.key"))
    made.call(*new, *server, "-out", made.path("server.csr"))
    extension = made.folder / "extension"
    extension.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
    )
    sign = ("openssl", "x509", "-req", "-in", made.path("server.csr"), "-CA", ca)
    by = ("-CAkey", made.path("ca.key"), "-CAcreateserial", "-days", "30")
    made.call(*sign, *by, "-extfile", str(extension), "-out", pem)
    for domain in job.DOMAINS:
        key = ("ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "")
        made.call(*key, "-f", made.path(domain))


def raise_up(made: Deployment) -> None:
    """Start the SuperLink and, once it listens, the nodes."""
    address = f"127.0.0.1:{made.port}"
    link = ["--host", "127.0.0.1", "--port", str(made.port)]
    link += ["--disable-runtime-dependency-installation"]
    link += ["--database", made.path("state.db")]
    if made.tls:
        certify(made)
        link += ["--ssl-ca-certfile", made.path("ca.crt")]
        link += ["--ssl-certfile", made.path("server.pem")]
        link += ["--ssl-keyfile", made.path("server.key"), "--enable-supernode-auth"]
        trust = f'root-certificates = "{made.path("ca.crt")}"'
    else:
        link, trust = [*link, "--insecure"], "insecure = true"
    made.start("superlink", "flower-superlink", *link)
    (made.folder / "home" / "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n\n[superlink.here]\n'
        f'address = "{address}"\n{trust}\n'
    )
    _wait_for(made)
    for place, domain in enumerate(job.DOMAINS):
        _raise_node(made, domain, place, address)


def _raise_node(made: Deployment, domain: str, place: int, address: str) -> None:
    words = ["--superlink", address, "--host", "127.0.0.1"]
    words += ["--port", str(made.node_ports[place])]
    words += ["--node-config", f"place={place}"]
    if made.tls:
        public = made.path(f"{domain}.pub")
        made.flwr("supernode", "register", public, "here", "--name", domain)
        words += ["--root-certificates", made.path("ca.crt")]
        words += ["--auth-supernode-private-key", made.path(domain)]
    else:
        words += ["--insecure"]
    made.start(domain, "flower-supernode", *words)


def run(folder: Path, which: str, variant: str) -> Timed:
    """Do the job."""
    since = begun()
    own = folder / f"deployment-{which}-{variant or 'tls'}"
    own.mkdir()
    out = folder / OUT
    out.unlink(missing_ok=True)
    with _up(own, tls=variant != "plain") as made:
        settings = f'job="{which}" folder="{folder}" parties={len(job.DOMAINS)}'
        app = str(HERE / "flower_app")
        made.flwr("run", app, "here", "--format", "json", "--run-config", settings)
        until = time.monotonic() + _PATIENCE
        while not out.exists():
            if made.processes[0].poll() is not None or time.monotonic() > until:
                raise RuntimeError("the run did not end")
            time.sleep(_PAUSE)
        ended = time.time()
    return Timed(begun=since, ended=ended, **json.loads(out.read_text()))


@contextmanager
def _up(folder: Path, *, tls: bool) -> Iterator[Deployment]:
    made = Deployment(folder, tls)
    try:
        raise_up(made)
        yield made
    finally:
        made.end()


def _wait_for(made: Deployment) -> None:
    """Wait until the SuperLink listens."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", made.port)) == 0:
                return
        time.sleep(_PAUSE)
    raise TimeoutError
