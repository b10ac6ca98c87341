"""A party's half of boosting: its rows, their predictions, and sums over them.

Gradients are rounded to the grid row by row, before anything is summed, and the grid is
such that float64 holds every sum exactly. So a party's histograms are whole numbers,
and neither the order of rows nor who holds them changes a bit of a sum: two columns
that split the rows alike gain exactly alike, here as in pooled training.
"""

import math

import numpy as np

from fl_plugin.algorithms.base import Worker
from fl_plugin.algorithms.boosting.answers import packing_for
from fl_plugin.algorithms.boosting.compiled import (
    MISSING_BIN,
    Partition,
    SplitRules,
    Sums,
    split_of,
)
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.losses import HELD, Loss
from fl_plugin.algorithms.boosting.parts import Part
from fl_plugin.algorithms.boosting.questions import Asked, malformed, read
from fl_plugin.algorithms.boosting.splitting import FIELDS
from fl_plugin.summand import Array, Arrays, Floats

EXACT = 2.0**53  # float64 holds every whole number up to this one
TOGETHER = 2**13  # bins that are packed at a time


class Rows(Worker):
    """One party's rows while trees grow.

    Args:
        layout: Where bins stand in what is sent.
        loss: What is minimised.
        rules: Of splits; only the columns count.
        parts: Rows that train, rows that are held out.
        parties: How many parts are added.
    """

    def __init__(
        self,
        layout: Layout,
        loss: Loss,
        rules: SplitRules,
        parts: tuple[Part, Part],
        parties: int,
    ) -> None:
        self._layout = layout
        self._categorical = layout.categorical.tolist()
        self._parties = parties
        self._loss = loss
        self._rules = rules
        self._train, self._held = parts
        self._parts = parts if len(parts[1].y) else parts[:1]
        rows = len(self._train.y)
        self._gradients = np.empty((rows, loss.trees), dtype=np.float32, order="F")
        self._hessians = (
            np.ones((1, loss.trees), dtype=np.float32)
            if loss.constant_hessian
            else np.empty_like(self._gradients)
        )
        self._known = False  # whether gradients are those of the predictions
        self._trees: list[list[Partition]] = []  # of the rows, and of those held out
        self._sums: list[Sums] = []

    def answer(self, question: Arrays) -> Arrays:
        """Apply what is told, return the sums that are asked for."""
        asked = read(question, self._layout, self._loss.trees)
        if asked.opens:
            return self._open()
        self._split(asked)
        self._predict(asked)
        scores = {"scores": self._scores()} if asked.scores else {}
        if asked.plants:
            self._plant(asked.grid)
        return {
            **scores,
            **(self._histograms(asked) if len(asked.wanted) else {}),
        }

    def _open(self) -> Arrays:
        counts = [
            np.bincount(column, minlength=MISSING_BIN + 1) for column in self._train.x.T
        ]
        y, held = self._train.y, self._held.y
        targets = self._by_class(y) if self._loss.bounded else np.array([y.sum()])
        return {
            "counts": np.concatenate(counts)[self._layout.present],
            "rows": np.array([len(y), len(held)]),
            "targets": targets.astype(np.float64),
            **({"held": self._by_class(held)} if self._loss.weights else {}),
        }

    def _by_class(self, y: Floats) -> Array:
        return np.bincount(y.astype(np.int64), minlength=max(self._loss.trees, 2))

    def _split(self, asked: Asked) -> None:
        for row, members in zip(asked.splits.tolist(), asked.members, strict=True):
            tree, node, left, right, column, bins, missing_left = row
            split = split_of(
                column,
                bins,
                left=bool(missing_left),
                members=members if self._categorical[column] else None,
            )
            for partition in self._tree(tree):
                if not partition.has(node) or any(map(partition.has, (left, right))):
                    raise malformed("splits")
                partition.split(node, (left, right), split)

    def _predict(self, asked: Asked) -> None:
        if len(asked.start):
            self._train.raw[:] = asked.start
            self._held.raw[:] = asked.start
            self._known = False
        if not len(asked.leaves):
            return
        for tree, partitions in enumerate(self._trees):
            mine = asked.leaves[:, 0] == tree
            nodes = asked.leaves[mine, 1].tolist()
            values = dict(zip(nodes, asked.values[mine].tolist(), strict=True))
            for partition, part in zip(partitions, self._parts, strict=True):
                if set(values) != partition.nodes:
                    raise malformed("leaves")
                partition.add(values, part.raw[:, tree])
        self._trees, self._sums, self._known = [], [], False

    def _derive(self) -> None:
        if self._known:
            return
        part, alone = self._train, self._loss.trees == 1
        gradients = self._gradients[:, 0] if alone else self._gradients
        if self._loss.constant_hessian:
            self._loss.compiled.gradient(
                y_true=part.y, raw_prediction=part.raw, gradient_out=gradients
            )
        else:
            self._loss.compiled.gradient_hessian(
                y_true=part.y,
                raw_prediction=part.raw,
                sample_weight=part.weights,
                gradient_out=gradients,
                hessian_out=self._hessians[:, 0] if alone else self._hessians,
            )
        self._known = True

    def _scores(self) -> Floats:
        """Return the loss of both parts, and the squares of both derivatives."""
        self._derive()
        losses = [
            self._loss.compiled.loss(
                y_true=part.y, raw_prediction=part.raw, sample_weight=part.weights
            ).sum()
            for part in (self._train, self._held)
        ]
        squares = [
            float(np.square(derivative, dtype=np.float64).sum())
            for derivative in (self._gradients, self._hessians)
        ]
        return np.array([*losses, *squares])

    def _plant(self, grid: Array) -> None:
        """Begin new trees: round the gradients to the grid, in its units."""
        self._derive()
        self._known = False
        most = self._most()
        _round(self._gradients, int(grid[0]), most)
        if not self._loss.constant_hessian:
            fourth = None if most is None else (most[0] / 4, most[1] / 4)
            _round(self._hessians, int(grid[1]), fourth)
        self._trees, self._sums = [], []
        for tree in range(self._loss.trees):
            self._trees.append([Partition(part.x, self._rules) for part in self._parts])
            constant = self._loss.constant_hessian
            second = None if constant else self._hessians[:, tree]
            self._sums.append(Sums(self._train.x, self._gradients[:, tree], second))

    def _most(self) -> tuple[float, float] | None:
        """Return bounds on a row's gradient and on all rows' together, if any."""
        if not self._loss.bounded:
            return None
        rows, weights = len(self._train.y), self._train.weights
        total = float(rows) if weights is None else float(weights.sum()) * HELD
        return self._loss.heaviest, total

    def _histograms(self, asked: Asked) -> Arrays:
        packing = packing_for(asked, self._loss, self._parties)
        size, wanted = self._layout.size, asked.wanted.tolist()
        words = np.empty((len(packing.words), len(wanted), size), dtype=np.int64)
        # A few nodes at a time, so that all of it stays in the core's cache.
        step = max(1, TOGETHER // size)
        room = np.empty((len(packing.fields), step, size), dtype=np.int64)
        for begin in range(0, len(wanted), step):
            nodes = wanted[begin : begin + step]
            fields = room[:, : len(nodes)]
            for place, (tree, node) in enumerate(nodes):
                self._sum(
                    tree, node, dict(zip(packing.bounds, fields[:, place], strict=True))
                )
            packing.pack(fields, words[:, begin : begin + step])
        return {"sums": words}

    def _sum(self, tree: int, node: int, into: Arrays) -> None:
        """Write the sums over a node's rows, by field, (bins,) int64 each."""
        partition = self._tree(tree)[0]
        if not partition.has(node):
            raise malformed("wanted")
        summed = self._sums[tree].over(partition.rows(node))
        for name, numbers in into.items():
            # Whole numbers below 2^53: the cast loses nothing.
            numbers[:] = summed[FIELDS[name]][self._layout.present]

    def _tree(self, tree: int) -> list[Partition]:
        if tree >= len(self._trees):
            raise malformed("splits")
        return self._trees[tree]


def _round(numbers: Array, exponent: int, bounds: tuple[float, float] | None) -> None:
    """Round to the grid; refuse one that is finer than float64 can add on.

    Args:
        numbers: (rows, trees), overwritten.
        exponent: Bits after the binary point.
        bounds: On the absolute value of a row and on the sum over all, where known.
    """
    if bounds is None:
        most = float(np.abs(numbers).max(initial=0.0))
        total = float(np.abs(numbers).sum(dtype=np.float64))
    else:
        most, total = bounds
    if math.ldexp(total, exponent) > EXACT or math.ldexp(most, exponent) > EXACT:
        raise malformed("grid")
    numbers *= np.float32(2.0**exponent)
    np.rint(numbers, out=numbers)
