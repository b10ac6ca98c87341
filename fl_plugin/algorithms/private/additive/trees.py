"""Tables as trees: one tree per feature and per pair, as scikit-learn holds them."""

from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np

from fl_plugin.algorithms.boosting.compiled import BITSET_WORDS
from fl_plugin.algorithms.boosting.trees import LEFT, NO, RIGHT, joined
from fl_plugin.algorithms.private.additive.asked import Asked
from fl_plugin.algorithms.private.additive.features import COARSE, Feature
from fl_plugin.summand import Array, Floats

_NONE = 0  # the bin of a one-hot column whose category a row does not have
Leaf = Callable[[int, int], None]  # given a bin and a depth, adds what stands there


class _Tree:
    """Nodes in the order in which scikit-learn numbers them: node, left, right."""

    def __init__(self) -> None:
        self._nodes: list[list[int]] = []
        self._numbers: list[list[float]] = []

    def leaf(self, value: float, depth: int) -> None:
        """Add a leaf."""
        self._nodes.append([NO, NO, NO, 0, 0, NO, depth, 0])
        self._numbers.append([value, 0.0])

    def branch(self, column: int, last: int, depth: int) -> int:
        """Add a split at the end of a cell; its left side is added next."""
        here = len(self._nodes)
        self._nodes.append([NO, NO, column, last, 0, NO, depth, 0])
        self._numbers.append([0.0, 0.0])
        self._nodes[here][LEFT] = here + 1
        return here

    def turn(self, branch: int) -> None:
        """Say that a split's left side is complete."""
        self._nodes[branch][RIGHT] = len(self._nodes)

    def arrays(self) -> dict[str, Array]:
        """Return the tree as `boosting.trees` keeps one."""
        return {
            "nodes": np.array(self._nodes, dtype=np.int64),
            "numbers": np.array(self._numbers, dtype=np.float64),
            "members": np.zeros((0, BITSET_WORDS), dtype=np.int64),
        }


def model_of(features: Sequence[Feature], asked: Asked) -> dict[str, Array]:
    """Return the tables as arrays of trees, with `start` and `scores`."""
    trees = [
        _main(feature, place, cells)
        for feature, place, cells in zip(
            features, asked.places, asked.mains, strict=True
        )
    ]
    for (first, second), table in zip(asked.pairs.tolist(), asked.tables, strict=True):
        both = (features[first], features[second])
        trees.append(_pair(both, (asked.coarse[first], asked.coarse[second]), table))
    return {
        **joined(trees),
        "start": np.array([asked.start]),
        "scores": np.zeros((0, 2)),
    }


def _main(feature: Feature, place: Array, cells: Floats) -> dict[str, Array]:
    tree = _Tree()
    values = dict(zip(place.tolist(), cells.tolist(), strict=True))
    _grow(tree, feature, place, 0, lambda b, depth: tree.leaf(values[b], depth))
    return tree.arrays()


def _pair(
    features: tuple[Feature, Feature], coarse: tuple[Array, Array], table: Floats
) -> dict[str, Array]:
    tree = _Tree()

    def second(row: int, depth: int) -> None:
        entries = table[row * COARSE :]
        leaf = lambda b, deep: tree.leaf(float(entries[b]), deep)  # noqa: E731
        _grow(tree, features[1], coarse[1], depth, leaf)

    _grow(tree, features[0], coarse[0], 0, second)
    return tree.arrays()


def _grow(tree: _Tree, feature: Feature, place: Array, depth: int, leaf: Leaf) -> None:
    """Branch by a feature until each bin has a place of its own."""
    if not feature.numeric:
        _chain(tree, feature.columns, place.tolist(), depth, leaf)
        return
    runs = [
        (held, [cell for cell, _ in run][-1])
        for held, run in groupby(enumerate(place.tolist()), lambda cell: cell[1])
    ]
    _halve(tree, feature.columns[0], runs, depth, leaf)


def _halve(
    tree: _Tree, column: int, runs: list[tuple[int, int]], depth: int, leaf: Leaf
) -> None:
    if len(runs) == 1:
        leaf(runs[0][0], depth)
        return
    middle = len(runs) // 2
    branch = tree.branch(column, runs[middle - 1][1], depth)
    _halve(tree, column, runs[:middle], depth + 1, leaf)
    tree.turn(branch)
    _halve(tree, column, runs[middle:], depth + 1, leaf)


def _chain(
    tree: _Tree, columns: Sequence[int], bins: list[int], depth: int, leaf: Leaf
) -> None:
    """Ask for one category after the other; the last bin is for none of them."""
    if not columns:
        leaf(bins[0], depth)
        return
    branch = tree.branch(columns[0], _NONE, depth)
    _chain(tree, columns[1:], bins[1:], depth + 1, leaf)
    tree.turn(branch)
    leaf(bins[0], depth + 1)
