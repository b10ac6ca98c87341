"""Exact federated linear discriminant analysis: means by class, then their scatter.

All classes share one covariance matrix, that of the rows about the mean of their class
(Fisher 1936; Hastie, Tibshirani & Friedman 2009, section 4.3). Counts and sums by class
give the means in a first round; products of columns about them are summed in a second.

What leaves a domain, masked: K counts and K p sums, then p(p+1)/2 sums of products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fl_plugin.algorithms.base import (
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.by_class.sums import class_counts, membership, seen
from fl_plugin.algorithms.checks.arrays import checked
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.points import largest_square, largest_sum, points
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.summand import Arrays, Floats, Summand


@dataclass(frozen=True, kw_only=True)
class LinearDiscriminant(RowAlgorithm):
    """Linear discriminant analysis.

    Args:
        shrinkage: How far the covariance is drawn towards a multiple of the identity,
            0 to 1; above 0 where columns repeat one another.
    """

    name: ClassVar[str] = "linear_discriminant"
    title: ClassVar[str] = "Linear discriminant analysis, exact"
    paper: ClassVar[str] = "Fisher (1936), doi:10.1111/j.1469-1809.1936.tb02137.x"
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    exact: ClassVar[str] = (
        "scikit-learn's LinearDiscriminantAnalysis(solver='lsqr', shrinkage) on the "
        "pooled rows, up to rounding"
    )
    leaves: ClassVar[str] = (
        "rows and sums of every column by class, and sums of products of every two "
        "columns about the class's means, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "sklearn.discriminant_analysis",
            "LinearDiscriminantAnalysis",
            "ObjectNode",
        ),
    )
    shrinkage: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what scikit-learn refuses."""
        within(self.name, "shrinkage", self.shrinkage, (0.0, 1.0))

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """A party's half: never sees another party, never leaves the domain."""
        classes, means = len(task.target.classes), question.get("means")
        counts, sums = np.zeros(classes), np.zeros((classes, task.width))
        scatter = np.zeros((task.width, task.width))
        for block in design.blocks():
            inside = membership(block.y, classes)
            if means is None:
                counts += inside.sum(axis=1)
                sums += inside @ block.x.T
            else:
                apart = block.x - means.T @ inside
                scatter += apart @ apart.T
        if means is None:
            return {"counts": counts.astype(np.int64), "sums": sums}
        return {"scatter": triangle(scatter)}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """What both sides know of an answer beforehand: its shapes and bounds."""
        shape = (len(task.target.classes), task.width)
        if "means" in question:
            bound = largest_square(task, points(question, "means", shape))
            size = half_size(task.width)
            return {"scatter": Summand(shape=(size,), bound=bound)}
        return {
            "counts": class_counts(task),
            "sums": Summand(shape=shape, bound=largest_sum(task)),
        }

    def rounds(self, task: Task) -> Rounds:
        """The coordinator's half: what to ask, and what to make of the sums."""
        first = yield Question(arrays={})
        counts = seen(first["counts"], task)
        means = first["sums"] / counts[:, None]
        second = yield Question(arrays={"means": means})
        covariance = full(second["scatter"], task.width) / counts.sum()
        level = np.trace(covariance) / task.width
        shrunk = (1.0 - self.shrinkage) * covariance
        shrunk += self.shrinkage * level * np.eye(task.width)
        model = {"counts": counts, "means": means, "covariance": shrunk}
        return Fitted(model=model, rounds=2)

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return the fitted estimator of scikit-learn; check what came by wire."""
        classes = len(task.target.classes)
        counts = checked(model, "counts", (classes,))
        means = checked(model, "means", (classes, task.width))
        covariance = checked(model, "covariance", (task.width, task.width))
        estimator: Any = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage=self.shrinkage or None
        )
        estimator.classes_ = np.array(task.target.classes)
        estimator.priors_ = counts / counts.sum()
        estimator.means_, estimator.covariance_ = means.copy(), covariance.copy()
        coefficients = np.linalg.lstsq(covariance, means.T)[0].T
        offsets = np.log(estimator.priors_) - 0.5 * (means * coefficients).sum(axis=1)
        if classes == 2:  # noqa: PLR2004 (scikit-learn keeps the difference alone)
            coefficients = np.diff(coefficients, axis=0)
            offsets = np.diff(offsets)
        estimator.coef_, estimator.intercept_ = coefficients, offsets
        estimator.n_features_in_ = task.width
        estimator._max_components = min(classes - 1, task.width)  # noqa: SLF001
        estimator._n_features_out = estimator._max_components  # noqa: SLF001
        estimator.class_count_ = counts.copy()  # priors alone would not give it back
        return estimator

    def model_of(self, estimator: Any) -> dict[str, Floats]:
        """Return `counts` (K,), `means` (K, p) and `covariance` (p, p)."""
        return {
            "counts": np.asarray(estimator.class_count_, dtype=np.float64),
            "means": np.asarray(estimator.means_, dtype=np.float64),
            "covariance": np.asarray(estimator.covariance_, dtype=np.float64),
        }
