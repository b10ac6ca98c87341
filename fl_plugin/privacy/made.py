"""What a library makes by draws of its own, which takes no seed: made once, then kept.

A party that takes a run up again must not let it draw again. So what came of the draws
is kept with the message that they were for, and given back when its work is redone.
"""

import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fl_plugin.errors import MessageError

_COUNT = struct.Struct("<Q")
Pieces = tuple[bytes, ...]


class Made:
    """What was made in the work on one message, in its order."""

    def __init__(self) -> None:
        self._new: list[Pieces] = []
        self._known: deque[Pieces] | None = None

    def once(self, make: Callable[[], Pieces]) -> Pieces:
        """Return what is made, or what was made when this was first done.

        Raises:
            MessageError: The work is not the same as then.
        """
        if self._known is None:
            self._new.append(make())
            return self._new[-1]
        if not self._known:
            raise _differs()
        return self._known.popleft()

    def take(self) -> bytes:
        """Return all that was made since this was last asked; empty for nothing."""
        found, self._new = self._new, []
        return _packed([_packed(pieces) for pieces in found]) if found else b""

    @contextmanager
    def recalling(self, taken: bytes) -> Iterator[None]:
        """Give back what `take` returned, while the work is done once more.

        Raises:
            MessageError: The work is not the same as then.
        """
        self._known = deque(map(_pieces, _pieces(taken))) if taken else deque()
        try:
            yield
            if self._known:
                raise _differs()
        finally:
            self._known = None


def _packed(pieces: list[bytes] | Pieces) -> bytes:
    sizes = [_COUNT.pack(len(piece)) for piece in pieces]
    return b"".join([_COUNT.pack(len(pieces)), *sizes, *pieces])


def _pieces(data: bytes) -> Pieces:
    (count,) = _COUNT.unpack_from(data)
    at = _COUNT.size * (1 + count)
    found = []
    for place in range(count):
        (size,) = _COUNT.unpack_from(data, _COUNT.size * (1 + place))
        found.append(data[at : at + size])
        at += size
    return tuple(found)


def _differs() -> MessageError:
    return MessageError(
        "A run that is taken up again does not do what it did before.",
        remedy="Start the run again: fl train",
    )
