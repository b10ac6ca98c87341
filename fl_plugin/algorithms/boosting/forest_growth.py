"""One tree of a random forest, grown at the coordinator, a level at a time.

Breiman (2001), "Random forests": each node looks for its split among a few columns
drawn for it alone, and among others where these have none. Splits are between bins. A
split's worth is what scikit-learn's criteria maximise, (sum over the two sides of the
squared sums of each class) / (copies on that side) for Gini, the same of the target's
sum for the squared error. Where classes are balanced, the copies of each are weighed
here: parties send them as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.questions import MOST_NODES
from fl_plugin.summand import Array, Floats

# Below this share of a node's own score, a gain is rounding error.
NOISE = 1e-12


@dataclass(frozen=True, kw_only=True)
class ForestShape:
    """How trees grow.

    Args:
        depth: At most so many splits above a leaf; 0 for no limit.
        smallest_leaf: Fewest different rows of a leaf.
        tried: Columns that a split is chosen from.
        classes: How many; 0 for a number.
        seed: Of the study.
        weights: What a copy of each class counts; empty for a number.
    """

    depth: int
    smallest_leaf: int
    tried: int
    classes: int
    seed: int
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Division:
    """The best split of a node.

    Args:
        column: Whose bins decide.
        bins: The last bin that goes left.
        missing_left: Whether missing values go left.
        sums: Of the left side, (channels,).
        count: Rows on the left side.
    """

    column: int
    bins: int
    missing_left: bool
    sums: Array
    count: int


@dataclass(eq=False)
class ForestNode:
    """A node.

    Args:
        number: Its name in messages.
        depth: Splits above it.
        sums: Copies of each class, or the target's sum and copies; None: not known.
        count: Different rows.
        columns: All columns, in the order in which they are tried.
        looked: How many have been tried.
        division: Its split; None if it is a leaf, or not looked at yet.
        left: Child.
        right: Child.
    """

    number: int
    depth: int
    sums: Array | None
    count: int
    columns: Array
    looked: int = 0
    division: Division | None = None
    left: "ForestNode | None" = None
    right: "ForestNode | None" = None


@dataclass
class ForestTree:
    """A tree that grows.

    Args:
        number: Of the tree in the forest; its columns are drawn by it.
        shape: How it grows.
        layout: Of the columns.
    """

    number: int
    shape: ForestShape
    layout: Layout
    nodes: list[ForestNode] = field(default_factory=list)
    open: list[ForestNode] = field(default_factory=list)
    splits: list[ForestNode] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open = [self._node(0, None, 0)]

    def wanted(self) -> list[tuple[int, Array]]:
        """Return the nodes to look at next, each with the columns to try."""
        tried = self.shape.tried
        return [(n.number, _padded(n.columns, n.looked, tried)) for n in self.open]

    def learn(self, histograms: Sequence["Histogram"]) -> None:
        """Take the histograms of the nodes that are wanted, and split what can be."""
        looking, self.open, self.splits = self.open, [], []
        for node, histogram in zip(looking, histograms, strict=True):
            if node.sums is None:
                node.sums, node.count = histogram.totals()
                if not self._can_split(node):
                    continue
            node.looked += self.shape.tried
            node.division = histogram.best(node, self.shape)
            if node.division is not None:
                self._split(node)
            elif node.looked < len(node.columns):
                self.open.append(node)

    def _split(self, node: ForestNode) -> None:
        division = node.division
        if division is None or node.sums is None or len(self.nodes) + 2 > MOST_NODES:
            return
        self.splits.append(node)
        node.left = self._node(node.depth + 1, division.sums, division.count)
        rest = (node.sums - division.sums, node.count - division.count)
        node.right = self._node(node.depth + 1, *rest)
        self.open += [n for n in (node.left, node.right) if self._can_split(n)]

    def _node(self, depth: int, sums: Array | None, count: int) -> ForestNode:
        number = len(self.nodes)
        draw = np.random.default_rng([self.shape.seed, self.number, number])
        columns = draw.permutation(self.layout.columns)
        node = ForestNode(number, depth, sums, count, columns)
        self.nodes.append(node)
        return node

    def _can_split(self, node: ForestNode) -> bool:
        pure = (
            self.shape.classes > 0
            and node.sums is not None
            and np.count_nonzero(node.sums) <= 1
        )
        deep = node.depth == self.shape.depth > 0
        return node.count >= 2 * self.shape.smallest_leaf and not pure and not deep


@dataclass(frozen=True)
class Histogram:
    """Sums over a node's rows, for some columns.

    Args:
        columns: Which, (some,).
        sizes: Bins of each, the missing one last.
        sums: (channels, bins of all).
        counts: (bins of all,).
    """

    columns: Array
    sizes: Array
    sums: Array
    counts: Array

    def totals(self) -> tuple[Array, int]:
        """Return the sums over all rows of the node."""
        first = int(self.sizes[0])
        return self.sums[:, :first].sum(axis=1), int(self.counts[:first].sum())

    def best(self, node: ForestNode, shape: ForestShape) -> Division | None:
        """Return the best split; of equals the one of the column that came first."""
        best, found = NOISE, None
        begin = 0
        for column, size in zip(
            self.columns.tolist(), self.sizes.tolist(), strict=True
        ):
            part = slice(begin, begin + size)
            begin += size
            gain, division = _divided(
                column, (self.sums[:, part], self.counts[part]), node, shape
            )
            if gain > best:
                best, found = gain, division
        return found


def _divided(
    column: int, sums: tuple[Array, Array], node: ForestNode, shape: ForestShape
) -> tuple[float, Division | None]:
    """Return the best split by one column, and the share by which it gains."""
    if node.sums is None:
        return 0.0, None
    left = np.cumsum(sums[0][:, :-1], axis=1)
    counts = np.cumsum(sums[1][:-1])
    missing = int(sums[1][-1])
    # With missing values: they go right, then left; the last bin may then stand alone.
    sides = [(left, counts)]
    if missing:
        sides.append((left + sums[0][:, -1:], counts + missing))
    best, found = 0.0, None
    for to_left, (part, count) in enumerate(sides):
        gains = _gains(part, count, node, shape)
        at = int(np.argmax(gains))
        if gains[at] > best:
            best = float(gains[at])
            rest = node.count - int(count[at])
            with_most = bool(to_left) if missing else int(count[at]) > rest
            found = Division(column, at, with_most, part[:, at], int(count[at]))
    return best, found


def _gains(left: Array, count: Array, node: ForestNode, shape: ForestShape) -> Floats:
    """Return what each split gains, as a share of the node's own score; 0: none."""
    whole = np.asarray(node.sums)
    right = whole[:, None] - left
    few = np.minimum(count, node.count - count) < shape.smallest_leaf
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = _score(left, shape) + _score(right, shape)
        own = _score(whole[:, None], shape)[0]
        gains = (scores - own) / max(own, np.finfo(np.float64).tiny)
    gains[few | ~np.isfinite(gains)] = 0.0
    return np.asarray(gains, dtype=np.float64)


def _score(sums: Array, shape: ForestShape) -> Floats:
    numbers = sums.astype(np.float64)
    if shape.classes:
        numbers *= np.array(shape.weights)[:, None]
        return np.asarray((numbers**2).sum(axis=0) / numbers.sum(axis=0))
    return np.asarray(numbers[0] ** 2 / numbers[1])


def _padded(columns: Array, looked: int, tried: int) -> Array:
    """Return the next columns to try; at the end, again some that were tried."""
    following = columns[looked : looked + tried]
    return np.append(following, columns[: tried - len(following)])
