"""One array of a party's answer: its shape, its public bound and its width on the wire.

Both sides derive it from what was asked, before any row is touched. The party proves
its part against it before masks hide the part; the coordinator refuses an answer of
another shape. The bound holds for the total and for each party's part, so the sum over
all parties cannot overflow, whatever the rows are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Floats = npt.NDArray[np.float64]

WORD_BYTES = 8
# The sign, a bit for the rounding of every party's part, and one to spare.
_SPARE_BITS = 3
_SMALLEST_BOUND = 2.0**-900


@dataclass(frozen=True, kw_only=True)
class Summand:
    """What one array of an answer looks like.

    Args:
        shape: Of the array.
        bound: Largest absolute value that an entry of the total, and of each party's
            part, can have: one for all entries, or one for each entry of the first
            axis. None where nothing bounds it: then each value takes six words.
        integer: Whether the entries are whole numbers, which are sent as they are.
        width: Bytes of each entry on the wire, 1 to 8. Fewer make the grid coarser;
            for integers the bound must fit.
        least: Smallest value that an entry of the total, and of each part, can have;
            None: minus the bound. A sum of counts has no part below 0.
    """

    shape: tuple[int, ...]
    bound: float | Floats | None
    integer: bool = False
    width: int = WORD_BYTES
    least: float | None = None

    @classmethod
    def count(cls, shape: tuple[int, ...], most: int) -> "Summand":
        """Return that of counts of at most `most` rows, no wider than they need."""
        bits = math.ceil(math.log2(most + 2)) + 1  # and the sign
        return cls(
            shape=shape,
            bound=float(max(most, 1)),
            integer=True,
            width=max(1, math.ceil(bits / 8)),
            least=0.0,
        )

    @property
    def exponents(self) -> Array:
        """Bits after the binary point of the grid, () or one for each first entry.

        Raises:
            ValueError: Nothing finite and positive bounds the entries.
        """
        bound = np.asarray(self.bound, dtype=np.float64)
        if not (np.isfinite(bound).all() and (bound >= 0).all()):
            raise ValueError
        bits = 8 * self.width - _SPARE_BITS
        top = np.ceil(np.log2(np.maximum(bound, _SMALLEST_BOUND)))
        return np.asarray(bits - top, dtype=np.int64)

    @property
    def rounding(self) -> float:
        """The largest rounding error of one entry of one party's encoded part."""
        if self.integer:
            return 0.0
        if self.bound is None:
            return 2.0**-89
        return float(np.ldexp(0.5, -self.exponents).max(initial=0.0))


def native_type(width: int) -> np.dtype[Any]:
    """Return the smallest unsigned type of at least `width` bytes, little-endian."""
    return np.dtype(f"<u{1 << (width - 1).bit_length()}")
