"""One request, against a real server that does everything wrong."""

import socket
import ssl
import subprocess
import time
from http.client import HTTPResponse

import pytest

from fl_plugin.changes.posting import MAX_ANSWER, post
from fl_plugin.changes.subscribers import Target, target_of
from tests.unit.changes import receiver as servers


@pytest.fixture
def receiver():
    with servers.listening() as found:
        yield found


def send(receiver, seconds=5.0):
    return post(target_of(receiver.url), b"{}", {"X-A": "b"}, seconds=seconds)


def test_a_request_arrives_whole(receiver):
    answer = send(receiver)
    assert answer.delivered
    (request,) = receiver.requests
    assert (request["method"], request["path"]) == ("POST", "/mesh")
    assert (request["body"], request["headers"]["X-A"]) == (b"{}", "b")
    port = receiver.server.server_address[1]
    assert request["headers"]["Host"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_status_is_told(receiver, status):
    receiver.behaviours = [servers.says(status)]
    answer = send(receiver)
    assert (answer.status, answer.delivered) == (status, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    receiver.behaviours = [servers.says(status, Location=receiver.url)]
    assert send(receiver).status == status
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("behave", [servers.stalls, servers.drips])
def test_no_server_holds_a_request_longer_than_its_time(receiver, behave):
    receiver.behaviours = [behave]
    begun = time.monotonic()
    answer = send(receiver, seconds=0.5)
    assert answer.trouble == "no answer within 0.5 s"
    assert time.monotonic() - begun < 30


def test_a_body_without_end_is_not_read_to_the_end(receiver, monkeypatch):
    receiver.behaviours = [servers.floods]
    asked, read = [], HTTPResponse.read

    def counted(self, most=None):
        asked.append(most)
        return read(self, most)

    monkeypatch.setattr(HTTPResponse, "read", counted)
    begun = time.monotonic()
    assert send(receiver).delivered
    assert asked == [MAX_ANSWER]
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "behave", [servers.drops, servers.babbles, servers.floods_headers]
)
def test_what_is_no_answer_is_told_in_our_own_words(receiver, behave):
    receiver.behaviours = [behave]
    answer = send(receiver)
    assert answer.status is None
    assert answer.trouble == "the connection broke"


def test_a_body_that_stops_after_a_good_answer_is_an_answer(receiver):
    def short(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    receiver.behaviours = [short]
    assert send(receiver).delivered


def test_nobody_listening_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", free.getsockname()[1], "/", secure=False)
    assert post(target, b"", {}, seconds=2).trouble == "nobody listens there"


def test_no_proxy_is_asked(receiver, monkeypatch):
    with servers.listening() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(receiver).delivered
        assert proxy.requests == []


@pytest.mark.parametrize(
    ("address", "secure"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("0.0.0.0", True),  # noqa: S104 an address that is refused
        ("224.0.0.1", True),
        ("10.0.0.1", False),
        ("93.184.216.34", False),
    ],
)
def test_a_name_that_leads_where_it_must_not_is_not_called(
    monkeypatch, address, secure
):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    told = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: told)
    monkeypatch.setattr(
        socket, "socket", lambda *_: pytest.fail("a connection was made")
    )
    target = Target("localhost", 443, "/", secure=secure)
    assert "its name leads to" in post(target, b"", {}, seconds=1).trouble


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("999999999999", 86_400, 86_400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 86_400, 86_400),
    ],
)
def test_how_long_to_wait_is_read_and_capped(receiver, said, low, high):
    receiver.behaviours = [servers.says(503, Retry_After=said)]
    assert low <= send(receiver).pause <= high


@pytest.mark.parametrize("said", ["soon", "-1", "1e9", "NaN", "", "7 days"])
def test_what_says_no_time_is_no_pause(receiver, said):
    receiver.behaviours = [servers.says(503, Retry_After=said)]
    assert send(receiver).pause is None


def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(
    receiver, tmp_path, monkeypatch
):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = receiver.server
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    target = Target("localhost", server.server_address[1], "/", secure=True)
    answer = post(target, b"{}", {}, seconds=5)
    assert answer.trouble == "its certificate does not hold"
    assert receiver.requests == []
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    assert post(target, b"{}", {}, seconds=5).delivered
