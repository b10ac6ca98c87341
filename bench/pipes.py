"""A pipe between two processes on which arrays cross as they lie in memory.

`multiprocessing` copies an array four times on its way, which took ten times the CPU
seconds of this. Unix only: there a pipe of two ways is a pair of sockets.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any

import numpy as np


class ArrayPipe:
    """One end.

    Args:
        connection: Of `multiprocessing.Pipe()`, two-way.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))

    def send(self, verb: str, body: Any = None) -> None:
        """Send a word and what belongs to it; the arrays of a mapping go apart."""
        arrays = body if _all_arrays(body) else {}
        flat = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        shapes = {name: (a.dtype.str, a.shape) for name, a in flat.items()}
        self._connection.send((verb, shapes or None, None if shapes else body))
        for array in flat.values():
            if array.size:
                self._socket.sendall(array.data.cast("B"))

    def receive(self) -> tuple[str, Any]:
        """Return what the other end has sent."""
        verb, shapes, body = self._connection.recv()
        if shapes is None:
            return verb, body
        return verb, {name: self._array(*shape) for name, shape in shapes.items()}

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
        self._connection.close()

    def _array(self, kind: str, shape: tuple[int, ...]) -> Any:
        array = np.empty(shape, dtype=kind)
        if not array.size:
            return array
        room = array.data.cast("B")
        while len(room):
            count = self._socket.recv_into(room)
            if not count:
                raise EOFError
            room = room[count:]
        return array


def _all_arrays(body: Any) -> bool:
    return (
        isinstance(body, Mapping)
        and len(body) > 0
        and all(isinstance(value, np.ndarray) for value in body.values())
    )
