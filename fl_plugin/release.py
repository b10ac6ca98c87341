"""What one array of an answer tells of a row, and how it is sent with its noise."""

import math
from dataclasses import dataclass
from typing import Protocol

from fl_plugin.summand import WORD_BYTES, Summand

# A total with its noise stays inside its bound; 20 standard deviations: never above.
_HEADROOM = 20.0
# Bits of the grid below the noise: rounding then costs next to nothing.
_FINENESS = 25


class Budget(Protocol):
    """What is paid for, and over how many parties; an `algorithms.base.Task` is one."""

    @property
    def mu(self) -> float:
        """How private all answers together are; infinite without noise."""

    @property
    def parties(self) -> int:
        """How many take part."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What one array of an answer tells.

    Args:
        shape: Of the array.
        bound: On the absolute value of an entry of the total, without noise.
        sensitivity: Euclidean distance by which one row moves the array, at most.
        share: Of the square of mu, that this array costs.
    """

    shape: tuple[int, ...]
    bound: float
    sensitivity: float
    share: float

    def noise(self, budget: Budget) -> float:
        """Return the standard deviation of the noise in an entry of the sum."""
        return self.sensitivity / (budget.mu * math.sqrt(self.share))

    def summand(self, budget: Budget) -> Summand:
        """Return how the array is sent, with room for its noise."""
        noise = self.noise(budget)
        if noise == 0.0:
            return Summand(shape=self.shape, bound=self.bound)
        bound = self.bound + _HEADROOM * noise * math.sqrt(budget.parties)
        bits = math.log2(bound / noise) + _FINENESS
        width = min(WORD_BYTES, math.ceil(bits / 8))
        return Summand(shape=self.shape, bound=bound, width=width)
