"""Exact federated ridge regression from products of columns.

Minimises  |y - X w - b|^2 + alpha |w|^2, the objective of scikit-learn's `Ridge(alpha)`
on the pooled rows; b is not penalised. With the columns centred, b is the difference of
the means and w solves

    (X'X + alpha) w = X'y.

X'X, X'y and y'y are sums over rows, hence over parties: two exchanges hold all that is
needed (`gram.py`). Where the system is ill-conditioned, the gradient is measured at the
solution and w corrected by it.

What leaves a domain, masked: 2(p+1) numbers, then (p+2)(p+3)/2, then p+1 per
refinement.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge as Sklearn

from fl_plugin.algorithms.base import Fitted, Rounds, Task
from fl_plugin.algorithms.checks.options import positive
from fl_plugin.algorithms.linear_models.estimators import (
    fill_regressor,
    regressor_arrays,
)
from fl_plugin.algorithms.linear_models.least_squares import (
    LeastSquares,
    Solution,
)
from fl_plugin.algorithms.linear_models.normal_equations import (
    ill_conditioned,
    solve_even,
)
from fl_plugin.summand import Arrays


@dataclass(frozen=True, kw_only=True)
class Ridge(LeastSquares):
    """Least squares with an L2 penalty.

    Args:
        alpha: Weight of the penalty, as in scikit-learn; above 0.
    """

    name: ClassVar[str] = "ridge"
    title: ClassVar[str] = "Ridge regression, exact (products of columns)"
    paper: ClassVar[str] = "Hoerl & Kennard (1970), Ridge regression"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    exact: ClassVar[str] = "scikit-learn's Ridge(alpha) on the pooled rows"
    leaves: ClassVar[str] = (
        "summed over the domain's training rows: each column and its square, then the "
        "products of all pairs of columns, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._ridge", "Ridge", "ObjectNode"),
    )
    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a penalty of 0, which is linear_regression."""
        positive(self.name, "alpha", self.alpha)

    def rounds(self, task: Task) -> Rounds:
        """Ask for the products, solve, refine where that is needed."""
        gram = yield from self.gram(task)
        penalty = self.alpha / gram.scale[:-1] ** 2
        system = gram.matrix + np.diag(penalty)
        scaled = solve_even(system, gram.target)
        found = Solution(scaled, system @ scaled - gram.target)
        if ill_conditioned(system):
            solving = partial(solve_even, system)
            found = yield from self.refine(gram, penalty, solving)
        own = found.scaled * gram.unit
        return Fitted(
            model=gram.model(own),
            rounds=2 + found.asked,
            loss=gram.residue(found.scaled) + self.alpha * float(own @ own),
            certificate=gram.certify(found, self.alpha),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `Ridge` with these coefficients."""
        estimator = Sklearn(alpha=self.alpha, solver="cholesky")
        fill_regressor(estimator, model, task.width)
        estimator.n_iter_, estimator.solver_ = None, "cholesky"
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `coefficients` (p,) and `intercept` (1,)."""
        return regressor_arrays(estimator)
