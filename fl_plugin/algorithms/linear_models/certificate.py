"""How far the optimum of a convex objective can be from where Newton's method ended.

A sum of losses of z = w x + b is generalised self-concordant (Bach 2010,
"Self-concordant analysis for logistic regression", section 2; Sun & Tran-Dinh 2019,
"Generalized self-concordant functions", Mathematical Programming 178): a row's
curvature h changes by at most the factor exp(|dz|), as |h'| <= h, and |dz| is at most
the row's norm times the move. With R a bound on that norm, the Hessian H and the
gradient g then obey

    H(v) >= exp(-R |w - v|) H(w),
    |g(w)| >= (1 - exp(-R |w - v|)) / R * smallest eigenvalue of H(w),   v the optimum,

the second by integrating the first along the line from w to v. Solved for |w - v| it
bounds the distance to the optimum by what was measured at w. A penalty only helps.
"""

import math
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Certificate, Task
from fl_plugin.summand import Floats


@dataclass(frozen=True)
class Point:
    """The objective with its derivatives at a point, penalty included.

    Args:
        hessian: As measured at `curved_at`, the latest point where it was asked for.
        noise: How far an entry of the gradient can be off by rounding.
        hessian_noise: The same of the Hessian.
    """

    at: Floats
    loss: float
    gradient: Floats
    hessian: Floats
    curved_at: Floats
    noise: float
    hessian_noise: float


def certify(here: Point, concordance: float) -> Certificate | None:
    """Return the distance to the optimum that the measured derivatives prove, if any.

    Rounding is counted: the gradient's is added, the Hessian's subtracted.
    """
    moved = float(np.linalg.norm(here.at - here.curved_at))
    size = len(here.at)
    measured = float(np.linalg.eigvalsh(here.hessian)[0]) - size * here.hessian_noise
    smallest = measured * math.exp(-concordance * moved)
    norm = float(np.linalg.norm(here.gradient))
    if smallest <= 0.0:
        return None
    share = concordance * (norm + math.sqrt(size) * here.noise) / smallest
    if share >= 1.0:
        return None
    return Certificate(
        gradient_norm=norm,
        smallest_eigenvalue=smallest,
        distance_bound=-math.log1p(-share) / concordance,
    )


def longest(task: Task) -> float:
    """Return a bound on any row's norm, its constant 1 included.

    No row is longer than all rows together.
    """
    return math.sqrt(max(task.rows, 1) * (task.width * task.mean_square + 1.0))
