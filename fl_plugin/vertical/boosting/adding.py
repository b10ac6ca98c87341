"""A feature party's bins, to add encrypted words up by bin.

All is one sparse matrix times the words: a row of it has a 1 for every row of the data
that is in the bin, and over the words that encrypt no rows the party's own small
polynomial, which hides the hint (`lattice.py`).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from fl_plugin.algorithms.boosting.compiled import MISSING_BIN
from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Array
from fl_plugin.vertical.boosting.draws import flood
from fl_plugin.vertical.boosting.parameters import DEGREE, WEIGHT


def dense(column: Array, bins: int) -> Array:
    """Return a column's bins with missing ones right behind those that hold values."""
    return np.where(column == MISSING_BIN, bins, column).astype(np.uint16)


def counted(x: Array, bins: Array) -> Array:
    """Return the rows of every column's bins, missing ones last: (sums,) int64."""
    return np.concatenate(
        [
            np.bincount(dense(column, k), minlength=k + 1)
            for column, k in zip(x, bins.tolist(), strict=True)
        ]
    ).astype(np.int64)


@dataclass(frozen=True)
class Adder:
    """Adds words up.

    Args:
        matrix: (sums, rows + DEGREE), of words.
    """

    matrix: Any

    @classmethod
    def of(cls, x: Array, bins: Array, own: Array) -> "Adder":
        """Return an adder.

        Args:
            x: (columns, rows) uint8, missing ones `MISSING_BIN`.
            bins: Of each column, those that hold values.
            own: Places of the small polynomials that hide the hints, (sums, WEIGHT).
        """
        begins = np.cumsum([0, *(bins + 1).tolist()])
        pairs = zip(x, bins.tolist(), begins[:-1].tolist(), strict=True)
        inside = np.stack([dense(c, k) + np.int32(at) for c, k, at in pairs], axis=1)
        # Sorted by place: an answer's words are read in the order in which they came.
        order = np.argsort(own, axis=None, kind="stable")
        sums, which = np.divmod(order, WEIGHT)
        ends = np.bincount(own.reshape(-1), minlength=DEGREE).cumsum()
        rows, columns = inside.shape
        signs = np.where(which < WEIGHT // 2, 1, -1).astype(np.int64)
        parts: Sequence[Array] = (inside.reshape(-1), sums.astype(np.int32))
        starts = np.arange(rows + 1, dtype=np.int64) * columns
        matrix = csc_array(
            (
                np.concatenate(
                    [np.ones(inside.size, np.uint64), signs.view(np.uint64)]
                ),
                np.concatenate(parts),
                np.concatenate([starts, starts[-1] + ends]),
            ),
            shape=(int(begins[-1]), rows + DEGREE),
        )
        return cls(matrix)

    def add(self, words: Array, source: RandomBytes = os.urandom) -> Array:
        """Return the sums over all columns' bins: (sums, words) words.

        Args:
            words: (rows + DEGREE, words), as encrypted.
            source: Where the flood is drawn from.
        """
        found = np.asarray(self.matrix @ words)
        return np.asarray(found + flood(*found.shape, source=source))
