"""The gate: who has no certificate that was admitted speaks to nobody behind it."""

import datetime
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from unittest.mock import patch

import pytest

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.flower.admission import admit, admitted, dismiss, pem_of
from fl_plugin.flower.certificates import (
    domain_of,
    load_certificate,
    make_authority,
    make_node,
    make_server,
)
from fl_plugin.flower.forwarding import (
    Address,
    Forwarder,
    Way,
    gate_context,
    tunnel_context,
)
from fl_plugin.flower.places import LinkPlace

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """An authority, its server, two nodes, another authority and its server."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        make_authority(folder / f"{name}.crt")
        server = folder / f"{name}_server.crt"
        make_server(server, folder / f"{name}.crt", (LOOPBACK,))
    for name in ("ash", "birch"):
        make_node(folder / f"{name}.crt", name)
    return folder


@contextmanager
def echo():
    """Serve whoever connects their own bytes; yield where."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def answer(connection):
            with connection, suppress(OSError):
                while data := connection.recv(65_536):
                    connection.sendall(data)

        def accept():
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=answer, args=(connection,)).start()

        threading.Thread(target=accept, daemon=True).start()
        yield Address(LOOPBACK, listening.getsockname()[1])


class Gate:
    """A gate before an echo, and who it turned away."""

    def __init__(self, keys, behind, admitted):
        self.turned_away: list[tuple[str, str]] = []
        server = keys / "ours_server.crt"
        known = tuple(pem_of(load_certificate(keys / f"{n}.crt")) for n in admitted)
        self.forwarder = Forwarder(
            Way(
                listens=Address(LOOPBACK, 0),
                leads_to=behind,
                inside=lambda: gate_context(
                    str(server), str(server.with_suffix(".key")), known
                ),
                refused=lambda peer, why: self.turned_away.append((peer, why)),
            )
        )
        self.address = Address(LOOPBACK, self.forwarder.port)

    def reasons(self):
        """Return why the last peer was turned away: told just after it has left."""
        until = time.monotonic() + 10
        while not self.turned_away and time.monotonic() < until:
            time.sleep(0.01)
        assert {peer for peer, _ in self.turned_away} == {LOOPBACK}
        return [why for _, why in self.turned_away]


@pytest.fixture
def gate(keys):
    with echo() as behind:
        found = Gate(keys, behind, ["ash"])
        yield found
        found.forwarder.close()


def greeting(keys, node, authority="ours"):
    certificate = keys / f"{node}.crt"
    return tunnel_context(
        str(certificate),
        str(certificate.with_suffix(".key")),
        str(keys / f"{authority}.crt"),
    )


def said(address, context, data=b"hello"):
    """Return what comes back through TLS; nothing where nobody lets us in."""
    found = b""
    with (
        socket.create_connection((address.host, address.port), 10) as plain,
        suppress(ConnectionError, ssl.SSLError),
        context.wrap_socket(plain, server_hostname=address.host) as connection,
    ):
        connection.sendall(data)
        while len(found) < len(data) and (part := connection.recv(65_536)):
            found += part
    return found


def test_an_admitted_node_gets_through(keys, gate):
    data = bytes(range(256)) * 8_000
    assert said(gate.address, greeting(keys, "ash"), data) == data
    assert gate.turned_away == []


def test_a_tunnel_and_a_gate_carry_what_is_plain_at_both_ends(keys, gate):
    tunnel = Forwarder(
        Way(
            listens=Address(LOOPBACK, 0),
            leads_to=gate.address,
            outside=greeting(keys, "ash"),
        )
    )
    with socket.create_connection((LOOPBACK, tunnel.port), 10) as connection:
        connection.sendall(b"through both")
        assert connection.recv(100) == b"through both"
        gate.forwarder.cut()
        connection.settimeout(10)
        assert connection.recv(100) == b""
    tunnel.close()


