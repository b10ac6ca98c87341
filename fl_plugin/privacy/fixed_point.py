"""Floats as integers in Z_2^64, so that sums do not depend on order or number.

Float addition depends on the order of arrival; integer addition never does. A run
therefore gives the same bytes on every engine, and pairwise masks can cancel exactly.

Two encodings:

- `Grid`: one word a value, for sums with a public bound. The grid is the finest on
  which the total cannot overflow.
- `Limbs`: six words a value, for sums whose size is not known beforehand (moments).
  A float is split into six signed digits of 30 bits, each of which is summed alone.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

TOTAL_BITS = 61
LIMB_BITS = 30
LIMB_TOP = 62
LIMBS = 6
LIMB_RANGE = 2.0 ** (LIMB_TOP + LIMB_BITS)


@dataclass(frozen=True)
class Grid:
    """Multiples of 2^-exponent.

    Args:
        exponent: Bits after the binary point.
        bound: Largest absolute value that the total, and each party's part, can have.
    """

    exponent: int
    bound: float

    @classmethod
    def for_bound(cls, bound: float) -> "Grid":
        """Return the finest grid on which a total of at most `bound` fits 62 bits."""
        if not (math.isfinite(bound) and bound > 0):
            raise _overflow()
        return cls(TOTAL_BITS - math.ceil(math.log2(bound)), bound)

    @property
    def resolution(self) -> float:
        """The largest rounding error of one party's encoded value."""
        return math.ldexp(1.0, -self.exponent - 1)

    def encode(self, values: Floats) -> Words:
        """Return one word per value, two's complement; refuse what breaks the bound."""
        if not (np.abs(values) <= self.bound).all():  # also catches NaN
            raise _overflow()
        return np.rint(np.ldexp(values, self.exponent)).astype(np.int64).view(np.uint64)

    def decode(self, total: Words) -> Floats:
        """Return the summed values."""
        return np.ldexp(total.view(np.int64).astype(np.float64), -self.exponent)


def encode_limbs(values: Floats) -> Words:
    """Return (6, *shape) words that add without overflow for any number of parties.

    Exact for absolute values below 2^92, to a resolution of 2^-89.
    """
    if not (np.abs(values) < LIMB_RANGE).all():
        raise _overflow()
    rest = np.array(values, dtype=np.float64)
    limbs = np.empty((LIMBS, *rest.shape), dtype=np.int64)
    for i in range(LIMBS):
        exponent = LIMB_TOP - LIMB_BITS * i
        digit = np.rint(np.ldexp(rest, -exponent))
        limbs[i] = digit.astype(np.int64)
        # Exact: `digit` holds the leading bits of `rest`.
        rest = rest - np.ldexp(digit, exponent)
    return limbs.view(np.uint64)


def decode_limbs(total: Words) -> Floats:
    """Return the correctly rounded sums of what was encoded."""
    signed = total.view(np.int64).reshape(LIMBS, -1)
    result = np.empty(signed.shape[1])
    lowest = LIMB_TOP - LIMB_BITS * (LIMBS - 1)
    for j in range(signed.shape[1]):
        whole = 0  # Python's integers do not overflow
        for i in range(LIMBS):
            whole = (whole << LIMB_BITS) + int(signed[i, j])
        result[j] = _ratio(whole, -lowest)
    return result.reshape(total.shape[1:])


def _ratio(whole: int, bits: int) -> float:
    return whole / (1 << bits)  # true division of integers rounds correctly


def _overflow() -> TrainingError:
    return TrainingError(
        "A sum is outside the range that its public bound allows.",
        remedy="Check the product for infinite or absurdly large values: "
        "`bounds` in its contract and a test on the column would catch them.",
    )
