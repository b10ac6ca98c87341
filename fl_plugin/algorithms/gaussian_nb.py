"""Exact federated Gaussian naive Bayes: means, then squares about the means, by class.

Within a class every column is a normal of its own. Its mean and variance come from
sums over rows, hence over parties: the counts and sums by class in one round, the
squares about the then known means in a second one, which loses no digit where a mean
is large beside its spread (Chan, Golub & LeVeque 1983). scikit-learn widens every
variance by a share of the largest variance of any column; that one follows from the
same sums, since total squares = squares within classes + squares between them.

What leaves a domain, masked: K counts and K p sums, then K p sums of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB as Sklearn

from fl_plugin.algorithms.base import (
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.by_class.sums import class_counts, membership, seen
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.points import largest_square, largest_sum, points
from fl_plugin.summand import Arrays, Summand


@dataclass(frozen=True, kw_only=True)
class GaussianNB(RowAlgorithm):
    """Gaussian naive Bayes.

    Args:
        var_smoothing: Every variance is widened by this share of the largest variance
            of a column.
    """

    name: ClassVar[str] = "gaussian_nb"
    title: ClassVar[str] = "Gaussian naive Bayes, exact"
    paper: ClassVar[str] = (
        "Chan, Golub & LeVeque (1983), doi:10.1080/00031305.1983.10483115"
    )
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    exact: ClassVar[str] = (
        "scikit-learn's GaussianNB(var_smoothing) on the pooled rows, up to rounding"
    )
    leaves: ClassVar[str] = (
        "rows, sums of every column and sums of its squares about the class's mean, "
        "by class, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.naive_bayes", "GaussianNB", "ObjectNode"),
    )
    var_smoothing: float = 1e-9

    def __post_init__(self) -> None:
        """Refuse what scikit-learn refuses."""
        within(self.name, "var_smoothing", self.var_smoothing, (0.0, 1.0))

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Counts and sums by class; once `means` are asked about, squares instead."""
        classes = len(task.target.classes)
        means = question.get("means")
        counts = np.zeros(classes)
        sums = np.zeros((classes, task.width))
        for block in design.blocks():
            inside = membership(block.y, classes)
            if means is None:
                counts += inside.sum(axis=1)
                sums += inside @ block.x.T
            else:
                apart = block.x - means.T @ inside
                np.square(apart, out=apart)
                sums += inside @ apart.T
        if means is None:
            return {"counts": counts.astype(np.int64), "sums": sums}
        return {"squares": sums}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Some of the rows, summed, stay below what all rows can sum to."""
        shape = (len(task.target.classes), task.width)
        if "means" in question:
            bound = largest_square(task, points(question, "means", shape))
            return {"squares": Summand(shape=shape, bound=bound)}
        return {
            "counts": class_counts(task),
            "sums": Summand(shape=shape, bound=largest_sum(task)),
        }

    def rounds(self, task: Task) -> Rounds:
        """Ask for sums, then for squares about the means that they give."""
        first = yield Question(arrays={})
        counts = seen(first["counts"], task)
        means = first["sums"] / counts[:, None]
        second = yield Question(arrays={"means": means})
        squares = np.maximum(second["squares"], 0.0)  # rounding may pass zero
        centre = counts @ means / counts.sum()
        between = counts @ (means - centre) ** 2
        widest = float((squares.sum(axis=0) + between).max() / counts.sum())
        epsilon = self.var_smoothing * widest
        return Fitted(
            model={
                "counts": counts,
                "means": means,
                "variances": squares / counts[:, None] + epsilon,
                "epsilon": np.array([epsilon]),
            },
            rounds=2,
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `GaussianNB` with these means and variances."""
        classes = len(task.target.classes)
        counts = checked(model, "counts", (classes,))
        variances = checked(model, "variances", (classes, task.width))
        if not ((counts > 0).all() and (variances >= 0).all()):
            raise malformed("variances")
        estimator: Any = Sklearn(var_smoothing=self.var_smoothing)
        estimator.classes_ = np.array(task.target.classes)
        estimator.class_count_ = counts.copy()
        estimator.class_prior_ = counts / counts.sum()
        estimator.theta_ = checked(model, "means", (classes, task.width)).copy()
        estimator.var_ = variances.copy()
        estimator.epsilon_ = float(checked(model, "epsilon", (1,))[0])
        estimator.n_features_in_ = task.width
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `counts` (K,), `means` and `variances` (K, p), `epsilon` (1,)."""
        return {
            "counts": np.asarray(estimator.class_count_, dtype=np.float64),
            "means": np.asarray(estimator.theta_, dtype=np.float64),
            "variances": np.asarray(estimator.var_, dtype=np.float64),
            "epsilon": np.array([estimator.epsilon_], dtype=np.float64),
        }
