"""Exact federated elastic net: coordinate descent on products of columns.

Minimises  |y - X w - b|^2 / (2n) + alpha (rho |w|_1 + (1 - rho)/2 |w|^2), rho being
`l1_ratio`, the objective of scikit-learn's `ElasticNet` on the pooled rows; with rho 1
it is the lasso. b is not penalised. With X'X, X'y and y'y of centred columns (two
exchanges, `gram.py`) the coordinator has all that the descent needs: one coordinate
after the other moves to its optimum (Friedman, Hastie & Tibshirani 2010,
"Regularization paths for generalized linear models via coordinate descent"),

    w_j = soft(c_j - sum_{k not j} G_jk w_k, rho alpha) / (G_jj + (1 - rho) alpha),

G = X'X/n, c = X'y/n. Once the signs are right, the non-zero coefficients solve a linear
system, which gives them to the last digits; that the zeros stay zeros is checked.

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
from fl_plugin.algorithms.linear_models.estimators import (
    fill_regressor,
    regressor_arrays,
)
from fl_plugin.algorithms.linear_models.least_squares import LeastSquares
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats

SWEEPS = 25  # between two looks whether the signs are right
MOST_SWEEPS = 100_000
# The optimality conditions hold to this share of the largest |c|.
SLACK = 1e-12


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """The objective over y's square, in columns of size 1.

    Args:
        g: G, (p, p).
        c: (p,).
        first: Weight of |w_j|.
        second: Weight of w_j^2 / 2.
    """

    g: Floats
    c: Floats
    first: Floats
    second: Floats


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
        problem = _Problem(
            g=gram.matrix / gram.rows,
            c=gram.target / gram.rows,
            first=self.alpha * self.l1_ratio / (columns * target),
            second=self.alpha * (1.0 - self.l1_ratio) / columns**2,
        )
        scaled, sweeps = _descend(problem)
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


def _descend(problem: _Problem) -> tuple[Floats, int]:
    """Return the optimum and the sweeps over all coordinates that it took."""
    w = np.zeros(len(problem.c))
    for sweep in range(1, MOST_SWEEPS + 1):
        before = w.copy()
        _sweep(problem, w)
        if sweep % SWEEPS == 0 or np.array_equal(w, before):
            exact = _with_signs(problem, np.sign(w))
            if exact is not None:
                return exact, sweep
            if np.abs(w - before).max(initial=0.0) <= SLACK * np.abs(w).max(
                initial=0.0
            ):
                return w, sweep  # several optima; this is one
    raise TrainingError(
        f"Coordinate descent did not end in {MOST_SWEEPS} sweeps.",
        remedy="Raise alpha in the study, or drop features that repeat one another.",
    )


def _sweep(problem: _Problem, w: Floats) -> None:
    """Move every coordinate of `w` to its optimum, in place."""
    diagonal = np.diag(problem.g)
    for j in np.flatnonzero(diagonal + problem.second > 0.0):
        pull = problem.c[j] - problem.g[j] @ w + diagonal[j] * w[j]
        shrunk = np.sign(pull) * max(abs(pull) - problem.first[j], 0.0)
        w[j] = shrunk / (diagonal[j] + problem.second[j])


def _with_signs(problem: _Problem, signs: Floats) -> Floats | None:
    """Return the optimum if it has these signs: its non-zeros solve a linear system."""
    w, active = np.zeros(len(signs)), np.flatnonzero(signs)
    system = problem.g[np.ix_(active, active)] + np.diag(problem.second[active])
    right = problem.c[active] - problem.first[active] * signs[active]
    try:
        w[active] = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        return None
    pull = problem.c - problem.g @ w - problem.second * w
    slack = SLACK * float(np.abs(problem.c).max(initial=0.0))
    if not (np.sign(w[active]) == signs[active]).all():
        return None
    if not (np.abs(pull - problem.first * signs)[active] <= slack).all():
        return None
    return w if (np.abs(pull) <= problem.first + slack).all() else None


def _gap(problem: _Problem, w: Floats, mean_square: float) -> float:
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
