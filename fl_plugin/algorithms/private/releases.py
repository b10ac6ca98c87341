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

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.base import Algorithm, Task
from fl_plugin.algorithms.checks.options import within
from fl_plugin.summand import WORD_BYTES, Arrays, Floats, Summand

# A total with its noise stays inside its bound; 20 standard deviations: never above.
_HEADROOM = 20.0
# Bits of the grid below the noise: rounding then costs next to nothing.
_FINENESS = 25
# With so many rows no sum of multiples of 2^-28 up to 1 is rounded in 53 bits.
MOST_ROWS = 2**24
GRID = 2.0**10  # columns of a design are whole multiples of 1 / GRID


@dataclass(frozen=True, kw_only=True)
class Release:
    """What one array of an answer tells.

    Args:
        shape: Of the array.
        bound: On the absolute value of an entry of the total, without noise.
        sensitivity: Euclidean distance by which one row moves the array, at most.
        share: Of the square of the fit's mu, that this array costs.
    """

    shape: tuple[int, ...]
    bound: float
    sensitivity: float
    share: float

    def noise(self, task: Task) -> float:
        """Return the standard deviation of the noise in an entry of the sum."""
        return self.sensitivity / (task.mu * math.sqrt(self.share))

    def summand(self, task: Task) -> Summand:
        """Return how the array is sent, with room for its noise."""
        noise = self.noise(task)
        if noise == 0.0:
            return Summand(shape=self.shape, bound=self.bound)
        bound = self.bound + _HEADROOM * noise * math.sqrt(task.parties)
        bits = math.log2(bound / noise) + _FINENESS
        width = min(WORD_BYTES, math.ceil(bits / 8))
        return Summand(shape=self.shape, bound=bound, width=width)


@dataclass(frozen=True, kw_only=True)
class PrivateAlgorithm(Algorithm):
    """Base of the algorithms that a domain may answer under differential privacy.

    Under a `Task` whose `mu` is infinite no noise is added: only to measure what the
    noise costs. `Task.rows` is used as a public upper bound, never as a count.
    """

    exact: ClassVar[str] = (
        "nothing: noise is added on purpose; without it the same steps on pooled rows"
    )

    @abstractmethod
    def releases(self, question: Arrays, task: Task) -> Mapping[str, Release]:
        """Return what each array of the answer tells, from public facts only.

        Raises:
            MessageError: The question is not one that this algorithm asks.
        """

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Return how the arrays are sent: bounds and widths with room for noise."""
        within(self.name, "the number of rows", task.rows, (0, MOST_ROWS))
        told = self.releases(question, task)
        return {name: release.summand(task) for name, release in told.items()}


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
