"""What a matching's messages are made of, and what domains seal for each other.

What one domain hands to another passes through the coordinator, sealed; each sealed
array says what it is, and is opened only as that.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fl_plugin.alignment.terms import refused

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Indices = npt.NDArray[np.int64]


class SealedChannel(Protocol):
    """What a domain uses to speak to another so that the coordinator cannot read it.

    As `fl_plugin.vertical.base.Channel`: every sealed message is for one peer and one
    direction; it cannot be opened twice, nor in another order.
    """

    def seal(self, peer: str, arrays: Arrays) -> Array:
        """Return the arrays encrypted for a peer: (bytes,) uint8."""

    def open(self, peer: str, sealed: Array) -> Arrays:
        """Return what a peer sealed, or raise a `MessageError`."""


@dataclass(frozen=True, kw_only=True)
class MatchingAsks:
    """What the coordinator says next.

    Args:
        to: Arrays by party; who is not named is not asked.
        progress: `step` of `steps`.
    """

    to: Mapping[str, Arrays]
    progress: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What the coordinator knows at the end.

    Args:
        rows: In all domains.
        sizes: Of each domain's list as it was sent, filled up.
        lost: Each domain's rows that are not among them, in words.
    """

    rows: int
    sizes: Mapping[str, int]
    lost: Mapping[str, str]


MatchingRounds = Generator[MatchingAsks, Mapping[str, Arrays], Matched]


def wrap(channel: SealedChannel, peer: str, about: list[int], value: Array) -> Array:
    """Return an array sealed for a peer.

    Args:
        channel: To the peer.
        peer: For whom.
        about: Numbers that tell this array from every other of the matching.
        value: The array.
    """
    told = np.array(about, dtype=np.int64)
    return channel.seal(peer, {"about": told, "value": value})


def unwrap(channel: SealedChannel, peer: str, about: list[int], sealed: Array) -> Array:
    """Return the array that a peer sealed.

    Raises:
        MessageError: It is not this peer's, or it is about something else.
    """
    arrays = channel.open(peer, sealed)
    if set(arrays) != {"about", "value"}:
        raise refused(f"{peer} sealed something else than was its turn")
    told = arrays["about"]
    if told.dtype != np.int64 or told.tolist() != about:
        raise refused(f"{peer} sealed something else than was its turn")
    return arrays["value"]


def only(arrays: Arrays, *names: str) -> list[Array]:
    """Return the arrays of a message by name.

    Raises:
        MessageError: There are others, or one is missing.
    """
    if set(arrays) != set(names):
        raise refused("a message is not the one that comes next")
    return [arrays[name] for name in names]


def checked_numbers(array: Any, size: int | None = None) -> Indices:
    """Return whole numbers, none negative: (size,), or as many as there are.

    Raises:
        MessageError: They are of another type or shape.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.int64:
        raise refused("a message holds no whole numbers where they belong")
    if array.ndim != 1 or (size is not None and array.size != size):
        raise refused("a message holds another number of numbers than belongs there")
    if (array < 0).any():
        raise refused("a message holds negative numbers")
    return array


def checked_positions(array: Any, size: int) -> Indices:
    """Return places in a list of `size` entries.

    Raises:
        MessageError: They do not ascend, or one is beyond the list.
    """
    places = checked_numbers(array)
    if (places >= size).any() or (np.diff(places) <= 0).any():
        raise refused("places in a list are beyond it, doubled or out of order")
    return places


def checked_bytes(array: Any, most: int) -> Array:
    """Return a sealed array.

    Raises:
        MessageError: It is no row of bytes, or longer than it could be.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise refused("a message holds nothing sealed where it belongs")
    if array.ndim != 1 or array.size > most:
        raise refused("something sealed is longer than it could be")
    return array
