"""What the encryption draws: errors, secret polynomials, floods."""

import os

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Array
from fl_plugin.vertical.boosting.parameters import COINS, DEGREE, FLOOD_BITS, WEIGHT

_KEY = 32  # bytes


def expanded(key: bytes, size: int) -> bytes:
    """Return the first bytes of a key's stream (AES-256 in counter mode)."""
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(size))


def noise(*shape: int, source: RandomBytes = os.urandom) -> Array:
    """Return words of small errors: a centred binomial of 32 coins."""
    heads = np.bitwise_count(_drawn(int(np.prod(shape)), source)).astype(np.int64)
    heads -= COINS // 2
    return np.asarray(heads.view(np.uint64).reshape(shape))


def flood(*shape: int, source: RandomBytes = os.urandom) -> Array:
    """Return words of larger errors, uniform on 2^(FLOOD_BITS + 1) values."""
    drawn = _drawn(int(np.prod(shape)), source) >> np.uint32(COINS - 1 - FLOOD_BITS)
    centred = drawn.astype(np.int64) - (1 << FLOOD_BITS)
    return np.asarray(centred.view(np.uint64).reshape(shape))


def small(count: int, source: RandomBytes = os.urandom) -> Array:
    """Return secret polynomials by the places of their ones: (count, WEIGHT) int64.

    The first half are places of 1, the second of -1; all other coefficients are 0.
    """
    order = np.argsort(_drawn(count * DEGREE, source).reshape(count, DEGREE), axis=1)
    return np.asarray(order[:, :WEIGHT])


def _drawn(count: int, source: RandomBytes) -> Array:
    """Return uniform words of 32 bits, under a key of their own."""
    return np.frombuffer(expanded(source(_KEY), 4 * count), dtype=np.uint32)
