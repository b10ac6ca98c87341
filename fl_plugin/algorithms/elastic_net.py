"""Exact federated elastic net: coordinate descent on products of columns.

Minimises  |y - X w - b|^2 / (2n) + alpha (rho |w|_1 + (1 - rho)/2 |w|^2), rho being
`l1_ratio`, the objective of scikit-learn's `ElasticNet` on the pooled rows; with rho 1
it is the lasso. b is not penalised. With X'X, X'y and y'y of centred columns (two
exchanges, `linear_models/least_squares.py`) the coordinator has all that coordinate
descent needs (`linear_models/descent.py`), with G = X'X/n and c = X'y/n.

What leaves a domain, masked: 2(p+1) numbers, then (p+2)(p+3)/2.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import ElasticNet as Sklearn

from fl_plugin.algorithms.base import Fitted, Rounds, Task
from fl_plugin.algorithms.checks.arrays import checked, whole_number
from fl_plugin.algorithms.checks.options import positive, within
from fl_plugin.algorithms.linear_models.descent import Problem, descend
from fl_plugin.algorithms.linear_models.estimators import (
    fill_regressor,
    regressor_arrays,
)
from fl_plugin.algorithms.linear_models.least_squares import LeastSquares
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class ElasticNet(LeastSquares):
    """Least squares with an L1 and an L2 penalty.

    Args:
        alpha: Weight of the penalty, as in scikit-learn; above 0.
        l1_ratio: Share of the L1 penalty, 0 to 1; 1 is the lasso.
    """

    name: ClassVar[str] = "elastic_net"
    title: ClassVar[str] = "Elastic net and lasso, exact (products of columns)"
    paper: ClassVar[str] = "Zou & Hastie (2005), Regularization via the elastic net"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    exact: ClassVar[str] = (
        "scikit-learn's ElasticNet(alpha, l1_ratio) on the pooled rows, solved to the "
        "last digits (tol=1e-14)"
    )
    leaves: ClassVar[str] = (
        "summed over the domain's training rows: each column and its square, then the "
        "products of all pairs of columns, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._coordinate_descent", "ElasticNet", "ObjectNode"),
    )
    alpha: float = 1.0
    l1_ratio: float = 0.5

    def __post_init__(self) -> None:
        """Refuse weights that are none."""
        positive(self.name, "alpha", self.alpha)
        within(self.name, "l1_ratio", self.l1_ratio, (0.0, 1.0))

    def rounds(self, task: Task) -> Rounds:
        """Ask for the products; the rest is the coordinator's.

        Raises:
            TrainingError: The descent did not end, as columns repeat one another.
        """
        gram = yield from self.gram(task)
        columns, target = gram.scale[:-1], gram.scale[-1]
        problem = Problem(
            g=gram.matrix / gram.rows,
            c=gram.target / gram.rows,
            first=self.alpha * self.l1_ratio / (columns * target),
            second=self.alpha * (1.0 - self.l1_ratio) / columns**2,
        )
        scaled, sweeps = descend(problem)
        own = scaled * gram.unit
        gap = _gap(problem, scaled, gram.square / gram.rows) * float(target) ** 2
        return Fitted(
            model=gram.model(own)
            | {"iterations": np.array([sweeps]), "gap": np.array([gap])},
            rounds=2,
            loss=gram.residue(scaled) / (2.0 * gram.rows) + self._penalty(own),
            notes=(f"{int((own == 0).sum())} of {task.width} coefficients are 0.",),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `ElasticNet` with these coefficients."""
        estimator = Sklearn(alpha=self.alpha, l1_ratio=self.l1_ratio)
        fill_regressor(estimator, model, task.width)
        estimator.n_iter_ = whole_number(model, "iterations")
        estimator.dual_gap_ = checked(model, "gap", (1,))[0]
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `coefficients` (p,), `intercept`, `iterations` and `gap` (1,)."""
        return {
            **regressor_arrays(estimator),
            "iterations": np.array([estimator.n_iter_], dtype=np.int64),
            "gap": np.array([estimator.dual_gap_], dtype=np.float64),
        }

    def _penalty(self, own: Floats) -> float:
        first, second = float(np.abs(own).sum()), float(own @ own)
        return self.alpha * (
            self.l1_ratio * first + (1.0 - self.l1_ratio) / 2.0 * second
        )


def _gap(problem: Problem, w: Floats, mean_square: float) -> float:
    """Return the duality gap (Kim et al. 2007, section III).

    The residual, shrunk until it is feasible, is the dual point; the L2 penalty counts
    as rows of its own, sqrt(second_j) with target 0.
    """
    pull = problem.c - problem.g @ w - problem.second * w
    left = float((problem.second * w**2).sum())
    square = mean_square - float(2.0 * w @ problem.c - w @ problem.g @ w)
    square = max(square, 0.0) + left
    over = np.abs(pull) > problem.first
    ratios = problem.first[over] / np.abs(pull)[over]
    shrink = float(ratios.min(initial=1.0))
    along = square + float(w @ pull)  # residual times target
    first = float((problem.first * np.abs(w)).sum())
    return 0.5 * (1.0 + shrink**2) * square + first - shrink * along
