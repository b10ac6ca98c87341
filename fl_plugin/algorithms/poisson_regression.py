"""Exact federated Poisson regression: counts with mean exp(z).

Row by row, with mu = exp(z), z = w x + b:

    l = mu - y z,   r = mu - y,   h = mu.

Objective and solver: `log_link.py`, `newton.py`. What leaves a domain per round,
masked: 2 + (p+1) + (p+1)(p+2)/2 numbers; in the last rounds 2 + (p+1).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn._loss.loss import HalfPoissonLoss
from sklearn.linear_model import PoissonRegressor

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.linear_models.log_link import LogLinkRegression
from fl_plugin.summand import Floats


@dataclass(frozen=True, kw_only=True)
class PoissonRegression(LogLinkRegression):
    """Poisson regression with an L2 penalty.

    Args:
        alpha: Weight of the penalty, as in scikit-learn; 0 or more.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "poisson_regression"
    title: ClassVar[str] = "Poisson regression, exact (Newton on summed derivatives)"
    paper: ClassVar[str] = "McCullagh & Nelder (1989), chapter 6"
    targets: ClassVar[tuple[str, ...]] = ("count", "regression")
    exact: ClassVar[str] = "scikit-learn's PoissonRegressor(alpha) on the pooled rows"
    leaves: ClassVar[str] = (
        "per round, summed over the domain's training rows: the loss, its gradient "
        "and (but for the last rounds) its Hessian, as masked fixed-point integers; "
        "whether they broke the public bound"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._glm.glm", "PoissonRegressor", "ObjectNode"),
        ("sklearn._loss.loss", "HalfPoissonLoss", "ObjectNode"),
        ("sklearn._loss._loss", "CyHalfPoissonLoss", "LossNode"),
        ("sklearn._loss.link", "LogLink", "ObjectNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
    )

    def losses(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its first and second derivative by z."""
        mean = np.exp(z)
        return mean - y * z, mean - y, mean

    def level(self, task: Task) -> float:
        """Return the curvature at the mean target, or the targets' size if larger."""
        return max(task.target_mean, math.sqrt(task.target_mean_square))

    def regressor(self) -> PoissonRegressor:
        """Return scikit-learn's estimator, unfitted but for its `_base_loss`."""
        regressor = PoissonRegressor(alpha=self.alpha, solver="newton-cholesky")
        regressor._base_loss = HalfPoissonLoss()  # noqa: SLF001  # predict needs it
        return regressor
