"""Where a linear model may be asked about: the check of a point, and its size."""

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats

FARTHEST = 1e9  # no coefficient of a column of ordinary scale is larger
LARGEST = 2_000  # coefficients; their Hessian then has 2 million numbers


def point_of(question: Arrays, size: int) -> Floats:
    """Return the `point` that a question asks about.

    Raises:
        MessageError: It is missing, misshapen, not finite or absurdly far out.
    """
    point = checked(question, "point", (size,))
    if np.abs(point).max(initial=0.0) > FARTHEST:
        raise malformed("point")
    return point


def curved_of(question: Arrays) -> bool:
    """Return whether a question asks for the Hessian too.

    Raises:
        MessageError: It does not say.
    """
    told = question.get("curved")
    if told is None or told.dtype != np.int64 or told.shape != (1,):
        raise malformed("curved")
    if told[0] not in (0, 1):
        raise malformed("curved")
    return bool(told[0])


def capped(size: int) -> None:
    """Refuse a model whose Hessian no network should carry."""
    if size > LARGEST:
        raise TrainingError(
            f"The model has {size} coefficients; Newton's method takes {LARGEST}.",
            remedy="Choose fewer features, or raise the minimum count of categories.",
        )
