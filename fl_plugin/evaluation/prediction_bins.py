"""Calibration of a predicted number: predicted and observed mean by predicted size.

Predictions are counted in many narrow bins with public edges, whose sums add over
parties. The coordinator joins neighbouring bins until each row of the table holds its
share of the rows (a tenth, for deciles) and no fewer than a table may show. So no bin
is suppressed, and nothing can be derived from the others.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from fl_plugin.evaluation.calibration import CalibrationRow
from fl_plugin.summand import Array, Floats, Summand

NARROW = 128


def bin_edges(low: float, high: float, *, power: int = 1) -> Floats:
    """Return the NARROW - 1 edges inside a range; power 2 makes low bins narrower."""
    inside: Floats = low + (high - low) * (np.arange(1, NARROW) / NARROW) ** power
    return inside


def bin_sums(predictions: Floats, y: Floats, edges: Floats) -> dict[str, Array]:
    """Return rows, summed predictions and summed targets of each bin, (NARROW,) each.

    Predictions outside the range fall into the first and the last bin.
    """
    place = np.searchsorted(edges, predictions, side="right")
    return {
        "calibration_count": np.bincount(place, minlength=NARROW),
        "calibration_predicted": np.bincount(place, predictions, NARROW),
        "calibration_target": np.bincount(place, y, NARROW),
    }


def bin_answers(rows: int) -> dict[str, Summand]:
    """Return what `bin_sums` look like."""
    return {
        "calibration_count": Summand.count((NARROW,), rows),
        "calibration_predicted": Summand(shape=(NARROW,), bound=None),
        "calibration_target": Summand(shape=(NARROW,), bound=None),
    }


def joined_bins(
    totals: Mapping[str, Array], edges: Sequence[float], parts: int, min_cell: int
) -> tuple[CalibrationRow, ...]:
    """Return at most `parts` rows of about as many rows each, lowest first.

    Args:
        totals: The added arrays of `bin_sums`.
        edges: Of all bins, the outer two included: NARROW + 1.
        parts: 10 for deciles.
        min_cell: No row of the table rests on fewer; () if there are not so many.
    """
    counts = totals["calibration_count"]
    rows = int(counts.sum())
    cuts = _cuts(np.cumsum(counts).tolist(), parts, max(min_cell, 1))
    found = []
    for begin, end in pairwise(cuts):
        inside = int(counts[begin:end].sum())
        found.append(
            CalibrationRow(
                float(edges[begin]),
                float(edges[end]),
                float(totals["calibration_predicted"][begin:end].sum()) / inside,
                float(totals["calibration_target"][begin:end].sum()) / inside,
                inside / rows,
            )
        )
    return tuple(found)


def _cuts(ends: list[int], parts: int, least: int) -> list[int]:
    """Return the bins at which parts begin, the end of the last included."""
    rows, cuts, taken = ends[-1], [0], 0
    if rows < least:
        return cuts
    for place, end in enumerate(ends, start=1):
        enough = end * parts >= len(cuts) * rows and end - taken >= least
        # What is left over must be enough for a part of its own, or joins this one.
        if enough and rows - end >= least:
            cuts.append(place)
            taken = end
    return [*cuts, len(ends)]
