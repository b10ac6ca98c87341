"""The coordinator's half of a search: which cells to ask about, and what was found.

Order statistics by a 32-way search with summed counts; all features and all ranks
share each round. A cell with fewer than k rows is not looked into, so what is found
is then a cell, and its value that cell's border: off by fewer than k ranks.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Question
from fl_plugin.errors import TrainingError
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.keys import Keys, keys_of, values_of
from fl_plugin.preparation.search import SHIFTS, Cells, part_numbers, rounds_allowed
from fl_plugin.summand import Arrays, Floats

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of one numeric feature.

    Args:
        rows: Values that it has, filled ones included.
        ranks: Which order statistics, from 1 for the smallest.
        distinct: All distinct values too, if there are at most so many.
        fill: The value of the filled ones, which no party counts.
        filled: How many of them there are.
    """

    rows: int
    ranks: Counts
    distinct: int = 0
    fill: float = 0.0
    filled: int = 0


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """Cells in which the search for one feature ended, ascending.

    Args:
        lows: Smallest key of each cell.
        highs: Largest key of each; the same where the cell is one number.
        before: Values below each.
        rows: Values in each, filled ones included.
        own: Values in each, without them.
        complete: Whether every value lies in one of the cells.
    """

    lows: Keys
    highs: Keys
    before: Counts
    rows: Counts
    own: Counts
    complete: bool

    def at(self, ranks: Counts) -> Floats:
        """Return the order statistics with these ranks, or the border above them."""
        places = np.searchsorted(self.before, ranks, side="left") - 1
        return values_of(self.highs[places])


def search(
    schema: Schema, wanted: Sequence[Wanted], rows: int
) -> Generator[Question, Arrays, list[Leaves]]:
    """Ask until every rank is found; one entry of `wanted` per numeric feature."""
    hunts = [_Hunt(w, schema) for w in wanted]
    for level in range(rounds_allowed(schema)):
        open_cells = [hunt.cells() for hunt in hunts]
        if not any(len(cells) for cells in open_cells):
            break
        lengths = [len(cells) for cells in open_cells]
        cells = Cells(
            level,
            np.repeat(np.arange(len(hunts), dtype=np.int64), lengths),
            np.concatenate(open_cells),
        )
        sums = yield Question(arrays=cells.question(rows))
        borders = np.cumsum(lengths)[:-1]
        for hunt, counts in zip(hunts, np.split(sums["counts"], borders), strict=True):
            hunt.descend(level, counts)
    return [hunt.leaves() for hunt in hunts]


class _Hunt:
    """Where the search for one feature stands: open cells, and those it ended in."""

    def __init__(self, wanted: Wanted, schema: Schema) -> None:
        self._wanted = wanted
        self._most = rounds_allowed(schema)
        exact = schema.edges == "exact"
        self._enough = 1 if exact else max(schema.min_cohort, 1)
        self._fill = keys_of(np.array([wanted.fill]))
        self._complete = wanted.distinct > 0
        needed = self._complete or len(wanted.ranks) > 0
        own = wanted.rows - wanted.filled
        self._open = _Found.of([0], [0], [wanted.rows], [own]).only(slice(int(needed)))
        self._ended: list[Leaves] = []

    def cells(self) -> Counts:
        """Return the numbers of the cells to ask about."""
        return self._open.numbers.astype(np.int64)

    def descend(self, level: int, counts: Counts) -> None:
        """Take the counts of the open cells' parts; keep what is of interest.

        Raises:
            TrainingError: They are not those of the cells.
        """
        if not len(counts):
            return
        if (counts < 0).any() or (counts.sum(axis=1) != self._open.own).any():
            raise TrainingError(
                "A domain's rows changed during a search, or it counted wrongly.",
                remedy="Train again while no domain rebuilds its products.",
            )
        found = self._parts(level, counts)
        found = found.only(found.rows > 0)
        ended = sum(len(leaves.lows) for leaves in self._ended)
        self._complete &= ended + len(found.rows) <= self._wanted.distinct
        if not self._complete:
            ranks = self._wanted.ranks
            upto = np.searchsorted(ranks, found.before + found.rows, side="right")
            found = found.only(upto > np.searchsorted(ranks, found.before, "right"))
        ends = (found.own < self._enough) | (level == self._most - 1)
        self._ended.append(self._leaves(found.only(ends), level))
        self._open = found.only(~ends)

    def leaves(self) -> Leaves:
        """Return where the search ended."""
        order = np.argsort(np.concatenate([leaves.lows for leaves in self._ended]))
        names = ("lows", "highs", "before", "rows", "own")
        columns = {
            n: np.concatenate([getattr(leaves, n) for leaves in self._ended])[order]
            for n in names
        }
        return Leaves(**columns, complete=self._complete)

    def _parts(self, level: int, counts: Counts) -> "_Found":
        numbers = part_numbers(self._open.numbers, level)
        here = numbers == self._fill >> np.uint64(SHIFTS[level])
        rows = counts + self._wanted.filled * here
        before = self._open.before[:, None] + np.cumsum(rows, axis=1) - rows
        return _Found(numbers.ravel(), before.ravel(), rows.ravel(), counts.ravel())

    def _leaves(self, found: "_Found", level: int) -> Leaves:
        shift = np.uint64(SHIFTS[level])
        lows = found.numbers << shift
        highs = lows + ((np.uint64(1) << shift) - np.uint64(1))
        only_filled = found.own == 0  # then its one value is known
        return Leaves(
            lows=np.where(only_filled, self._fill, lows),
            highs=np.where(only_filled, self._fill, highs),
            before=found.before,
            rows=found.rows,
            own=found.own,
            complete=self._complete,
        )


@dataclass(frozen=True)
class _Found:
    """Cells of one round: their numbers, values before and in them, own ones."""

    numbers: Keys
    before: Counts
    rows: Counts
    own: Counts

    @classmethod
    def of(cls, *columns: Sequence[int]) -> "_Found":
        first, *others = columns
        counts = (np.array(column, dtype=np.int64) for column in others)
        return cls(np.array(first, dtype=np.uint64), *counts)

    def only(self, which: Any) -> "_Found":
        return _Found(
            self.numbers[which], self.before[which], self.rows[which], self.own[which]
        )