def strangers(keys):
    """Yield a name, a context to greet with, and what is put on record."""
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(cafile=str(keys / "ours.crt"))
    yield "no certificate", bare, "certificate.missing"
    yield "another node", greeting(keys, "birch"), "certificate.unknown"
    signed = greeting(keys, "ours_server")  # of the authority, but admitted for nobody
    yield "the server's own", signed, "certificate.unknown"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_verify_locations(cafile=str(keys / "ours.crt"))
    yield "an older TLS", old, "tls.failed"


def test_strangers_are_turned_away_and_that_is_on_record(keys, gate):
    for name, context, why in strangers(keys):
        gate.turned_away.clear()
        assert said(gate.address, context) == b"", name
        assert gate.reasons() == [why], name


def test_strangers_who_hold_the_line_keep_no_node_out(keys, gate, monkeypatch):
    monkeypatch.setattr("fl_plugin.flower.forwarding.MOST_STRANGERS", 3)
    at = (gate.address.host, gate.address.port)
    held = [socket.create_connection(at) for _ in range(8)]  # none says a word
    hung_up = []
    for connection in held:
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            hung_up.append(connection.recv(1))
    assert len(hung_up) == 8 - 3
    for connection in held:
        connection.close()
    until = time.monotonic() + 10
    while len(gate.turned_away) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert said(gate.address, greeting(keys, "ash")) == b"hello"


def test_plain_text_is_turned_away(gate):
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(200)):
        gate.turned_away.clear()
        with socket.create_connection((gate.address.host, gate.address.port)) as plain:
            plain.sendall(data)
            plain.settimeout(10)
            with suppress(ConnectionResetError):
                assert b"hello" not in plain.recv(1_000)
        assert gate.reasons() in (["tls.missing"], ["tls.failed"])


def made_long_ago(keys, name, days):
    class Earlier(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) - datetime.timedelta(days=days)

    with patch("fl_plugin.flower.certificates.datetime", Earlier):
        make_node(keys / f"{name}.crt", name)


def test_a_certificate_that_has_ended_is_turned_away(keys):
    made_long_ago(keys, "cedar", 1_000)
    with pytest.raises(UsageError, match="has ended"):
        domain_of(load_certificate(keys / "cedar.crt"))
    with echo() as behind:
        gate = Gate(keys, behind, ["ash", "cedar"])
        assert said(gate.address, greeting(keys, "cedar")) == b""
        assert gate.reasons() == ["certificate.ended"]
        gate.forwarder.close()


def test_a_node_trusts_no_other_superlink(keys, gate):
    assert said(gate.address, greeting(keys, "ash", authority="theirs")) == b""


def test_the_servers_certificate_is_made_again_for_another_host(keys, tmp_path):
    server = tmp_path / "server.crt"
    make_server(server, keys / "ours.crt", (LOOPBACK,))
    first = server.read_bytes()
    make_server(server, keys / "ours.crt", (LOOPBACK,))
    assert server.read_bytes() == first
    make_server(server, keys / "ours.crt", ("mesh.bank.example",))
    assert server.read_bytes() != first
    assert server.with_suffix(".key").stat().st_mode & 0o077 == 0


def test_a_node_is_admitted_for_its_own_domain_alone(keys, tmp_path):
    place = LinkPlace(tmp_path)
    admit(place, "ash", keys / "ash.crt")
    assert list(admitted(place)) == ["ash"]
    with pytest.raises(UsageError, match="not the certificate of a node of birch"):
        admit(place, "birch", keys / "ash.crt")
    with pytest.raises(StorageError, match="no certificate"):
        admit(place, "birch", keys / "ash.key")
    with pytest.raises(UsageError, match="not the certificate"):
        admit(place, "birch", keys / "ours_server.crt")
    dismiss(place, "ash")
    assert list(admitted(place)) == []
    with pytest.raises(UsageError, match="No node is admitted for ash"):
        dismiss(place, "ash")


def test_two_domains_have_no_key_in_common(keys, tmp_path):
    place = LinkPlace(tmp_path)
    admit(place, "ash", keys / "ash.crt")
    with (
        patch("fl_plugin.flower.admission.domain_of", return_value="birch"),
        pytest.raises(UsageError, match="The node of ash has the same key"),
    ):
        admit(place, "birch", keys / "ash.crt")
