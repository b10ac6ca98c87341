"""Numbers as integers of the same order, so that a search can halve their range.

The image of a float64: its bits, with the sign bit flipped, or all bits of a negative
one. A larger number has a larger image, and neighbours differ by one. An offset is
added so that the borders of a search's cells are not round numbers: no value that
people write down has these digits.
"""

import numpy as np
import numpy.typing as npt

from fl_plugin.summand import Floats

Keys = npt.NDArray[np.uint64]

_SIGN = np.uint64(1 << 63)
# The images leave 2^52 free at either end. The digits are the golden ratio's, which
# repeat nowhere, as those of thirds, fifths and tenths do.
OFFSET = np.uint64(0x9E3779B97F4A7C15 >> 13)


def keys_of(values: Floats) -> Keys:
    """Return the images; of -0.0 that of 0.0, since they are equal numbers."""
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    flip = (bits.view(np.int64) >> 63).view(np.uint64) | _SIGN
    return (bits ^ flip) + OFFSET


def values_of(keys: Keys) -> Floats:
    """Return the numbers that have these images."""
    keys = keys - OFFSET
    flip = np.where(keys >> np.uint64(63) == 0, ~np.uint64(0), _SIGN)
    return (keys ^ flip).view(np.float64)
