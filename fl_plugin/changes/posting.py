"""One POST to one subscriber: no proxy, no redirect, a cap and a deadline on all of it.

The address is looked up once and that very address is connected to, so that a name
cannot point elsewhere between the check and the call.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse

from fl_plugin.changes.subscribers import Target

MAX_ANSWER = 64 * 1024
LONGEST_PAUSE = 86_400.0  # seconds that an answer may ask us to wait
_ADDRESSES = 4


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Args:
        status: HTTP's; None where there was no answer.
        trouble: Why there was none, without a word of what the other side said.
        pause: Seconds that it asks to wait.
    """

    status: int | None = None
    trouble: str = ""
    pause: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def words(self) -> str:
        """What happened, in a few words."""
        return self.trouble or f"answered {self.status}"


class _RefusedError(OSError):
    """An address that nothing is sent to."""


def post(
    target: Target, body: bytes, headers: Mapping[str, str], *, seconds: float
) -> Answer:
    """Send a body and return the answer; whatever goes wrong is one, too."""
    fired = threading.Event()
    try:
        with _connected(target, seconds, fired) as connection:
            return _exchange(connection, target, body, headers)
    except _RefusedError as error:
        return Answer(trouble=str(error))
    except (OSError, HTTPException, ValueError) as error:
        if fired.is_set() or isinstance(error, TimeoutError):
            return Answer(trouble=f"no answer within {seconds:g} s")
        return Answer(trouble=_trouble(error))


def _exchange(
    connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]
) -> Answer:
    connection.putrequest(
        "POST", target.path, skip_host=True, skip_accept_encoding=True
    )
    for name, value in (_fixed(target, body) | dict(headers)).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    with connection.getresponse() as response:
        answer = Answer(status=response.status, pause=_pause(response))
        with suppress(OSError, HTTPException, ValueError):
            response.read(MAX_ANSWER)  # politely; what it says does not matter
        return answer


def _fixed(target: Target, body: bytes) -> dict[str, str]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = target.port == (443 if target.secure else 80)
    return {
        "Host": host if usual else f"{host}:{target.port}",
        "Content-Length": str(len(body)),
        "Accept": "*/*",
        "Connection": "close",
    }


@contextmanager
def _connected(
    target: Target, seconds: float, fired: threading.Event
) -> Iterator[HTTPConnection]:
    """Connect, and cut the line when the time is over, whoever is talking then."""
    plain = _socket(target, seconds)
    line = plain.dup()  # TLS takes the first one over

    def cut() -> None:
        fired.set()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, cut)
    watch.daemon = True
    watch.start()
    connection = HTTPConnection(target.host, target.port)
    connection.auto_open = 0  # a line that drops is not taken up again
    try:
        connection.sock = _secured(plain, target) if target.secure else plain
        yield connection
    finally:
        watch.cancel()
        connection.close()
        plain.close()
        line.close()


def _secured(plain: socket.socket, target: Target) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _socket(target: Target, seconds: float) -> socket.socket:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    last: OSError = _RefusedError("its name leads nowhere")
    for family, kind, protocol, _, address in found[:_ADDRESSES]:
        _check(str(address[0]), target)
        line = socket.socket(family, kind, protocol)
        line.settimeout(seconds)
        try:
            line.connect(address)
        except OSError as error:
            line.close()
            last = error
        else:
            return line
    raise last


def _check(address: str, target: Target) -> None:
    """Refuse what no subscriber is: a cloud's metadata service is link-local."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        raise _RefusedError("its name leads to an address that nothing is sent to")
    if not target.secure and not found.is_loopback:
        raise _RefusedError("its name leads to another machine, and it is not https")


def _trouble(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate does not hold"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return "the connection broke"


def _pause(response: HTTPResponse) -> float | None:
    """Return what Retry-After asks for: seconds, or a date."""
    said = (response.getheader("Retry-After") or "").strip()
    if said.isascii() and said.isdecimal():
        return min(float(said[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    left = (known - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), LONGEST_PAUSE)
