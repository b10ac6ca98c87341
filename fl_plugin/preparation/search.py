"""What the rounds of a search for order statistics ask and answer.

The images of all float64 numbers are cut into 32 cells, a cell that is of interest
into 32 again, and so on: after 13 rounds a cell is one number. A round asks, for some
cells of each feature, how many rows lie in each of their parts. Cells have fixed
borders, so an asker can choose how deep to look but not where; and without the right
to exact edges nobody may look deeper than seven rounds, 2^-23 of a number's size.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.preparation.checking import malformed, whole, wholes
from fl_plugin.preparation.counting import MOST_ROWS
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.keys import Keys
from fl_plugin.summand import Arrays, Floats, Summand

Counts = npt.NDArray[np.int64]

# Bits of a key below each round's parts.
SHIFTS = (59, 54, 49, 44, 39, 34, 29, 24, 19, 14, 9, 4, 0)
ANONYMOUS_ROUNDS = 7
MOST_CELLS = 1_024  # of one feature in one round
PARTS = 32


def rounds_allowed(schema: Schema) -> int:
    """Return how deep a search may look."""
    return len(SHIFTS) if schema.edges == "exact" else ANONYMOUS_ROUNDS


def parts(level: int) -> int:
    """Return into how many parts that round cuts a cell."""
    above = SHIFTS[level - 1] if level else 64
    return 1 << (above - SHIFTS[level])


@dataclass(frozen=True)
class Cells:
    """The cells of one round.

    Args:
        level: The round, from 0.
        features: (c,), which numeric feature each cell is of, ascending.
        numbers: (c,), the cell's number among the equal cells of its round, ascending
            within a feature.
    """

    level: int
    features: Counts
    numbers: Counts

    def question(self, rows: int) -> dict[str, Counts]:
        """Return the question about them."""
        return {
            "level": np.array([self.level], dtype=np.int64),
            "features": self.features,
            "cells": self.numbers,
            "most": np.array([rows], dtype=np.int64),
        }

    def of(self, feature: int) -> slice:
        """Return where the cells of a feature stand."""
        begin, end = np.searchsorted(self.features, [feature, feature + 1])
        return slice(int(begin), int(end))

    def inside(self, asked: "Cells") -> bool:
        """Whether each is a part of a cell of the round before."""
        bits = SHIFTS[asked.level - 1] - SHIFTS[asked.level] if asked.level else 5
        parents = set(zip(asked.features.tolist(), asked.numbers.tolist(), strict=True))
        mine = zip(self.features.tolist(), (self.numbers >> bits).tolist(), strict=True)
        return all(pair in parents for pair in mine)


def read_cells(question: Arrays, schema: Schema) -> Cells:
    """Return the cells that a question asks about; an opponent may have written it.

    Raises:
        MessageError: They are misshapen, too many, or finer than is allowed.
    """
    level = whole(question, "level", rounds_allowed(schema) - 1)
    above = SHIFTS[level - 1] if level else 64
    features = wholes(question, "features", (-1,), len(schema.numbers) - 1)
    numbers = wholes(question, "cells", (-1,), (1 << (64 - above)) - 1)
    if len(features) != len(numbers) or not len(features):
        raise malformed("cells")
    steps, along = np.diff(features), np.diff(numbers)
    if not ((steps > 0) | ((steps == 0) & (along > 0))).all():
        raise malformed("cells")
    if np.bincount(features).max() > MOST_CELLS:
        raise malformed("cells")
    return Cells(level, features, numbers)


def search_answers(question: Arrays, schema: Schema) -> dict[str, Summand]:
    """Return what an answer of a search's round looks like.

    Raises:
        MessageError: The question is not one that a search asks.
    """
    cells = read_cells(question, schema)
    shape = (len(cells.numbers), parts(cells.level))
    most = whole(question, "most", MOST_ROWS)
    return {"counts": Summand.count(shape, most)}


def count_cells(keys: Keys, level: int, numbers: Counts) -> Counts:
    """Return how many sorted keys lie in each part of each cell, (cells, parts)."""
    shift = np.uint64(SHIFTS[level])
    places = part_numbers(numbers.astype(np.uint64), level)
    # The end of the last part of all is 2^64, which wraps: so count up to one before.
    ends = ((places + np.uint64(1)) << shift) - np.uint64(1)
    starts = np.searchsorted(keys, places[:, :1] << shift, side="left")
    upto = np.searchsorted(keys, ends, side="right")
    return np.asarray(np.diff(upto, axis=1, prepend=starts), dtype=np.int64)


def part_numbers(cells: Keys, level: int) -> Keys:
    """Return the numbers of the cells' parts, (cells, parts)."""
    width = parts(level)
    inside = np.arange(width, dtype=np.uint64)
    return np.asarray(cells[:, None] * np.uint64(width) + inside, dtype=np.uint64)


def sorted_values(values: Floats) -> Floats:
    """Return the values present, sorted."""
    values = np.sort(values)  # puts NaN last
    return values[: np.searchsorted(values, np.nan)]
