"""Private logistic regression: Newton's method on noisy sums (`private.newton`)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from fl_plugin.algorithms.base import Block, Task
from fl_plugin.algorithms.checks.arrays import checked, whole_number
from fl_plugin.algorithms.private.newton import PrivateNewton
from fl_plugin.algorithms.private.releases import linear
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class PrivateLogisticRegression(PrivateNewton):
    """Binary logistic regression under differential privacy.

    Args:
        l2: Weight of the penalty, 1/C of scikit-learn.
        steps: How many noisy steps are taken.
        norm: Longer rows are shortened to this Euclidean norm.
        curvature: Share of the budget that goes to the Hessian.
    """

    name: ClassVar[str] = "private_logistic_regression"
    title: ClassVar[str] = "Logistic regression under differential privacy"
    paper: ClassVar[str] = "Ganesh, Haghifam, Steinke & Thakurta (2023), algorithm 2"
    targets: ClassVar[tuple[str, ...]] = ("binary",)
    leaves: ClassVar[str] = (
        "per step, summed over the domain's training rows: gradient and Hessian of the "
        "loss, with noise, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode"),
    )

    @property
    def highest(self) -> tuple[float, float]:
        """A chance differs from 0 or 1 by at most 1; its slope is at most 1/4."""
        return 1.0, 0.25

    def means(self, z: Floats) -> Floats:
        """Return the chance of the second class."""
        return np.asarray(expit(z))

    def weights(self, z: Floats) -> Floats:
        """Return the chance's slope."""
        return np.asarray(expit(z) * expit(-z))

    def observed(self, y: Floats) -> Floats:
        """Return 0 or 1."""
        return np.asarray(np.where(y > 0, 1.0, 0.0))  # NaN is no 1

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `LogisticRegression` with these coefficients."""
        inverse = 1.0 / self.l2 if self.l2 > 0 else float("inf")
        estimator: Any = LogisticRegression(C=inverse, solver="newton-cholesky")
        estimator.classes_ = np.array(task.target.classes)
        estimator.coef_ = checked(model, "coefficients", (1, task.width)).copy()
        estimator.intercept_ = checked(model, "intercept", (1,)).copy()
        steps = whole_number(model, "iterations")
        estimator.n_iter_ = np.array([steps], dtype=np.int32)
        estimator.n_features_in_ = task.width
        return estimator

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return what the estimator would, each row by itself."""
        estimator: Any = self.estimator(model, task)
        weights, intercept = np.ravel(estimator.coef_), np.ravel(estimator.intercept_)
        z = linear(weights, float(intercept[0]), block.x)
        return np.asarray(expit(z))

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `coefficients` (1, p), `intercept` (1,) and `iterations` (1,)."""
        fitted: Any = estimator
        return {
            "coefficients": np.asarray(fitted.coef_, dtype=np.float64),
            "intercept": np.asarray(fitted.intercept_, dtype=np.float64),
            "iterations": np.asarray(fitted.n_iter_, dtype=np.int64),
        }
