"""Sums by class: what naive Bayes needs of its rows and of its target."""

import numpy as np

from fl_plugin.algorithms.base import Task
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Floats, Summand


def membership(y: Floats, classes: int) -> Floats:
    """Return (classes, rows): 1 where a row is of a class, 0 elsewhere.

    Its product with a block is a sum by class that BLAS adds up.
    """
    inside = np.equal(y, np.arange(classes, dtype=np.float64)[:, None])
    return inside.astype(np.float64)


def class_counts(task: Task) -> Summand:
    """Return what rows by class look like."""
    return Summand.count((len(task.target.classes),), task.rows)


def seen(counts: Array, task: Task) -> Floats:
    """Return the rows of each class as floats.

    Raises:
        TrainingError: A class has no training row, so nothing is known about it.
    """
    if not (counts > 0).all():
        absent = task.target.classes[int(np.argmin(counts))]
        raise TrainingError(
            f"No training row of any domain is of the class {absent}.",
            remedy="Take the class out of the target, or widen the training rows.",
        )
    return counts.astype(np.float64)
