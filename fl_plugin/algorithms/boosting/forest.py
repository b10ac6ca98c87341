"""The coordinator's half of a random forest: batches of trees, a level a round."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Fitted, Question, Rounds, Task
from fl_plugin.algorithms.boosting.forest_estimators import thresholds_of
from fl_plugin.algorithms.boosting.forest_growth import (
    ForestNode,
    ForestShape,
    ForestTree,
    Histogram,
)
from fl_plugin.algorithms.boosting.forest_questions import FINEST, Asked
from fl_plugin.algorithms.boosting.forest_rows import MOST_COPIES
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.trees import BINS, NO
from fl_plugin.summand import Array, Arrays

BATCH = 8  # trees that grow side by side: fewer rounds, more memory
EXACT_BITS = 52


@dataclass(frozen=True)
class Scale:
    """How sums are sent.

    Args:
        grid: Bits after the binary point of a target that is a number.
        bound: Largest sum of a bin, in units of the grid.
    """

    grid: int
    bound: int


def scale_of(task: Task, classes: int) -> Scale:
    """Return the grid on which float64 adds up exactly.

    The sum of the target over any rows is at most the root of their number times the
    root of the sum of its squares, which is public (Cauchy and Schwarz).
    """
    copies = MOST_COPIES * max(task.rows, 1)
    if classes:
        return Scale(0, copies)
    # The mean square was rounded where it was summed.
    most = MOST_COPIES * task.rows * math.sqrt(task.target_mean_square) * (1 + 1e-6)
    bits = math.ceil(math.log2(most)) if most > 0 else 0
    grid = max(-FINEST, min(FINEST, EXACT_BITS - bits))
    # Rounding moves each row by half a unit; float32 by one part in 2^24 more.
    bound = math.ceil(math.ldexp(most, grid) * (1 + 2.0**-20)) + copies
    return Scale(grid, bound)


def grow(trees: int, shape: ForestShape, layout: Layout, task: Task) -> Rounds:
    """Yield questions; return the trees as arrays (`forest_trees.py`)."""
    scale = scale_of(task, shape.classes)
    finished: list[dict[str, Array]] = []
    rounds = 0
    for begin in range(0, trees, BATCH):
        numbers = np.arange(begin, min(begin + BATCH, trees))
        batch = [ForestTree(int(number), shape, layout) for number in numbers]
        asked = _grow_batch(batch, Asked(trees=numbers), scale)
        exchanges, squares = yield from asked
        rounds += exchanges
        finished += [_flat(tree, scale, squares) for tree in batch]
    names = ("nodes", "numbers", "values")
    joined = {name: np.concatenate([t[name] for t in finished]) for name in names}
    thresholds = thresholds_of(joined["nodes"], task.columns)
    joined["nodes"][:, BINS] = 0  # the thresholds say it
    sizes = np.array([len(tree["nodes"]) for tree in finished], dtype=np.int64)
    return Fitted(
        model={"sizes": sizes, **joined, "thresholds": thresholds}, rounds=rounds
    )


def _grow_batch(
    batch: list[ForestTree], start: Asked, scale: Scale
) -> Generator[Question, Arrays, tuple[int, list[float]]]:
    """Grow trees side by side; return the rounds, and squares leaf by leaf."""
    layout, number = batch[0].layout, batch[0].shape.classes == 0
    rounds = 0
    while any(tree.open for tree in batch):
        ask = _asked(batch, start, scale)
        sums = yield Question(
            arrays=ask.arrays(), progress={"trees": float(start.trees[0])}
        )
        rounds += 1
        histograms = iter(_cut(sums, ask, layout))
        for tree in batch:
            tree.learn([next(histograms) for _ in tree.open])
    if not number:
        return rounds, []
    ask = _asked(batch, start, scale, leaves=sum(len(_leaves(t)) for t in batch))
    sums = yield Question(arrays=ask.arrays())
    return rounds + 1, sums["squares"].tolist()


def _asked(
    batch: list[ForestTree], start: Asked, scale: Scale, leaves: int = 0
) -> Asked:
    splits: list[tuple[int, ...]] = []
    wanted: list[tuple[int, int]] = []
    columns: list[Array] = []
    for place, tree in enumerate(batch):
        splits += [(place, *_told(node)) for node in tree.splits]
        for node, tried in tree.wanted():
            wanted.append((place, node))
            columns.append(tried)
    some = batch[0].shape.tried
    return Asked(
        trees=start.trees,
        splits=np.array(splits, dtype=np.int64).reshape(-1, 6),
        wanted=np.array(wanted, dtype=np.int64).reshape(-1, 2),
        columns=np.array(columns, dtype=np.int64).reshape(-1, some),
        leaves=leaves,
        grid=scale.grid,
        bound=scale.bound,
    )


def _told(node: ForestNode) -> tuple[int, ...]:
    division, left = node.division, node.left
    assert division is not None  # noqa: S101 - only such nodes are in `splits`
    assert left is not None  # noqa: S101
    return (
        node.number,
        left.number,
        division.column,
        division.bins,
        int(division.missing_left),
    )


def _cut(sums: Arrays, ask: Asked, layout: Layout) -> list[Histogram]:
    """Return one histogram per wanted node."""
    sizes = ask.sizes(layout)
    ends = np.cumsum(sizes.sum(axis=1))[:-1]
    parts = np.split(sums["sums"], ends, axis=1)
    counts = np.split(sums["counts"], ends)
    return [
        Histogram(*of) for of in zip(ask.columns, sizes, parts, counts, strict=True)
    ]


def _leaves(tree: ForestTree) -> list[ForestNode]:
    return [node for node in tree.nodes if node.left is None]


def _flat(tree: ForestTree, scale: Scale, squares: list[float]) -> dict[str, Array]:
    """Return a tree, its nodes in the order root, left side, right side.

    `nodes` as boosted trees have them, `numbers` (n, 2): weighed copies and impurity,
    `values` (n, classes): weighed shares, or (n, 1): the mean.
    """
    mine = {n.number: squares.pop(0) for n in _leaves(tree)} if squares else {}
    for node in reversed(tree.nodes):  # children come after their parents
        if node.left is not None and node.right is not None and mine:
            mine[node.number] = mine[node.left.number] + mine[node.right.number]
    order: list[ForestNode] = []
    stack = [tree.nodes[0]]
    while stack:
        node = stack.pop()
        order.append(node)
        if node.left is not None and node.right is not None:
            stack += [node.right, node.left]
    places = {node.number: place for place, node in enumerate(order)}
    rows = [_row(node, places) for node in order]
    sums = np.array([node.sums for node in order], dtype=np.float64)
    if tree.shape.classes:
        sums *= np.array(tree.shape.weights)
        copies = sums.sum(axis=1)
        copies[copies == 0] = 1.0  # nobody has a row
        values = sums / copies[:, None]
        impurity = 1.0 - (values**2).sum(axis=1)
    else:
        copies = np.maximum(sums[:, 1], 1.0)
        values = np.ldexp(sums[:, :1], -scale.grid) / copies[:, None]
        total = np.array([mine[node.number] for node in order])
        impurity = np.maximum(total / copies - values[:, 0] ** 2, 0.0)
    return {
        "nodes": np.array(rows, dtype=np.int64),
        "numbers": np.column_stack([copies, impurity]),
        "values": values,
    }


def _row(node: ForestNode, places: dict[int, int]) -> list[int]:
    division, left, right = node.division, node.left, node.right
    if division is None or left is None or right is None:
        return [NO, NO, NO, 0, 0, NO, node.depth, node.count]
    return [
        places[left.number],
        places[right.number],
        division.column,
        division.bins,
        int(division.missing_left),
        NO,
        node.depth,
        node.count,
    ]
