"""From sums to scikit-learn's own centers and scales."""

from dataclasses import dataclass

import numpy as np

from fl_plugin.preparation.counting import Counted, Counts
from fl_plugin.summand import Floats

_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Mean and variance (divisor n) of each numeric feature, missing ones filled."""

    means: Floats
    variances: Floats
    seen: Counts


def spread(first: Counted, squares: Floats, fills: Floats | None) -> Spread:
    """Return mean and variance of the filled values, from those of the present ones.

    Exact: a filled value adds its distance to the new mean, and the present ones their
    common shift (Chan, Golub & LeVeque 1983). All terms are positive.

    Args:
        first: The first round.
        squares: Squared deviations of the values present from their mean.
        fills: What replaces a missing value; None where it stays missing.
    """
    if fills is None:
        return Spread(
            means=first.means, variances=squares / first.present, seen=first.present
        )
    filled = first.rows - first.present
    shift = filled * (fills - first.means) / first.rows
    means = first.means + shift
    squares = (
        squares
        + first.present * shift**2
        + filled * (fills - means) ** 2 * (filled > 0)
    )
    rows = np.full(len(fills), first.rows, dtype=np.int64)
    return Spread(means=means, variances=squares / first.rows, seen=rows)


def standard_scales(of: Spread) -> Floats:
    """Return standard deviations; 1 for a constant feature, by scikit-learn's rule."""
    limit = of.seen * _EPSILON * of.variances + (of.seen * of.means * _EPSILON) ** 2
    scales = np.sqrt(of.variances)
    scales[(of.variances <= limit) | (scales == 0.0)] = 1.0
    return scales


def robust_scales(low: Floats, high: Floats) -> Floats:
    """Return the distance between the quartiles; 1 where there is next to none."""
    scales = high - low
    scales[scales < 10 * _EPSILON] = 1.0
    return scales
