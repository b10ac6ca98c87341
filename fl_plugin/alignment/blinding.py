"""Multiplying points by a secret number, and what is checked of points from others.

X25519 (RFC 7748) multiplies by a multiple of eight, so nothing of small order is left
of a point, and the twist is as strong as the curve: a point made to draw out the secret
gets nothing. Multiplications by different parties' secrets commute.
"""

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from fl_plugin.alignment.curve import POINT_BYTES, Points
from fl_plugin.alignment.terms import refused
from fl_plugin.privacy.derivation import KEY_BYTES
from fl_plugin.privacy.randomness import RandomBytes

Indices = npt.NDArray[np.int64]

# The bytes of the prime, little-endian: ed ff ... ff 7f.
_PRIME_FIRST, _PRIME_INNER, _PRIME_LAST = 0xED, 0xFF, 0x7F


class Blinder:
    """One secret number, made afresh; it is never shown or sent.

    Args:
        source: Where it is drawn from (`privacy.randomness`).
    """

    def __init__(self, source: RandomBytes = os.urandom) -> None:
        self._secret = X25519PrivateKey.from_private_bytes(source(KEY_BYTES))

    def blind(self, points: Points) -> Points:
        """Return every point times the secret number.

        Raises:
            MessageError: A point has small order.
        """
        read, exchange = X25519PublicKey.from_public_bytes, self._secret.exchange
        raw = points.tobytes()
        starts = range(0, len(raw), POINT_BYTES)
        try:
            # An all-zero result, from a point of small order, is an error there.
            blind = [exchange(read(raw[i : i + POINT_BYTES])) for i in starts]
        except ValueError:
            raise refused("a list holds a point of small order") from None
        return np.frombuffer(b"".join(blind), np.uint8).reshape(points.shape)


def checked_entries(array: Any, size: int) -> Points:
    """Return a list, or a part of one, that somebody sent.

    Raises:
        MessageError: It is not so many entries of 32 bytes.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise refused("a list is not made of bytes")
    if array.shape != (size, POINT_BYTES):
        raise refused("a list is cut, or longer than it was said to be")
    return array


def checked_points(array: Any, size: int) -> Points:
    """Return entries that are points.

    Raises:
        MessageError: As of `checked_entries`; or an entry is a second spelling of a
            point (not below the prime), under which it could stand in a list twice.
    """
    points = checked_entries(array, size)
    last = points[:, -1]
    inner = (points[:, 1:-1] == _PRIME_INNER).all(axis=1)
    at_prime = (points[:, 0] >= _PRIME_FIRST) & inner
    if ((last > _PRIME_LAST) | ((last == _PRIME_LAST) & at_prime)).any():
        raise refused("a list holds an entry that is no point")
    return points


def refuse_repeats(entries: Points) -> None:
    """Raise a `MessageError` where an entry stands in a list twice."""
    if np.unique(as_items(entries)).size != len(entries):
        raise refused("a list holds an entry twice")


def as_items(entries: Points) -> npt.NDArray[np.void]:
    """Return the entries of a list as items that can be sorted and compared: (n,)."""
    return np.ascontiguousarray(entries).view(f"V{entries.shape[1]}").ravel()


def secret_order(size: int, source: RandomBytes = os.urandom) -> Indices:
    """Return a random order of `size` entries.

    Equal draws, in one of 10^8 orders of 100,000 entries, keep their places.
    """
    draws = np.frombuffer(source(8 * size), dtype=np.uint64)
    return np.argsort(draws, kind="stable").astype(np.int64)
