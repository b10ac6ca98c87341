"""Exact federated Tweedie regression: amounts that are often 0, with mean exp(z).

The variance grows as the mean's power p, 1 < p < 2. Row by row, z = w x + b, with
a = exp((2-p) z) and b = y exp((1-p) z):

    l = a / (2-p) + b / (p-1),   r = a - b,   h = (2-p) a + (p-1) b.

Powers 1 and 2 are Poisson and gamma regression; outside of 1 to 2 the objective is not
convex. Objective and solver: `log_link.py`, `newton.py`. What leaves a domain per
round, masked: 2 + (p+1) + (p+1)(p+2)/2 numbers; in the last rounds 2 + (p+1).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn._loss.loss import HalfTweedieLoss
from sklearn.linear_model import TweedieRegressor

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.linear_models.log_link import LogLinkRegression
from fl_plugin.errors import ContractError
from fl_plugin.summand import Floats


@dataclass(frozen=True, kw_only=True)
class TweedieRegression(LogLinkRegression):
    """Tweedie regression of a power between 1 and 2, with an L2 penalty.

    Args:
        power: Of the mean, to which the variance is proportional; 1 < power < 2.
        alpha: Weight of the penalty, as in scikit-learn; 0 or more.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "tweedie_regression"
    title: ClassVar[str] = "Tweedie regression, exact (Newton on summed derivatives)"
    paper: ClassVar[str] = "Jorgensen (1987), Exponential dispersion models"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    exact: ClassVar[str] = (
        'scikit-learn\'s TweedieRegressor(power, alpha, link="log") on the pooled rows'
    )
    leaves: ClassVar[str] = (
        "per round, summed over the domain's training rows: the loss, its gradient "
        "and (but for the last rounds) its Hessian, as masked fixed-point integers; "
        "whether they broke the public bound"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._glm.glm", "TweedieRegressor", "ObjectNode"),
        ("sklearn._loss.loss", "HalfTweedieLoss", "ObjectNode"),
        ("sklearn._loss._loss", "CyHalfTweedieLoss", "LossNode"),
        ("sklearn._loss.link", "LogLink", "ObjectNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
    )
    power: float = 1.5

    def __post_init__(self) -> None:
        """Refuse a power outside of 1 to 2."""
        super().__post_init__()
        if not 1.0 < self.power < 2.0:  # noqa: PLR2004
            raise ContractError(
                f"power of {self.name} must be between 1 and 2.",
                remedy="Choose poisson_regression for 1 and gamma_regression for 2.",
            )

    @property
    def spread(self) -> float:
        """How much larger a row's |r| can be than its h."""
        return 1.0 / min(2.0 - self.power, self.power - 1.0)

    def losses(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its first and second derivative by z."""
        up, down = 2.0 - self.power, self.power - 1.0
        a = np.exp(up * z)
        b = y * np.exp(-down * z)
        return a / up + b / down, a - b, up * a + down * b

    def level(self, task: Task) -> float:
        """Return the curvature at the mean target."""
        return math.pow(max(task.target_mean, 0.0), 2.0 - self.power)

    def regressor(self) -> TweedieRegressor:
        """Return scikit-learn's estimator, unfitted but for its `_base_loss`."""
        regressor = TweedieRegressor(
            power=self.power, alpha=self.alpha, link="log", solver="newton-cholesky"
        )
        loss = HalfTweedieLoss(power=self.power)
        regressor._base_loss = loss  # noqa: SLF001  # predict needs it
        return regressor
