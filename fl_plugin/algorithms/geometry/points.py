"""Points in the space of a design's columns, and how far its rows can lie from them."""

import numpy as np

from fl_plugin.algorithms.base import Block, Task
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.summand import Arrays, Floats

FARTHEST = 1e9  # no column of ordinary scale has a mean farther out
_UNSCALED = 1_000.0  # mean square of a column that nobody brought to scale
_ROUNDING = 2.0  # leaves room for the rounding of the task's moments


def points(question: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    """Return the points that a question asks about; their columns are the last axis.

    Raises:
        MessageError: They are missing, misshapen, not finite or absurdly far out.
    """
    array = checked(question, name, shape)
    if np.abs(array).max(initial=0.0) > FARTHEST:
        raise malformed(name)
    return array


def squares_from(point: Floats, block: Block) -> Floats:
    """Return (rows,): each row's squared distance from one point."""
    total = np.zeros(block.rows)
    for x, at in zip(block.x, point, strict=True):
        total += np.square(x - at)
    return total


def largest_sum(task: Task) -> float:
    """Return what no |sum x_j| over any rows of the task exceeds.

    With a mean square of at most m over n rows it is at most n sqrt(m), by
    Cauchy-Schwarz; over some of the rows too.
    """
    square = max(task.mean_square, 1.0)
    return float(_ROUNDING * max(task.rows, 1) * np.sqrt(square))


def largest_square(task: Task, *around: Floats, columns: int = 1) -> float | None:
    """Return what no |sum (x_j - c_j)(x_k - c_k)| over any rows of the task exceeds.

    (x - c)^2 <= 2 (x^2 + c^2), so the squares sum to at most 2 n (m + c^2). None where
    that is far above what rows of unscaled columns can come to about their mean: a
    grid for it would be too coarse, and each value takes six words instead.

    Args:
        task: Its rows and their largest mean square are public.
        around: The points c; none for sums of squares about zero.
        columns: Over how many columns the products are summed.
    """
    farthest = max((float(np.abs(c).max(initial=0.0)) for c in around), default=0.0)
    square = max(task.mean_square, 1.0) + farthest**2
    if square > _UNSCALED:
        return None
    return _ROUNDING * max(task.rows, 1) * columns * 2.0 * square
