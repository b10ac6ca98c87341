"""Floats as integers in Z_2^64, so that sums do not depend on order or number.

Float addition depends on the order of arrival; integer addition never does. A run
therefore gives the same bytes on every engine, and pairwise masks can cancel exactly.

A sum with a public bound takes one word a value, on the finest grid on which the total
cannot overflow (`Summand.exponents`, `encoding`). A sum whose size is not known
beforehand takes six, here: a float is split into signed digits of 30 bits, each of
which is summed alone.
"""

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

LIMB_BITS = 30
LIMB_TOP = 62
LIMBS = 6
LIMB_RANGE = 2.0 ** (LIMB_TOP + LIMB_BITS)


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
