"""A party's rows before preparation: numbers with gaps, and codes of categories.

They never leave the party. They are read block by block, since they may lie on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fl_plugin.summand import Floats

Codes = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

# Blocks of this many rows keep a column in a core's cache while it is looked at.
ROWS = 65_536


@dataclass(frozen=True)
class RawBlock:
    """Some rows, m of them.

    Args:
        numeric: (numeric features, m) float64, NaN where missing.
        codes: Per categorical feature, (m,): index into its categories, -1 where the
            value is missing or not among them.
        target: (m,): 0 or 1, the index of the class, or the number; zeros without one.
        hashes: (m,): equal for the same row key wherever the row lies.
    """

    numeric: Floats
    codes: tuple[Codes, ...]
    target: Floats
    hashes: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    def at(self, chosen: slice | Mask) -> "RawBlock":
        """Return the chosen rows: views of a slice, copies of a mask's."""
        return RawBlock(
            self.numeric[:, chosen],
            tuple(codes[chosen] for codes in self.codes),
            self.target[chosen],
            self.hashes[chosen] if len(self.hashes) else self.hashes,
        )


class RawRows(ABC):
    """One party's rows, in memory or on disk."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def blocks(
        self, size: int = ROWS, chosen: Mask | None = None
    ) -> Iterator[RawBlock]:
        """Yield rows in order, taken from at most `size` at a time.

        Args:
            size: Largest number of rows in a block.
            chosen: (rows,), which rows; None for all.
        """


@dataclass(frozen=True)
class RawMemory(RawRows):
    """Rows in memory."""

    everything: RawBlock

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.everything.rows

    def blocks(
        self, size: int = ROWS, chosen: Mask | None = None
    ) -> Iterator[RawBlock]:
        """Yield views of consecutive rows, or copies where some are left out."""
        for begin in range(0, self.rows, size):
            place = slice(begin, begin + size)
            block = self.everything.at(place)
            if chosen is None or chosen[place].all():
                yield block
            elif chosen[place].any():
                yield block.at(chosen[place])
