"""A real HTTP server on this machine that behaves as badly as it is told to."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass
class Receiver:
    """What came in, and what is done about it: one behaviour a request, then 204."""

    server: ThreadingHTTPServer
    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/mesh"

    @property
    def ids(self) -> list[str]:
        return [r["headers"]["Idempotency-Key"] for r in self.requests]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = {
            "method": self.command,
            "path": self.path,
            "headers": self.headers,
            "body": body,
        }
        mine = self.receiver
        mine.requests.append(told)
        number = len(mine.requests) - 1
        behave = mine.behaviours[number] if number < len(mine.behaviours) else says(204)
        with contextlib.suppress(OSError):
            behave(self)
        self.close_connection = True


def says(status: int, **headers: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


def stalls(handler: Handler) -> None:
    handler.receiver.stop.wait(30)


def drops(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def drips(handler: Handler) -> None:
    """One letter at a time, each well inside a timeout that begins anew."""
    for letter in b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 1000:
        if handler.receiver.stop.is_set():
            return
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        time.sleep(0.05)


def babbles(handler: Handler) -> None:
    handler.wfile.write(b"this is no HTTP\r\n" * 1000)


def floods(handler: Handler) -> None:
    """A good answer with a body that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not handler.receiver.stop.is_set():
        handler.wfile.write(b"x" * 65536)


def floods_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        handler.wfile.write(b"X-%d: y\r\n" % number)


@contextlib.contextmanager
def listening() -> Iterator[Receiver]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {}))
    server.daemon_threads = True
    receiver = Receiver(server)
    server.RequestHandlerClass.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stop.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
