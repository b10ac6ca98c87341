"""Exact federated gamma regression: positive amounts with mean exp(z).

Row by row, with q = y exp(-z), z = w x + b:

    l = z + q,   r = 1 - q,   h = q.

Objective and solver: `log_link.py`, `newton.py`. What leaves a domain per round,
masked: 2 + (p+1) + (p+1)(p+2)/2 numbers; in the last rounds 2 + (p+1).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn._loss.loss import HalfGammaLoss
from sklearn.linear_model import GammaRegressor

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.linear_models.log_link import LogLinkRegression
from fl_plugin.summand import Floats


@dataclass(frozen=True, kw_only=True)
class GammaRegression(LogLinkRegression):
    """Gamma regression with an L2 penalty; every target must be above 0.

    Args:
        alpha: Weight of the penalty, as in scikit-learn; 0 or more.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "gamma_regression"
    title: ClassVar[str] = "Gamma regression, exact (Newton on summed derivatives)"
    paper: ClassVar[str] = "McCullagh & Nelder (1989), chapter 8"
    targets: ClassVar[tuple[str, ...]] = ("regression",)
    exact: ClassVar[str] = "scikit-learn's GammaRegressor(alpha) on the pooled rows"
    leaves: ClassVar[str] = (
        "per round, summed over the domain's training rows: the loss, its gradient "
        "and (but for the last rounds) its Hessian, as masked fixed-point integers; "
        "whether they broke the public bound"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._glm.glm", "GammaRegressor", "ObjectNode"),
        ("sklearn._loss.loss", "HalfGammaLoss", "ObjectNode"),
        ("sklearn._loss._loss", "CyHalfGammaLoss", "LossNode"),
        ("sklearn._loss.link", "LogLink", "ObjectNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
    )
    zeros: ClassVar[bool] = False

    def losses(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its first and second derivative by z."""
        quotient = y * np.exp(-z)
        return z + quotient, 1.0 - quotient, quotient

    def level(self, task: Task) -> float:  # noqa: ARG002
        """Return the curvature at the mean target."""
        return 1.0

    def regressor(self) -> GammaRegressor:
        """Return scikit-learn's estimator, unfitted but for its `_base_loss`."""
        regressor = GammaRegressor(alpha=self.alpha, solver="newton-cholesky")
        regressor._base_loss = HalfGammaLoss()  # noqa: SLF001  # predict needs it
        return regressor
