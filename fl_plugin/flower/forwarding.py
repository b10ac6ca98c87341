"""Bytes carried between two addresses, over mutual TLS on the way between machines.

Flower's own port lets in whoever reaches it: it knows nodes by their keys, but anybody
may submit an app, stop a run or add a node. So the SuperLink listens on its own machine
alone, and a gate in front of it lets in who shows a certificate that was admitted. Each
node has the other end, a tunnel.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fl_plugin.errors import StorageError

HANDSHAKE_SECONDS = 10.0
MOST_CONNECTIONS = 512
MOST_STRANGERS = 64  # whose certificate is not seen yet: they take no node's place
_PIECE = 2**16
_AGAIN_SECONDS = 0.5
_TURNS = 5
Refused = Callable[[str, str], None]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Way:
    """From where to where.

    Args:
        listens: The address; port 0 for any that is free.
        inside: How to greet who comes: a context with the certificates that are let
            in, made anew for each; None for plain bytes on this machine.
        outside: How to greet where it leads to; None for plain bytes.
        patience: How many seconds to wait for where it leads to, while that is gone.
        refused: Told the peer's address and why it was not let in.
    """

    listens: Address
    leads_to: Address
    inside: Callable[[], ssl.SSLContext] | None = None
    outside: ssl.SSLContext | None = None
    patience: float = 0.0
    refused: Refused | None = None


class Forwarder:
    """Carries bytes along a way, on a thread of its own, until it is closed.

    Raises:
        StorageError: The address is taken, or none of this machine's.
    """

    def __init__(self, way: Way) -> None:
        self._way = way
        self._listening = _listening(way.listens)
        self._open: set[asyncio.Task[None]] = set()
        self._strangers: set[asyncio.Task[None]] = set()
        self._writers: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listening.getsockname()[1])

    def cut(self) -> None:
        """End every connection: who may still come in connects again."""
        self._loop.call_soon_threadsafe(lambda: [t.cancel() for t in self._open])

    def close(self) -> None:
        """Listen no more, and end every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HANDSHAKE_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        accepting = self._loop.create_task(self._accept())
        with contextlib.suppress(RuntimeError):
            self._loop.run_forever()
        for task in (accepting, *self._open):
            task.cancel()
        self._loop.run_until_complete(self._ended(accepting, *self._open))
        self._loop.close()

    async def _ended(self, *tasks: asyncio.Task[None]) -> None:
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        for _ in range(_TURNS):  # of the loop, until what was aborted is closed
            await asyncio.sleep(0)

    async def _accept(self) -> None:
        while True:
            try:
                connection, peer = await self._loop.sock_accept(self._listening)
            except OSError:  # no handle is left: others will be given back
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            many = len(self._open) >= MOST_CONNECTIONS
            if many or len(self._strangers) >= MOST_STRANGERS:
                connection.close()
                continue
            task = self._loop.create_task(self._carry(connection, str(peer[0])))
            for kept in (self._open, self._strangers):
                kept.add(task)
                task.add_done_callback(kept.discard)

    async def _carry(self, connection: socket.socket, peer: str) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            near = await self._let_in(connection, peer)
            if near is None:
                connection.close()
                return
            try:
                await self._join(near)
            finally:
                near[1].close()

    async def _let_in(self, connection: socket.socket, peer: str) -> Streams | None:
        """Return the streams of who comes; None for one that is not let in."""
        words: dict[str, Any] = {}
        if self._way.inside is not None:
            words = {
                "ssl": self._way.inside(),
                "ssl_handshake_timeout": HANDSHAKE_SECONDS,
            }
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, connection, **words
            )
        except (OSError, ssl.SSLError) as error:
            if self._way.refused is not None:
                self._way.refused(peer, _why(error))
            return None
        finally:
            if (here := asyncio.current_task()) is not None:
                self._strangers.discard(here)
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        self._writers.add(writer)
        return reader, writer

    async def _join(self, near: Streams) -> None:
        far = await self._far()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(near[0], far[1]))
                both.create_task(_copy(far[0], near[1]))
        except ExceptionGroup:  # the other side is gone: so is this one
            pass
        finally:
            far[1].close()

    async def _far(self) -> Streams:
        """Return the streams of where it leads to.

        A SuperNode that is let in and then cut off ends for good; one that waits goes
        on when the SuperLink is there again.
        """
        to, until = self._way.leads_to, self._loop.time() + self._way.patience
        while True:
            try:
                far = await asyncio.open_connection(
                    to.host,
                    to.port,
                    ssl=self._way.outside,
                    server_hostname=to.host if self._way.outside else None,
                )
            except OSError:
                if self._loop.time() > until:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                self._writers.add(far[1])
                return far


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    while data := await source.read(_PIECE):
        to.write(data)
        await to.drain()
    raise ConnectionResetError  # ends the other direction too


def gate_context(
    certificate: str, key: str, admitted: tuple[str, ...]
) -> ssl.SSLContext:
    """Return how a gate greets: TLS 1.3, and only certificates that were admitted.

    Args:
        certificate: File of the SuperLink's certificate.
        key: File of its key.
        admitted: Certificates of the nodes, PEM.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.minimum_version = ssl.TLSVersion.TLSv1_3
    found.load_cert_chain(certificate, key)
    found.verify_mode = ssl.CERT_REQUIRED
    if admitted:
        found.load_verify_locations(cadata="\n".join(admitted))
    return found


def tunnel_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Return how a node greets the gate: with its own certificate, TLS 1.3.

    Args:
        certificate: File of the node's certificate.
        key: File of its key.
        authority: File of the mesh's authority, which alone is trusted.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.minimum_version = ssl.TLSVersion.TLSv1_3
    found.load_cert_chain(certificate, key)
    found.load_verify_locations(cafile=authority)
    return found


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address.host, address.port))
        found.listen()
    except OSError as error:
        found.close()
        raise StorageError(
            f"Nobody can listen on {address} ({error.strerror}).",
            remedy="Choose another address or port, or stop what listens there.",
        ) from None
    found.setblocking(False)  # noqa: FBT003 the socket's own word
    return found


def _why(error: Exception) -> str:
    """Return why a peer was not let in, in a word for the record."""
    reason = str(getattr(error, "reason", "") or "")
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        text = str(getattr(error, "verify_message", ""))
        return "certificate.ended" if "expired" in text else "certificate.unknown"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "certificate.missing"
    if reason in {"HTTP_REQUEST", "WRONG_VERSION_NUMBER", "HTTPS_PROXY_REQUEST"}:
        return "tls.missing"
    return "tls.failed"
