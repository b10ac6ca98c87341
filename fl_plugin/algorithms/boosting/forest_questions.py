"""What the coordinator of a forest asks, and the check of it.

Trees grow in batches, a level at a time. An opponent may have written a question; what
passes here names only columns, bins and trees that exist.
"""

from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.boosting.compiled import MISSING_BIN
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.questions import (
    LARGEST_SUM,
    MOST_NODES,
    MOST_NUMBERS,
    malformed,
)
from fl_plugin.summand import Array, Arrays

MOST_IN_BATCH = 64
MOST_TREES = 10_000
MOST_WANTED = 1 << 15
FINEST = 60
# Columns of `splits`.
TREE, NODE, LEFT, COLUMN, BINS, MISSING_LEFT = range(6)
SHAPES: dict[str, int] = {"splits": 6, "wanted": 2}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question.

    Args:
        trees: Numbers of the trees of this batch; a new list begins a new batch.
        splits: Per split: place in the batch, node, left child (the right one is the
            next number), column, last bin that goes left, whether missing ones do.
        wanted: Per histogram: place in the batch, node.
        columns: Per histogram the columns of which it is made, (wanted, some).
        leaves: Whether the sum of squared targets of every node is asked for.
        grid: Bits after the binary point of a target that is a number.
        bound: Largest sum of a bin in units of the grid, and of its rows.
    """

    trees: Array
    splits: Array = field(default_factory=lambda: np.zeros((0, 6), dtype=np.int64))
    wanted: Array = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    columns: Array = field(default_factory=lambda: np.zeros((0, 1), dtype=np.int64))
    leaves: int = 0
    grid: int = 0
    bound: int = 1

    def arrays(self) -> dict[str, Array]:
        """Return the question as it is sent."""
        return {
            "trees": self.trees,
            "splits": self.splits,
            "wanted": self.wanted,
            "columns": self.columns,
            "facts": np.array([self.leaves, self.grid, self.bound], dtype=np.int64),
        }

    def sizes(self, layout: Layout) -> Array:
        """Return how many bins each wanted histogram has of each of its columns."""
        sizes: Array = layout.bins[self.columns] + 1
        return sizes


def read(question: Arrays, layout: Layout) -> Asked:
    """Return a question whose every index exists.

    Raises:
        MessageError: The question is not one of ours.
    """
    names = {"trees", "splits", "wanted", "columns", "facts"}
    if set(question) != names or any(question[n].dtype != np.int64 for n in names):
        raise malformed("trees")
    for name, width in SHAPES.items():
        if question[name].ndim != len(SHAPES) or question[name].shape[1] != width:
            raise malformed(name)
    trees, columns, facts = (question[n] for n in ("trees", "columns", "facts"))
    _require(trees.ndim == 1 and 1 <= len(trees) <= MOST_IN_BATCH, "trees")
    _require(facts.shape == (3,), "facts")
    _require(columns.ndim == 2 and columns.shape[1] >= 1, "columns")  # noqa: PLR2004
    _require(len(columns) == len(question["wanted"]), "columns")
    leaves, grid, bound = facts.tolist()
    asked = Asked(
        trees=trees,
        splits=question["splits"],
        wanted=question["wanted"],
        columns=columns,
        leaves=leaves,
        grid=grid,
        bound=bound,
    )
    _check(asked, layout)
    return asked


def _check(asked: Asked, layout: Layout) -> None:
    batch = len(asked.trees)
    _within(asked.trees, MOST_TREES, "trees")
    _require(len(np.unique(asked.trees)) == batch, "trees")
    _require(0 <= asked.leaves <= batch * MOST_NODES, "facts")
    _require(-FINEST <= asked.grid <= FINEST, "facts")
    _require(1 <= asked.bound <= LARGEST_SUM, "facts")
    splits = asked.splits
    ends = (batch, MOST_NODES, MOST_NODES - 1, layout.columns, MISSING_BIN, 2)
    _require(len(splits) <= batch * MOST_NODES, "splits")
    _within(splits, np.array(ends), "splits")
    _within(splits[:, BINS], layout.bins[splits[:, COLUMN]], "splits")
    _require(len(asked.wanted) <= MOST_WANTED, "wanted")
    _within(asked.wanted, np.array((batch, MOST_NODES)), "wanted")
    _require(asked.columns.shape[1] <= layout.columns, "columns")
    _within(asked.columns, layout.columns, "columns")
    ordered = np.sort(asked.columns, axis=1)
    _require(bool((np.diff(ordered, axis=1) > 0).all()), "columns")
    _require(int(asked.sizes(layout).sum()) <= MOST_NUMBERS, "columns")


def _within(numbers: Array, end: int | Array, name: str) -> None:
    _require(bool(((numbers >= 0) & (numbers < end)).all()), name)


def _require(right: bool, name: str) -> None:  # noqa: FBT001 - an assertion
    if not right:
        raise malformed(name)
