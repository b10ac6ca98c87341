"""Exact federated linear regression from products of columns.

Minimises  |y - X w - b|^2, the objective of scikit-learn's `LinearRegression` on the
pooled rows. With the columns centred, b is the difference of the means and w solves
X'X w = X'y. Where columns repeat one another (one-hot columns always do), many w are
optimal; as scikit-learn's, this one has the smallest norm: it has no part in the null
space of X. As there (`tol=1e-6`), a direction is null in which the rows vary by less
than 1e-6 of the direction in which they vary most.

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
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression as Sklearn

from fl_plugin.algorithms.base import Fitted, Rounds, Task
from fl_plugin.algorithms.checks.arrays import checked, whole_number
from fl_plugin.algorithms.linear_models.estimators import (
    fill_regressor,
    regressor_arrays,
)
from fl_plugin.algorithms.linear_models.least_squares import (
    Gram,
    LeastSquares,
    Solution,
)
from fl_plugin.algorithms.linear_models.normal_equations import (
    ILL,
    ill_conditioned,
    solve_even,
)
from fl_plugin.summand import Arrays, Floats

Mask = npt.NDArray[np.bool_]

NULL = 1e-12  # of the largest eigenvalue: 1e-6 of the largest singular value


@dataclass(frozen=True, kw_only=True)
class LinearRegression(LeastSquares):
    """Ordinary least squares, of the smallest norm where there are many."""

    name: ClassVar[str] = "linear_regression"
    title: ClassVar[str] = "Linear regression, exact (products of columns)"
    paper: ClassVar[str] = "Bjorck (1996), Numerical methods for least squares problems"
    targets: ClassVar[tuple[str, ...]] = ("regression", "count")
    exact: ClassVar[str] = "scikit-learn's LinearRegression() on the pooled rows"
    leaves: ClassVar[str] = (
        "summed over the domain's training rows: each column and its square, then the "
        "products of all pairs of columns, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._base", "LinearRegression", "ObjectNode"),
    )

    def rounds(self, task: Task) -> Rounds:
        """Ask for the products, solve, refine where that is needed."""
        gram = yield from self.gram(task)
        sizes = gram.scale[:-1]
        values, vectors = np.linalg.eigh(gram.matrix * sizes * sizes[:, None])
        kept = values > NULL * max(float(values[-1]), 0.0)
        if kept.all():
            solving = partial(solve_even, gram.matrix)
            ill = ill_conditioned(gram.matrix)
        else:
            solving = partial(_shortest, values[kept], vectors[:, kept], sizes)
            ill = bool(kept.any()) and values[kept][0] * ILL < values[-1]
        scaled = solving(gram.target)
        found = Solution(scaled, gram.matrix @ scaled - gram.target)
        if ill:
            found = yield from self.refine(gram, np.zeros(task.width), solving)
        return Fitted(
            model=gram.model(found.scaled * gram.unit) | _spectrum(values, kept, gram),
            rounds=2 + found.asked,
            loss=gram.residue(found.scaled),
            certificate=gram.certify(found, 0.0) if kept.all() else None,
            notes=_notes(int((~kept).sum()), task),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `LinearRegression` with these coefficients."""
        estimator = Sklearn()
        fill_regressor(estimator, model, task.width)
        estimator.rank_ = whole_number(model, "rank", task.width)
        estimator.singular_ = checked(model, "singular", _singulars(task)).copy()
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `coefficients` (p,), `intercept` (1,), `rank` (1,) and `singular`."""
        return {
            **regressor_arrays(estimator),
            "rank": np.array([estimator.rank_], dtype=np.int64),
            "singular": np.asarray(estimator.singular_, dtype=np.float64),
        }


def _shortest(values: Floats, vectors: Floats, sizes: Floats, right: Floats) -> Floats:
    """Return the solution of the smallest norm, in columns of size 1.

    Args:
        values: Of the products of columns in their own units, those that are not 0.
        vectors: Theirs, (p, values).
        sizes: Of the columns, (p,).
        right: Products with the target, in columns of size 1, (p,).
    """
    return np.asarray(sizes * (vectors @ ((vectors.T @ (sizes * right)) / values)))


def _spectrum(values: Floats, kept: Mask, gram: Gram) -> dict[str, Any]:
    """Return `rank_` and `singular_` of the centred columns, largest first."""
    most = min(len(values), gram.rows)
    return {
        "rank": np.array([kept.sum()], dtype=np.int64),
        "singular": np.sqrt(np.maximum(values[::-1], 0.0))[:most],
    }


def _notes(repeating: int, task: Task) -> tuple[str, ...]:
    if not repeating:
        return ()
    return (
        f"{repeating} of {task.width} columns repeat others: of all optimal "
        "coefficients these have the smallest norm.",
    )


def _singulars(task: Task) -> tuple[int]:
    return (min(task.width, max(task.rows, 1)),)
