"""Coordinate descent on a quadratic with an L1 penalty, from summed products alone.

Minimises  w G w / 2 - c w + sum_j (first_j |w_j| + second_j w_j^2 / 2). One coordinate
after the other moves to its optimum (Friedman, Hastie & Tibshirani 2010,
"Regularization paths for generalized linear models via coordinate descent"),

    w_j = soft(c_j - sum_{k not j} G_jk w_k, first_j) / (G_jj + second_j).

Once the signs are right, the non-zero coefficients solve a linear system, which gives
them to the last digits; that the zeros stay zeros is checked.
"""

from dataclasses import dataclass

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats

SWEEPS = 25  # between two looks whether the signs are right
MOST_SWEEPS = 100_000
# The optimality conditions hold to this share of the largest |c|.
SLACK = 1e-12


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is minimised.

    Args:
        g: G, (p, p), positive semidefinite.
        c: (p,).
        first: Weight of |w_j|; 0 leaves a coefficient free.
        second: Weight of w_j^2 / 2.
    """

    g: Floats
    c: Floats
    first: Floats
    second: Floats


def descend(problem: Problem, start: Floats | None = None) -> tuple[Floats, int]:
    """Return the optimum and the sweeps over all coordinates that it took.

    Args:
        problem: What is minimised.
        start: Where to begin; None for 0.

    Raises:
        TrainingError: The descent did not end, as columns repeat one another.
    """
    w = np.zeros(len(problem.c)) if start is None else start.copy()
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
        remedy="Raise the penalty in the study, or drop features that repeat one "
        "another.",
    )


def _sweep(problem: Problem, w: Floats) -> None:
    """Move every coordinate of `w` to its optimum, in place."""
    diagonal = np.diag(problem.g)
    for j in np.flatnonzero(diagonal + problem.second > 0.0):
        pull = problem.c[j] - problem.g[j] @ w + diagonal[j] * w[j]
        shrunk = np.sign(pull) * max(abs(pull) - problem.first[j], 0.0)
        w[j] = shrunk / (diagonal[j] + problem.second[j])


def _with_signs(problem: Problem, signs: Floats) -> Floats | None:
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
