"""Exact federated k-means: Lloyd's algorithm on summed counts and sums (Lloyd 1982).

A step moves each centre to the mean of the rows nearest to it. Rows per centre and
sums per centre add over parties, so every step is the step of the pooled rows, and the
rule to stop (the centres together moved by less than `tol` times the mean variance of
a column) is scikit-learn's too. Two things differ from `KMeans(n_init=...)`:

- The starts come from sums (`geometry.starts`), since k-means++ starts at rows. Several
  are fitted in the same rounds; the one with the least inertia is kept.
- A centre without rows stays where it is: scikit-learn would move it to a row.

From the same start, where no centre runs empty, the centres are scikit-learn's.

What leaves a domain, masked: rows, sums and sums of squares of every column once; then
per round and start k counts, k p sums and one inertia.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans as Sklearn

from fl_plugin.algorithms.base import (
    Block,
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.points import (
    largest_square,
    largest_sum,
    points,
    squares_from,
)
from fl_plugin.algorithms.geometry.starts import grow
from fl_plugin.summand import Arrays, Floats, Summand

BLOCK = 2_048
MOST_CLUSTERS = 1_000
MOST_STARTS = 100


@dataclass(frozen=True)
class _Start:
    """One start on its way.

    Args:
        origin: (k, p), where it began.
        centres: (k, p), where it is.
        inertia: Squared distances of all rows to them; known once `done`.
        steps: Taken so far.
        still: Whether the last step was the last one: only the inertia is missing.
        empty: How many centres the last step left without rows.
    """

    origin: Floats
    centres: Floats
    inertia: float = float("inf")
    steps: int = 0
    still: bool = False
    empty: int = 0


@dataclass(frozen=True, kw_only=True)
class KMeans(RowAlgorithm):
    """K-means clustering.

    Args:
        n_clusters: How many centres.
        n_init: How many starts are tried, all in the same rounds.
        tol: Stop when the squared moves of all centres together are at most this
            share of the columns' mean variance.
        max_iter: Stop after this many steps.
    """

    name: ClassVar[str] = "kmeans"
    title: ClassVar[str] = "K-means, exact (Lloyd's algorithm on summed rows)"
    paper: ClassVar[str] = "Lloyd (1982), doi:10.1109/TIT.1982.1056489"
    targets: ClassVar[tuple[str, ...]] = ("none",)
    exact: ClassVar[str] = (
        "scikit-learn's KMeans(init=the same centres, n_init=1, algorithm='lloyd') on "
        "the pooled rows, up to rounding, while no centre runs empty"
    )
    leaves: ClassVar[str] = (
        "sums and sums of squares of every column; then per round, start and centre "
        "the number and the sum of the rows nearest to it, and the squared distances "
        "in all, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.cluster._kmeans", "KMeans", "ObjectNode"),
    )
    n_clusters: int = 8
    n_init: int = 3
    tol: float = 1e-4
    max_iter: int = 300

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        within(self.name, "n_clusters", self.n_clusters, (1, MOST_CLUSTERS))
        within(self.name, "n_init", self.n_init, (1, MOST_STARTS))
        within(self.name, "tol", self.tol, (0.0, 1.0))
        within(self.name, "max_iter", self.max_iter, (1, 10_000))

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Moments of the columns; once `centres` are asked about, what they attract."""
        if "centres" not in question:
            return _moments(design, task.width)
        origin, centres = question["origin"], question["centres"]
        starts, clusters, width = centres.shape
        counts = np.zeros((starts, clusters))
        sums = np.zeros((starts, clusters, width))
        least = np.zeros(starts)
        squares = np.zeros((starts, clusters, width)) if "growing" in question else None
        arms = centres - origin
        # |x-c|^2 = |x-o|^2 + 2 (|c-o|^2/2 + (c-o).o - (c-o).x): its brackets rank the
        # centres, and lose no digit where all columns lie far from zero.
        offsets = 0.5 * np.square(arms).sum(axis=2) + arms @ origin
        for block in design.blocks(BLOCK):
            for s in range(starts):
                scores = arms[s] @ block.x
                np.subtract(offsets[s][:, None], scores, out=scores)
                inside, here, distance = _nearest(scores)
                counts[s] += here
                sums[s] += inside @ block.x.T
                least[s] += distance.sum()
                if squares is not None:
                    squares[s] += inside @ np.square(block.x).T
        found = {"counts": counts.astype(np.int64), "sums": sums}
        return found | (
            {"least": 2.0 * least} if squares is None else {"squares": squares}
        )

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """`least` is between -sum |x-o|^2 and sum |x-c|^2, each over p columns."""
        if "centres" not in question:
            width = (task.width,)
            return {
                "sums": Summand(shape=width, bound=largest_sum(task)),
                "squares": Summand(shape=width, bound=largest_square(task)),
            }
        starts, clusters = self._asked(question)
        shape = (starts, clusters, task.width)
        centres = points(question, "centres", shape)
        origin = points(question, "origin", (task.width,))
        distances = largest_square(task, centres, origin, columns=task.width)
        found = {
            "counts": Summand.count(shape[:2], task.rows),
            "sums": Summand(shape=shape, bound=largest_sum(task)),
        }
        if "growing" in question:
            if whole_number(question, "growing") != 1:
                raise malformed("growing")
            squares = Summand(shape=shape, bound=largest_square(task))
            return found | {"squares": squares}
        return found | {"least": Summand(shape=(starts,), bound=distances)}

    def rounds(self, task: Task) -> Rounds:
        """Step all starts that still move; then measure where they stand."""
        first = yield Question(arrays={})
        origin = first["sums"] / task.rows
        variances = np.maximum(first["squares"] / task.rows - origin**2, 0.0)
        spread = float(variances.sum()) * task.rows
        grown, asked = yield from grow(
            origin, variances, (self.n_init, self.n_clusters), task.seed
        )
        starts = [_Start(centres, centres) for centres in grown]
        asked += 1
        while any(np.isinf(start.inertia) for start in starts):
            moving = [i for i, s in enumerate(starts) if np.isinf(s.inertia)]
            centres = np.stack([starts[i].centres for i in moving])
            sums = yield Question(
                arrays={"origin": origin, "centres": centres},
                progress={"moving": float(len(moving))},
            )
            asked += 1
            for place, i in enumerate(moving):
                part = {name: values[place] for name, values in sums.items()}
                starts[i] = self._moved(starts[i], part, spread, variances)
        return self._best(starts, origin, asked)

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `KMeans` with these centres and their start.

        Fitted elsewhere, a clone of it starts where this fit started. Its `labels_`
        are empty: which row lies where stays with the row's domain. Beside what
        scikit-learn keeps, `mesh_means_` are those of the columns.
        """
        shape = (self.n_clusters, task.width)
        estimator: Any = Sklearn(
            n_clusters=self.n_clusters,
            init=checked(model, "start", shape).copy(),
            n_init=1,
            tol=self.tol,
            max_iter=self.max_iter,
            algorithm="lloyd",
        )
        estimator.cluster_centers_ = checked(model, "centres", shape).copy()
        estimator.inertia_ = float(checked(model, "inertia", (1,))[0])
        estimator.labels_ = np.zeros(0, dtype=np.int32)
        estimator.n_iter_ = whole_number(model, "steps")
        estimator.mesh_means_ = checked(model, "means", (task.width,)).copy()
        estimator.n_features_in_ = task.width
        estimator._n_features_out = self.n_clusters  # noqa: SLF001 (transform's names)
        estimator._n_threads = 1  # noqa: SLF001 (`predict` reads it)
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `centres`, `start` (k, p), `means` (p,), `inertia`, `steps` (1,)."""
        return {
            "centres": np.asarray(estimator.cluster_centers_, dtype=np.float64),
            "start": np.asarray(estimator.init, dtype=np.float64),
            "means": np.asarray(estimator.mesh_means_, dtype=np.float64),
            "inertia": np.array([estimator.inertia_], dtype=np.float64),
            "steps": np.array([estimator.n_iter_], dtype=np.int64),
        }

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return (rows,): each row's squared distance to the nearest centre."""
        centres = checked(model, "centres", (self.n_clusters, task.width))
        least = np.full(block.rows, np.inf)
        for centre in centres:
            apart = block.x - centre[:, None]
            np.minimum(least, np.einsum("ij,ij->j", apart, apart), out=least)
        return least

    def outcome(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return (rows,): each row's squared distance from the means."""
        return squares_from(checked(model, "means", (task.width,)), block)

    def _moved(
        self, start: _Start, sums: Arrays, spread: float, variances: Floats
    ) -> _Start:
        if start.still:
            inertia = max(spread + float(sums["least"]), 0.0)
            return replace(start, inertia=inertia)
        counts = sums["counts"][:, None]
        means = sums["sums"] / np.maximum(counts, 1)
        centres = np.where(counts > 0, means, start.centres)
        moved = float(np.square(centres - start.centres).sum())
        steps = start.steps + 1
        still = moved <= self.tol * float(variances.mean()) or steps >= self.max_iter
        empty = int((counts == 0).sum())
        return replace(start, centres=centres, steps=steps, still=still, empty=empty)

    def _best(self, starts: list[_Start], means: Floats, asked: int) -> Fitted:
        best = min(starts, key=lambda start: start.inertia)
        notes = []
        if best.empty:
            notes.append(
                f"{best.empty} of {self.n_clusters} centres have no row: ask for fewer."
            )
        if best.steps >= self.max_iter:
            notes.append(f"The centres still moved after {self.max_iter} steps.")
        return Fitted(
            model={
                "centres": best.centres,
                "start": best.origin,
                "means": means,
                "inertia": np.array([best.inertia]),
                "steps": np.array([best.steps]),
            },
            rounds=asked,
            loss=best.inertia,
            notes=tuple(notes),
        )

    def _asked(self, question: Arrays) -> tuple[int, int]:
        """Return how many starts and centres a question is about."""
        starts, clusters, *_ = (*question["centres"].shape, 0, 0)
        if not (1 <= starts <= self.n_init and 1 <= clusters <= self.n_clusters):
            raise malformed("centres")
        return starts, clusters


def _moments(design: Design, width: int) -> Arrays:
    sums, squares = np.zeros(width), np.zeros(width)
    for block in design.blocks():
        sums += block.x.sum(axis=1)
        squares += np.einsum("ij,ij->i", block.x, block.x)
    return {"sums": sums, "squares": squares}


def _nearest(scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Return 1 where a row's score is its least, rows by centre, and the least scores.

    Of centres at the same distance the first one has the row, as in scikit-learn.
    """
    least = scores.min(axis=0)
    ones = np.ones(len(least))
    inside = (scores == least).astype(np.float64)
    counts = inside @ ones
    if counts.sum() > len(least):  # two centres at the same distance from a row
        first = inside.argmax(axis=0)
        inside = np.equal(first, np.arange(len(scores))[:, None]).astype(np.float64)
        counts = inside @ ones
    return inside, counts, least
