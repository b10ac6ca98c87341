"""A party's half of a random forest: bags of its rows, and sums over them.

A bag holds each row a number of times that has the Poisson distribution of mean 1, as
sampling with replacement has in the limit (Oza & Russell 2001, "Online bagging and
boosting"). The number is drawn from a hash of the row's key: it is the same whoever
holds the row, so any cut of the rows into domains gives the same forest.
"""

import math
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Block, Worker
from fl_plugin.algorithms.boosting.compiled import (
    N_BINS,
    Partition,
    SplitRules,
    Sums,
    split_of,
)
from fl_plugin.algorithms.boosting.draws import uniform
from fl_plugin.algorithms.boosting.forest_questions import (
    BINS,
    COLUMN,
    LEFT,
    MISSING_LEFT,
    NODE,
    TREE,
    Asked,
    read,
)
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.questions import malformed
from fl_plugin.summand import Array, Arrays, Floats

MOST_COPIES = 8  # of a row in a bag; more would come once in a million rows
EXACT = 2.0**53
_CHANCES = np.cumsum(
    [math.exp(-1.0) / math.factorial(copies) for copies in range(MOST_COPIES)]
)


def copies_of(block: Block, seed: int, tree: int) -> Array:
    """Return how many times each row is in the bag of a tree, (rows,) float32."""
    drawn = uniform(block.hashes, seed, 1 + tree)
    return np.searchsorted(_CHANCES, drawn, side="right").astype(np.float32)


@dataclass(frozen=True)
class _Bag:
    """One tree's rows.

    Args:
        partition: Of the rows that are in the bag.
        pairs: Histograms of two weighted sums at a time.
        copies: Of each row in the bag, (rows,).
    """

    partition: Partition
    pairs: list[Sums]
    copies: Array


class BaggedRows(Worker):
    """One party's rows while a batch of trees grows.

    Args:
        layout: Of the columns.
        rules: Of splits; only the columns count.
        block: The rows.
        classes: How many; 0 for a number.
        seed: Of the study.
    """

    def __init__(
        self, layout: Layout, rules: SplitRules, block: Block, classes: int, seed: int
    ) -> None:
        self._layout = layout
        self._rules = rules
        self._block = block
        self._classes = classes
        self._seed = seed
        self._x = np.asfortranarray(block.x.T)
        # Of each column's bins in a histogram, the missing one last.
        self._places = [
            np.append(np.arange(bins), N_BINS - 1) + column * N_BINS
            for column, bins in enumerate(layout.bins.tolist())
        ]
        self._batch: list[int] = []
        self._bags: list[_Bag] = []

    def answer(self, question: Arrays) -> Arrays:
        """Grow the trees as told; return the sums that are asked for."""
        asked = read(question, self._layout)
        if asked.trees.tolist() != self._batch:
            self._batch = asked.trees.tolist()
            self._bags = [self._bag(tree, asked.grid) for tree in self._batch]
        self._split(asked.splits)
        answer = self._histograms(asked) if len(asked.wanted) else {}
        if asked.leaves:
            answer["squares"] = self._squares(asked)
        return answer

    def _bag(self, tree: int, grid: int) -> _Bag:
        copies = copies_of(self._block, self._seed, tree)
        partition = Partition(self._x, self._rules)
        partition.keep(np.flatnonzero(copies))
        channels = self._channels(copies, grid)
        pairs = [
            Sums(self._x, *channels[i : i + 2]) for i in range(0, len(channels), 2)
        ]
        return _Bag(partition, pairs, copies)

    def _channels(self, copies: Array, grid: int) -> list[Array]:
        """Return what is summed, two by two: copies of each class, or of the target."""
        y = self._block.y
        if self._classes:
            channels = [copies * (y == k) for k in range(self._classes)]
            return [*channels, copies] if self._classes % 2 else channels
        rounded = _rounded(y, grid)
        return [(copies * rounded).astype(np.float32), copies]

    def _split(self, splits: Array) -> None:
        for row in splits.tolist():
            partition = self._bags[row[TREE]].partition
            children = (row[LEFT], row[LEFT] + 1)
            if not partition.has(row[NODE]) or any(map(partition.has, children)):
                raise malformed("splits")
            # A category is a number to a forest, as it is to scikit-learn's.
            left = bool(row[MISSING_LEFT])
            split = split_of(row[COLUMN], row[BINS], left=left, members=None)
            partition.split(row[NODE], children, split)

    def _histograms(self, asked: Asked) -> dict[str, Array]:
        sums: list[list[Array]] = []
        counts: list[Array] = []
        for (tree, node), columns in zip(
            asked.wanted.tolist(), asked.columns, strict=True
        ):
            bag = self._bags[tree]
            if not bag.partition.has(node):
                raise malformed("wanted")
            rows = bag.partition.rows(node)
            found = [pair.over(rows, columns) for pair in bag.pairs]
            places = np.concatenate([self._places[c] for c in columns.tolist()])
            fields = [
                pair[name][places]
                for pair in found
                for name in ("sum_gradients", "sum_hessians")
            ]
            sums.append(fields[: self._classes or 2])
            counts.append(found[0]["count"][places])
        return {
            "sums": np.concatenate(sums, axis=1).astype(np.int64),
            "counts": np.concatenate(counts).astype(np.int64),
        }

    def _squares(self, asked: Asked) -> Floats:
        """Return the summed squares of the target, leaf by leaf, tree by tree."""
        found: list[float] = []
        for bag in self._bags:
            weighted = bag.copies * self._block.y**2
            found += [
                float(weighted[bag.partition.rows(node)].sum())
                for node in sorted(bag.partition.nodes)
            ]
        if len(found) != asked.leaves:
            raise malformed("facts")
        return np.array(found)


def _rounded(y: Floats, grid: int) -> Array:
    """Return the target in units of the grid, as float32 holds it."""
    if math.ldexp(float(np.abs(y).sum()) * MOST_COPIES, grid) > EXACT:
        raise malformed("facts")
    return np.rint(np.ldexp(y, grid))
