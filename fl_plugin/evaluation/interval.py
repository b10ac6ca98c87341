"""A figure with the range it is said to lie in, and the mean of a loss with its own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.summand import Array, Floats

# Two-sided 95 % quantile of the standard normal distribution.
NORMAL_95 = 1.959963984540054
ROWS_FOR_A_VARIANCE = 2


@dataclass(frozen=True)
class Interval:
    """A figure and the range it is said to lie in."""

    value: float
    low: float
    high: float


def normal_interval(
    value: float, variance: float, *, lowest: float = -math.inf, highest: float = 1.0
) -> Interval:
    """Return the 95 % normal interval, kept in [lowest, highest]."""
    half = NORMAL_95 * variance**0.5
    return Interval(value, max(value - half, lowest), min(value + half, highest))


def loss_sums(losses: Floats) -> Floats:
    """Return a per-row loss's sum and its sum of squares, (2,).

    They add over rows and give the mean with its interval.
    """
    # Of no rows the product is a float 0 as well; -0.0 would look negative.
    return np.array([losses.sum() + 0.0, losses @ losses])


def mean_of(sums: Array, rows: int) -> float | None:
    """Return the mean of a loss from its `loss_sums`; None without rows."""
    return float(sums[0]) / rows if rows else None


def mean_interval(sums: Array | Sequence[float], rows: int) -> Interval | None:
    """Return the mean of a non-negative loss with its 95 % interval.

    For sampling: what another draw of as many rows would give. None for fewer than
    two rows.
    """
    if rows < ROWS_FOR_A_VARIANCE:
        return None
    mean = float(sums[0]) / rows
    variance = max(float(sums[1]) / rows - mean * mean, 0.0) / (rows - 1)
    return normal_interval(mean, variance, lowest=0.0, highest=math.inf)


def wilson_interval(hits: int, rows: int) -> Interval | None:
    """Return a share with its 95 % interval (Wilson, 1927); None without rows."""
    if not rows:
        return None
    share, square = hits / rows, NORMAL_95**2
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    spread = share * (1 - share) / rows + square / (4 * rows * rows)
    half = NORMAL_95 * math.sqrt(spread) / (1 + square / rows)
    # At 0 and 1 the formula ends there but for rounding.
    return Interval(
        share,
        min(max(centre - half, 0.0), share),
        max(min(centre + half, 1.0), share),
    )


def ratio(part: float, whole: float) -> float | None:
    """Return a ratio; None where it has no value."""
    return part / whole if whole else None
