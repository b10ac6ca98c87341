"""Keys as points of Curve25519: Elligator 2 (RFC 9380, section 6.7.1).

X25519 takes any 32 bytes, but half of them are points of the curve's twist, and which
of the two a point is on survives all blinding: it would tell one bit of the hash of
every key. Elligator 2 maps a uniform number to a point on the curve itself, with one
Legendre symbol a key; to try numbers until one fits takes two on average, and how long
it takes depends on the key.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

PRIME = 2**255 - 19
POINT_BYTES = 32
_A = 486_662  # v^2 = u^3 + A u^2 + u

Points = npt.NDArray[np.uint8]


def points(hashes: Sequence[bytes]) -> Points:
    """Return the u coordinates of the points that hashes stand for.

    Args:
        hashes: 64 bytes each: taken modulo the prime, their bias is below 2^-250.

    Returns:
        (hashes, 32) little-endian, as X25519 takes them.
    """
    numbers = [int.from_bytes(h, "little") % PRIME for h in hashes]
    # 1 + 2 r^2 is never 0, since -1/2 is no square.
    inverses = _inverses([(1 + 2 * r * r) % PRIME for r in numbers])
    raw = b"".join(_point(i).to_bytes(POINT_BYTES, "little") for i in inverses)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, POINT_BYTES)


def is_on_curve(u: int) -> bool:
    """Return whether u is a coordinate on the curve, not only on its twist."""
    return _is_square((u * u + _A * u + 1) * u % PRIME)


def _point(inverse: int) -> int:
    first = -_A * inverse % PRIME
    return first if is_on_curve(first) else (-first - _A) % PRIME


def _inverses(numbers: Sequence[int]) -> list[int]:
    """Return 1/x modulo the prime for every x, none of them 0, by one inversion."""
    products = [1]
    for number in numbers:
        products.append(products[-1] * number % PRIME)
    rest = pow(products.pop(), -1, PRIME)
    found = []
    for number, product in zip(reversed(numbers), reversed(products), strict=True):
        found.append(rest * product % PRIME)
        rest = rest * number % PRIME
    return found[::-1]


def _is_square(number: int) -> bool:
    """Return whether a number modulo the prime is a square: its Jacobi symbol.

    By quadratic reciprocity: a fifth of the time of Euler's power.
    """
    modulus, square = PRIME, True
    while number:
        twos = (number & -number).bit_length() - 1
        number >>= twos
        if twos & 1 and modulus & 7 in (3, 5):
            square = not square
        if number & modulus & 2:
            square = not square
        number, modulus = modulus % number, number
    return square
