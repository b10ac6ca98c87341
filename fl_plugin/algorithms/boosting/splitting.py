"""The best split of a node, found by scikit-learn's compiled code in summed histograms.

The histograms here are in the layout's order of columns, which is scikit-learn's; what
leaves this file names the design's columns.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fl_plugin.algorithms.boosting.compiled import (
    BITSET_WORDS,
    HISTOGRAM_DTYPE,
    MISSING_BIN,
    N_BINS,
    SplitRules,
)
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.summand import Array, Arrays

WORD = 32
# What parties send, and scikit-learn's name for it.
FIELDS = {
    "gradients": "sum_gradients",
    "hessians": "sum_hessians",
    "counts": "count",
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split of a node, by a column of the design.

    Args:
        gain: By how much it lowers the loss.
        column: Whose bins decide.
        bins: The last bin that goes left; 0 of a categorical column.
        missing_left: Whether missing values go left.
        members: Of a categorical column, the (8,) words of the bins that go left.
        found: What scikit-learn says of the two sides.
    """

    gain: float
    column: int
    bins: int
    missing_left: bool
    members: Array | None
    found: Any


@dataclass(eq=False)
class Node:
    """A node of a growing tree.

    Args:
        number: Its name in messages.
        depth: Splits above it.
        rows: Training rows in it, of all parties.
        gradient: Their summed gradient.
        hessian: Their summed second derivative.
        value: What it would predict, within `low` and `high`.
        low: Least value of its children, so that monotonic columns stay monotonic.
        high: Largest value of its children.
        histogram: Kept while its children may need it.
        split: The best one; None if it stays a leaf.
        children: Once it is expanded.
    """

    number: int
    depth: int
    rows: int
    gradient: float
    hessian: float
    value: float
    low: float = float("-inf")
    high: float = float("inf")
    histogram: Array | None = None
    split: Split | None = None
    children: "tuple[Node, Node] | None" = None

    @property
    def gain(self) -> float:
        """What its split gains; -1 if it has none."""
        return -1.0 if self.split is None else self.split.gain

    def __lt__(self, other: Any) -> bool:
        """Scikit-learn's order of the heap: the largest gain first."""
        return bool(self.gain > other.gain)


class Finder:
    """Finds splits.

    Args:
        layout: Of the columns.
        rules: Of the splits, columns in the design's order.
    """

    def __init__(self, layout: Layout, rules: SplitRules) -> None:
        order = layout.order
        self._layout = layout
        self._missing = rules.missing
        self._monotonic = rules.monotonic
        self._splitter = replace(
            rules,
            bins=rules.bins[order],
            missing=rules.missing[order],
            categorical=rules.categorical[order],
            monotonic=rules.monotonic[order],
        ).over(np.zeros((1, layout.columns), dtype=np.uint8, order="F"))
        self.constant_hessian = rules.constant_hessian

    def find(self, node: Node, histogram: Array) -> Split | None:
        """Return the best split of a node, if one gains anything."""
        found = self._splitter.find_node_split(
            n_samples=node.rows,
            histograms=histogram,
            sum_gradients=node.gradient,
            sum_hessians=node.hessian,
            value=node.value,
            lower_bound=node.low,
            upper_bound=node.high,
            allowed_features=None,
        )
        if found.gain <= 0:
            return None
        column = int(self._layout.order[found.feature_idx])
        return Split(
            gain=float(found.gain),
            column=column,
            bins=int(found.bin_idx),
            # Where no training row misses the value, it goes with the majority.
            missing_left=bool(found.missing_go_to_left)
            if self._missing[column]
            else found.n_samples_left > found.n_samples_right,
            members=found.left_cat_bitset if found.is_categorical else None,
            found=found,
        )

    def children(self, node: Node, number: int) -> tuple[Node, Node]:
        """Return the two sides of a node's split, the left one called `number`."""
        assert node.split is not None  # noqa: S101 - only such nodes are expanded
        found = node.split.found
        left = Node(
            number,
            node.depth + 1,
            found.n_samples_left,
            found.sum_gradient_left,
            found.sum_hessian_left,
            found.value_left,
            *self._bounds(node, found, left=True),
        )
        right = Node(
            number + 1,
            node.depth + 1,
            found.n_samples_right,
            found.sum_gradient_right,
            found.sum_hessian_right,
            found.value_right,
            *self._bounds(node, found, left=False),
        )
        return left, right

    def _bounds(self, node: Node, found: Any, *, left: bool) -> tuple[float, float]:
        assert node.split is not None  # noqa: S101 - only such nodes are expanded
        way = int(self._monotonic[node.split.column])
        if way == 0:
            return node.low, node.high
        middle = (found.value_left + found.value_right) / 2
        return (node.low, middle) if left == (way > 0) else (middle, node.high)


def spread(layout: Layout, sums: Arrays, units: tuple[float, ...]) -> Array:
    """Return summed gradients, hessians and counts as scikit-learn's histogram.

    The columns are in the order in which splits are looked for.

    Args:
        layout: Of the columns.
        sums: (bins,) each, as in `FIELDS`; no hessians where they are constant.
        units: Of the grid of gradients and of hessians: powers of two.
    """
    whole = layout.size == layout.columns * N_BINS
    histogram = (np.empty if whole else np.zeros)(  # zeros in bins that no column has
        (layout.columns, N_BINS), dtype=HISTOGRAM_DTYPE
    )
    flat, hessians = histogram.reshape(-1), sums.get("hessians")
    flat["sum_gradients"][layout.present] = sums["gradients"] * units[0]
    flat["count"][layout.present] = sums["counts"]
    flat["sum_hessians"][layout.present] = (
        0.0 if hessians is None else hessians * units[1]
    )
    # Copied column by column, which indexing would not do.
    return histogram if layout.in_order else histogram.take(layout.order, axis=0)


def routed(split: Split) -> Array:
    """Return the (8,) words of bins that go left, missing ones among them.

    scikit-learn sends missing values of a column that has none in training with the
    majority; rows that are held out for early stopping must go there too.
    """
    if split.members is None:
        return np.zeros(BITSET_WORDS, dtype=np.int64)
    words = split.members.astype(np.int64)
    bit = 1 << (MISSING_BIN % WORD)
    words[-1] = words[-1] | bit if split.missing_left else words[-1] & ~bit
    return words
