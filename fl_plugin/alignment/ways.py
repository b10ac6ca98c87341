"""What a domain makes of its keys: blinded points, or tags under the shared salt.

Blinded: a key's hash is a point, and every domain multiplies it by a secret of its own
(Meadows 1986; Huberman, Franklin and Hogg 1999). Only all of them together could test a
guess. By keyed hash: HMAC-SHA-256 under the salt; whoever has the salt and sees the
tags can test any guess.
"""

import hmac
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from fl_plugin.alignment.blinding import Blinder, checked_points
from fl_plugin.alignment.curve import POINT_BYTES, Points, points
from fl_plugin.alignment.terms import BLINDED, MatchingTerms
from fl_plugin.privacy.randomness import RandomBytes

_HASH_BYTES = 64


class Way(ABC):
    """What one domain does with entries of lists in one matching."""

    @abstractmethod
    def filling(self, count: int) -> list[bytes]:
        """Return stand-ins for keys: entries made of them match nothing."""

    @abstractmethod
    def hashes(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return what entries are made of; it never leaves the domain."""

    @abstractmethod
    def entries(self, hashes: Sequence[bytes]) -> Points:
        """Return entries of the own list: (hashes, 32) uint8."""

    @abstractmethod
    def again(self, entries: Points) -> Points:
        """Return another domain's entries as they travel on.

        Raises:
            MessageError: They are not what the other should have sent.
        """


class Blinding(Way):
    """Points times this domain's secret number."""

    def __init__(
        self, terms: MatchingTerms, salt: bytes, source: RandomBytes = os.urandom
    ) -> None:
        self._key = terms.secret("points", salt)
        self._source = source
        self._blinder = Blinder(source)

    def filling(self, count: int) -> list[bytes]:
        """Return random hashes: their points are like all others."""
        return [self._source(_HASH_BYTES) for _ in range(count)]

    def hashes(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return HMAC-SHA-512 of every key, under run and salt."""
        return [hmac.digest(self._key, key, "sha512") for key in keys]

    def entries(self, hashes: Sequence[bytes]) -> Points:
        """Return the hashes' points, blinded."""
        return self._blinder.blind(points(hashes))

    def again(self, entries: Points) -> Points:
        """Return another's points, blinded once more."""
        return self._blinder.blind(checked_points(entries, len(entries)))


class Tags(Way):
    """Tags under the salt: nobody has to blind them, so lists pass no other domain."""

    def __init__(
        self, terms: MatchingTerms, salt: bytes, source: RandomBytes = os.urandom
    ) -> None:
        self._key = terms.secret("tags", salt)
        self._source = source

    def filling(self, count: int) -> list[bytes]:
        """Return random tags."""
        return [self._source(POINT_BYTES) for _ in range(count)]

    def hashes(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return HMAC-SHA-256 of every key, under run and salt."""
        return [hmac.digest(self._key, key, "sha256") for key in keys]

    def entries(self, hashes: Sequence[bytes]) -> Points:
        """Return the tags themselves."""
        raw = np.frombuffer(b"".join(hashes), dtype=np.uint8)
        return raw.reshape(-1, POINT_BYTES)

    def again(self, entries: Points) -> Points:
        """Return the tags as they are."""
        return entries


def way_of(terms: MatchingTerms, salt: bytes, source: RandomBytes) -> Way:
    """Return what the terms say; it draws from the source."""
    return (Blinding if terms.method == BLINDED else Tags)(terms, salt, source)
