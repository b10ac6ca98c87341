"""Exact federated Bernoulli naive Bayes: one round of counts.

Within a class every column is on (above a threshold) with a chance of its own. The
chances are counts of rows over counts of rows, so whole numbers are all that leaves a
domain, and their sum is exact: Manning, Raghavan & Schütze (2008), section 13.3.

What leaves a domain, masked: K counts of rows and K p counts of rows that are on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import BernoulliNB as Sklearn

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
from fl_plugin.algorithms.geometry.points import FARTHEST
from fl_plugin.summand import Arrays, Summand

SMALLEST_ALPHA = 1e-10  # below it scikit-learn's logarithms run to infinity


@dataclass(frozen=True, kw_only=True)
class BernoulliNB(RowAlgorithm):
    """Bernoulli naive Bayes.

    Args:
        alpha: Rows added to both sides of every count (Laplace); above 0.
        binarize: A column is on where its prepared value is above this.
        fit_prior: Learn how frequent the classes are; otherwise all are alike.
    """

    name: ClassVar[str] = "bernoulli_nb"
    title: ClassVar[str] = "Bernoulli naive Bayes, exact"
    paper: ClassVar[str] = (
        "Manning, Raghavan & Schütze (2008), section 13.3, "
        "https://nlp.stanford.edu/IR-book/"
    )
    targets: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    exact: ClassVar[str] = (
        "scikit-learn's BernoulliNB(alpha, binarize, fit_prior) on the pooled rows, "
        "count for count"
    )
    leaves: ClassVar[str] = (
        "rows by class, and how many of them have each column above the threshold, as "
        "masked whole numbers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.naive_bayes", "BernoulliNB", "ObjectNode"),
    )
    alpha: float = 1.0
    binarize: float = 0.0
    fit_prior: bool = True

    def __post_init__(self) -> None:
        """Refuse what scikit-learn refuses, or would change without a word."""
        within(self.name, "alpha", self.alpha, (SMALLEST_ALPHA, 1e9))
        within(self.name, "binarize", self.binarize, (0.0, FARTHEST))

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:  # noqa: ARG002
        """Rows by class, and rows by class and column that are on."""
        classes = len(task.target.classes)
        counts = np.zeros(classes)
        on = np.zeros((classes, task.width))
        for block in design.blocks():
            inside = membership(block.y, classes)
            counts += inside.sum(axis=1)
            on += inside @ (block.x > self.binarize).astype(np.float64).T
        # Floats hold whole numbers exactly far beyond any count of rows.
        return {"counts": counts.astype(np.int64), "on": on.astype(np.int64)}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:  # noqa: ARG002
        """No count is above the number of rows."""
        shape = (len(task.target.classes), task.width)
        return {"counts": class_counts(task), "on": Summand.count(shape, task.rows)}

    def rounds(self, task: Task) -> Rounds:
        """Ask once."""
        sums = yield Question(arrays={})
        counts = seen(sums["counts"], task)
        return Fitted(
            model={"counts": counts, "on": sums["on"].astype(np.float64)}, rounds=1
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `BernoulliNB`, its logarithms taken of these counts."""
        classes = len(task.target.classes)
        counts = checked(model, "counts", (classes,))
        on = checked(model, "on", (classes, task.width))
        if not ((counts > 0).all() and (on >= 0).all() and (counts >= on.T).all()):
            raise malformed("on")
        estimator: Any = Sklearn(
            alpha=self.alpha, binarize=self.binarize, fit_prior=self.fit_prior
        )
        estimator.classes_ = np.array(task.target.classes)
        estimator.class_count_ = counts.copy()
        estimator.feature_count_ = on.copy()
        estimator.feature_log_prob_ = np.log(on + self.alpha) - np.log(
            counts[:, None] + 2.0 * self.alpha
        )
        share = (
            counts / counts.sum() if self.fit_prior else np.full(classes, 1 / classes)
        )
        estimator.class_log_prior_ = np.log(share)
        estimator.n_features_in_ = task.width
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `counts` (K,) and `on` (K, p)."""
        return {
            "counts": np.asarray(estimator.class_count_, dtype=np.float64),
            "on": np.asarray(estimator.feature_count_, dtype=np.float64),
        }
