"""To what steps gradients are rounded, so that their sums are exact in any order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.boosting.answers import packing_for
from fl_plugin.algorithms.boosting.losses import HELD, Loss
from fl_plugin.algorithms.boosting.questions import FINEST, Asked
from fl_plugin.summand import Array

# float64 holds whole numbers up to 2^53: sums on the grid stay below.
EXACT_BITS = 53
# A word costs a mask with each peer: the grid is made coarser by fewer bits than these
# if the sums of a bin then take two words. Up to half a million rows it never is.
COARSER = 8
WORDS = 2
EDGE = 1.0 + 2.0**-40  # bounds of floats may be rounded off by less


@dataclass(frozen=True)
class Grid:
    """How gradients are rounded in one iteration, and how large sums get.

    Args:
        exponents: Bits after the binary point of gradients and hessians, (2,).
        bounds: Of a bin's summed gradients, hessians (in units of the grid) and rows.
    """

    exponents: Array
    bounds: Array


def grid_of(
    loss: Loss,
    rows: tuple[int, float],
    counts: Array,
    squares: tuple[float, float],
    parties: int,
) -> Grid:
    """Return the finest grid on which float64 holds every sum exactly.

    Args:
        loss: What is minimised.
        rows: How many train, and what they weigh.
        counts: Of the rows in each bin.
        squares: Sums of the rows' squared gradients and hessians, where the loss does
            not bound them.
        parties: How many there are.
    """
    most = int(counts.max(initial=1))
    if loss.bounded:
        total = rows[1] * (HELD if loss.weights else 1.0)
        part = min(most * loss.heaviest, total)
        totals, parts = [total, total / 4], [part, part / 4]
    else:
        roots = [math.sqrt(max(square, 0.0)) for square in squares]
        totals = [math.sqrt(rows[0]) * root for root in roots]
        parts = [math.sqrt(most) * root for root in roots]
    finest = [_exponent(total) for total in totals]
    for less in range(COARSER):
        coarser = [max(-FINEST, exponent - less) for exponent in finest]
        grid = _grid(coarser, parts, most)
        if _words(loss, grid, parties) <= WORDS:
            return grid
    return _grid(finest, parts, most)


def _grid(exponents: Sequence[int], parts: Sequence[float], most: int) -> Grid:
    bounds = [
        # Rounding moves each row by at most half a unit.
        math.ceil(math.ldexp(part * EDGE, exponent)) + most
        for part, exponent in zip(parts, exponents, strict=True)
    ]
    return Grid(
        exponents=np.array(exponents, dtype=np.int64),
        bounds=np.array([*bounds, most], dtype=np.int64),
    )


def _words(loss: Loss, grid: Grid, parties: int) -> int:
    asked = Asked(grid=grid.exponents, bounds=grid.bounds)
    return len(packing_for(asked, loss, parties).words)


def _exponent(total: float) -> int:
    bits = math.ceil(math.log2(total)) if total > 0 else -FINEST
    # One bit is left for rounding.
    return max(-FINEST, min(FINEST, EXACT_BITS - 1 - bits))
