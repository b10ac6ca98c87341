"""Private Poisson regression: Newton's method on noisy sums (`private.newton`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import PoissonRegressor

from fl_plugin.algorithms.base import Block, Task
from fl_plugin.algorithms.checks.arrays import checked, whole_number
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.private.newton import PrivateNewton
from fl_plugin.algorithms.private.releases import linear
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class PrivatePoissonRegression(PrivateNewton):
    """Regression of a count under differential privacy.

    Args:
        l2: Weight of the penalty on the summed loss.
        steps: How many noisy steps are taken.
        norm: Longer rows are shortened to this Euclidean norm.
        curvature: Share of the budget that goes to the Hessian.
        ceiling: Larger counts, and larger expected counts, are clipped to it; a study
            leaves it to the upper of the `bounds` of the target's contracts, or lowers
            it. Noise grows with it.
    """

    name: ClassVar[str] = "private_poisson_regression"
    title: ClassVar[str] = "Poisson regression under differential privacy"
    paper: ClassVar[str] = "Ganesh, Haghifam, Steinke & Thakurta (2023), algorithm 2"
    targets: ClassVar[tuple[str, ...]] = ("count",)
    leaves: ClassVar[str] = (
        "per step, summed over the domain's training rows: gradient and Hessian of the "
        "deviance, with noise, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._glm.glm", "PoissonRegressor", "ObjectNode"),
        ("sklearn._loss.loss", "HalfPoissonLoss", "ObjectNode"),
        ("sklearn._loss._loss", "CyHalfPoissonLoss", "LossNode"),
        ("sklearn._loss.link", "LogLink", "ObjectNode"),
        ("sklearn._loss.link", "Interval", "ObjectNode"),
    )
    target_ends: ClassVar[Mapping[str, str]] = {"ceiling": "high"}
    steps: int = 8
    ceiling: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        super().__post_init__()
        within(self.name, "ceiling", self.ceiling, (1.0, 1e6))

    @property
    def highest(self) -> tuple[float, float]:
        """Mean and count lie within 0 to the ceiling."""
        return self.ceiling, self.ceiling

    def means(self, z: Floats) -> Floats:
        """Return the expected count."""
        return np.asarray(np.minimum(np.exp(z), self.ceiling))

    def weights(self, z: Floats) -> Floats:
        """Return the curvature, which is the expected count."""
        return self.means(z)

    def observed(self, y: Floats) -> Floats:
        """Return the count within its bounds; NaN counts as 0."""
        return np.asarray(np.clip(np.nan_to_num(y, nan=0.0), 0.0, self.ceiling))

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `PoissonRegressor` with these coefficients.

        Its `alpha` is per row: the penalty over the public bound on the rows.
        """
        estimator: Any = PoissonRegressor(alpha=self.l2 / max(task.rows, 1))
        estimator.coef_ = checked(model, "coefficients", (1, task.width))[0].copy()
        estimator.intercept_ = float(checked(model, "intercept", (1,))[0])
        estimator.n_iter_ = whole_number(model, "iterations")
        estimator.n_features_in_ = task.width
        estimator._base_loss = estimator._get_loss()  # noqa: SLF001 - predict needs it
        return estimator

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return what the estimator would, each row by itself."""
        estimator: Any = self.estimator(model, task)
        weights, intercept = np.ravel(estimator.coef_), np.ravel(estimator.intercept_)
        z = linear(weights, float(intercept[0]), block.x)
        return np.asarray(np.exp(z))

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `coefficients` (1, p), `intercept` (1,) and `iterations` (1,)."""
        fitted: Any = estimator
        return {
            "coefficients": np.asarray(fitted.coef_, dtype=np.float64)[None, :],
            "intercept": np.array([fitted.intercept_], dtype=np.float64),
            "iterations": np.array([fitted.n_iter_], dtype=np.int64),
        }
