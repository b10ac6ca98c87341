"""What an algorithm declares so that differential privacy can wrap it.

Privacy is not threaded through an algorithm: it declares, for every array of every
answer, how far one row can move it and which share of the fit's budget it may cost.
The party adds the noise (`privacy.dp`), and refuses once the shares add up to 1. The
coordinator's half gets noisy sums and knows how noisy they are.

One row is what is protected: it is added or removed. Whatever a party computes for a
row must depend on that row and the question alone, to the last bit. Floating-point
sums do not keep that promise: removing a row moves the others through the blocks and
the roundings (Casacuberta et al. 2022, "Widespread Underestimation of Sensitivity in
Differentially Private Libraries"). So a row's contribution here is made of whole
multiples of a power of two, coarse enough that no sum of them is ever rounded.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.base import Algorithm, Block, Task
from fl_plugin.algorithms.checks.options import within
from fl_plugin.release import Release
from fl_plugin.summand import Arrays, Floats, Summand

__all__ = [
    "GRID",
    "MOST_ROWS",
    "PrivateAlgorithm",
    "Release",
    "clipped",
    "linear",
    "snapped",
]

# With so many rows no sum of multiples of 2^-28 up to 1 is rounded in 53 bits.
MOST_ROWS = 2**24
GRID = 2.0**10  # columns of a design are whole multiples of 1 / GRID


@dataclass(frozen=True, kw_only=True)
class PrivateAlgorithm(Algorithm):
    """Base of the algorithms that a domain may answer under differential privacy.

    Under a `Task` whose `mu` is infinite no noise is added: only to measure what the
    noise costs. `Task.rows` is used as a public upper bound, never as a count.
    """

    exact: ClassVar[str] = (
        "nothing: noise is added on purpose; without it the same steps on pooled rows"
    )

    # Of parameters that are the target's bounds: "low" or "high"; a study leaves them
    # to the contracts, or names narrower ones.
    target_ends: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def releases(self, question: Arrays, task: Task) -> Mapping[str, Release]:
        """Return what each array of the answer tells, from public facts only.

        Raises:
            MessageError: The question is not one that this algorithm asks.
        """

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return predictions, each of one row and the model alone, to the last bit.

        BLAS and compiled code may round a row's prediction by where the row stands;
        then a row that goes would move the others' figures. So rows are taken one by
        one, each in memory of its own, unless a subclass knows better.
        """
        some = [
            Algorithm.predict(self, model, task, replace(one, x=one.x.copy()))
            for one in block.blocks(1)
        ]
        if not some:
            return np.zeros(0)
        return np.concatenate(some)

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Return how the arrays are sent: bounds and widths with room for noise."""
        within(self.name, "the number of rows", task.rows, (0, MOST_ROWS))
        told = self.releases(question, task)
        return {name: release.summand(task) for name, release in told.items()}


def linear(weights: Floats, intercept: float, x: Floats) -> Floats:
    """Return w x + b of every row, (rows,), column after column.

    Sums and products of whole arrays round each entry by itself, wherever it stands.

    Args:
        weights: (columns,).
        intercept: The constant.
        x: (columns, rows).
    """
    z = np.full(x.shape[1], intercept)
    for weight, column in zip(weights, x, strict=True):
        z += weight * column
    return z


def clipped(x: Floats, norm: float) -> Floats:
    """Return a block's rows with a norm of at most `norm`, in multiples of 1 / GRID.

    Args:
        x: (columns, rows), any finite or infinite numbers; NaN counts as 0.
        norm: Euclidean, of a row; proven on whole numbers after rounding.
    """
    within = np.nan_to_num(np.clip(x, -1.0, 1.0))
    length = np.sqrt((within * within).sum(axis=0))
    shrink = np.minimum(1.0, norm / np.maximum(length, norm / 2.0))
    steps = np.trunc(within * shrink * GRID)  # toward zero: never longer
    squares = (steps * steps).sum(axis=0)  # of whole numbers: exact
    return np.asarray(np.where(squares <= (norm * GRID) ** 2, steps, 0.0) / GRID)


def snapped(values: Floats, steps: float) -> Floats:
    """Return values rounded to multiples of 1 / steps, a power of two."""
    return np.asarray(np.rint(values * steps) / steps)
