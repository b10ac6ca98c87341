"""Shamir's secret sharing: a secret in n pieces, of which any t give it back.

The secret is the value at 0 of a random polynomial of degree t - 1 over a prime field;
a share is its value at another point. Fewer than t shares fit every secret equally
well. Shamir (1979), "How to share a secret".
"""

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

from fl_plugin.errors import MessageError
from fl_plugin.privacy.randomness import RandomBytes, below

# The smallest prime above 2^256, so that every 32-byte secret is an element.
PRIME = 2**256 + 297
SECRET_BYTES = 32
SHARE_BYTES = 33


def split(
    secret: bytes,
    threshold: int,
    points: Iterable[int],
    source: RandomBytes = os.urandom,
) -> dict[int, bytes]:
    """Return one share of a 32-byte secret for each point.

    Args:
        secret: 32 bytes.
        threshold: How many shares give the secret back.
        points: Different positive numbers, one for each holder.
        source: Where the polynomial is drawn from.

    Raises:
        ValueError: A size is wrong, or two points are the same: a programming error.
    """
    places = list(points)
    if len(secret) != SECRET_BYTES or not 1 <= threshold <= len(places):
        raise ValueError
    if len(set(places)) < len(places) or not all(0 < p < PRIME for p in places):
        raise ValueError
    random = (below(PRIME, source) for _ in range(threshold - 1))
    polynomial = [*random, int.from_bytes(secret)]  # highest power first
    return {p: _at(polynomial, p).to_bytes(SHARE_BYTES) for p in places}


def join(shares: Mapping[int, bytes]) -> bytes:
    """Return the secret that shares by point give; all of them count.

    Raises:
        MessageError: They are no shares of one 32-byte secret.
    """
    secret = 0
    for weight, share in zip(_weights(tuple(shares)), shares.values(), strict=True):
        value = int.from_bytes(share)
        if len(share) != SHARE_BYTES or value >= PRIME:
            raise _unfit()
        secret = (secret + weight * value) % PRIME
    if secret >> (8 * SECRET_BYTES):
        raise _unfit()
    return secret.to_bytes(SECRET_BYTES)


def _at(polynomial: Iterable[int], point: int) -> int:
    value = 0
    for coefficient in polynomial:  # Horner's scheme
        value = (value * point + coefficient) % PRIME
    return value


@lru_cache(maxsize=64)  # the same holders answer for every secret of a round
def _weights(points: tuple[int, ...]) -> tuple[int, ...]:
    """Return Lagrange's weights: the secret is the weighted sum of the shares."""
    weights = []
    for point in points:
        above = below = 1
        for other in points:
            if other != point:
                above = above * other % PRIME
                below = below * (other - point) % PRIME
        weights.append(above * pow(below, -1, PRIME) % PRIME)
    return tuple(weights)


def _unfit() -> MessageError:
    return MessageError(
        "Shares of a key do not fit together.",
        remedy="A party sent a wrong share: look at the nodes' versions, run again.",
    )
