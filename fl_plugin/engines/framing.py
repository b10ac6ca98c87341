"""Frames over a stream: how messages travel between a coordinator and a node.

A frame is a 4-byte magic, the size of what follows (8 bytes, little-endian) and the
bytes. A connection begins with a greeting each way, in JSON. Sizes are checked before
anything is read; what is cut, late or of another version ends the connection.
"""

import json
import socket
import struct
import time
from typing import Any

from fl_plugin.errors import MessageError
from fl_plugin.messages import MAX_BYTES

MAGIC = b"FLN1"
READY = "ready"  # what a node prints once it listens
MAX_GREETING = 4_096
_HEAD = struct.Struct("<4sQ")
_PIECE = 2**20


class ConnectionLost(Exception):  # noqa: N818 no error of the user's: it is tried again
    """The other side is gone, or did not answer in time."""


def send(connection: socket.socket, data: bytes, *, until: float | None = None) -> None:
    """Send one frame.

    Args:
        connection: An open one.
        data: What to send.
        until: `time.monotonic()` at which to give up; None for never.

    Raises:
        ConnectionLost: It could not be sent.
    """
    try:
        connection.settimeout(_left(until))
        connection.sendall(_HEAD.pack(MAGIC, len(data)))
        view = memoryview(data)
        while view:
            connection.settimeout(_left(until))
            view = view[connection.send(view[:_PIECE]) :]
    except OSError:
        raise ConnectionLost from None


def receive(
    connection: socket.socket, *, most: int = MAX_BYTES, until: float | None = None
) -> bytes:
    """Return the next frame's bytes.

    Raises:
        ConnectionLost: The other side is gone, or too late.
        MessageError: What came is no frame of this version, or too large.
    """
    magic, size = _HEAD.unpack(_exactly(connection, _HEAD.size, until))
    if magic != MAGIC or size > most:
        raise MessageError(
            "A node and a coordinator do not speak the same language.",
            remedy="Check the address, and that both run the same version of "
            "fl_plugin.",
        )
    return _exactly(connection, size, until)


def greet(connection: socket.socket, words: dict[str, Any], until: float) -> None:
    """Send a greeting, or the answer to one."""
    send(connection, json.dumps(words, sort_keys=True).encode(), until=until)


def greeting(connection: socket.socket, until: float) -> dict[str, Any]:
    """Return what the other side greets with.

    Raises:
        ConnectionLost: It is gone, or too late.
        MessageError: It is no greeting.
    """
    data = receive(connection, most=MAX_GREETING, until=until)
    try:
        words = json.loads(data)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, dict):
        raise MessageError(
            "A connection did not begin with a greeting.",
            remedy="Check the address of the node.",
        )
    return words


def _exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    parts: list[bytes] = []
    left = size
    try:
        while left:
            connection.settimeout(_left(until))
            part = connection.recv(min(left, _PIECE))
            if not part:
                raise ConnectionLost
            parts.append(part)
            left -= len(part)
    except OSError:
        raise ConnectionLost from None
    return b"".join(parts)


def _left(until: float | None) -> float | None:
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
