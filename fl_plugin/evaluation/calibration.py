"""The calibration table of a probability: what was predicted beside what happened."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.histogram import Counts, Labels, Scores
from fl_plugin.evaluation.interval import ratio
from fl_plugin.summand import Array, Summand


@dataclass(frozen=True)
class CalibrationRow:
    """One cell of predictions in (low, high]; all None when too few rows fell in it.

    `mean_score` is what the model said on average, `rate` what came: the share of
    positives, or the mean of the target; `share` is the cell's part of all rows.
    """

    low: float
    high: float
    mean_score: float | None = None
    rate: float | None = None
    share: float | None = None


def calibration_sums(scores: Scores, labels: Labels, cells: int) -> dict[str, Array]:
    """Return rows, positives and summed scores of each cell of equal width."""
    # Edges belong to the cell below, as in sklearn.calibration.calibration_curve.
    cell = np.searchsorted(np.linspace(0.0, 1.0, cells + 1)[1:-1], scores)
    both = np.bincount(2 * cell + labels, minlength=2 * cells).reshape(cells, 2)
    return {
        "calibration_count": both.sum(axis=1),
        "calibration_positives": both[:, 1].copy(),
        "calibration_score": np.bincount(cell, weights=scores, minlength=cells),
    }


def calibration_answers(cells: int, rows: int) -> dict[str, Summand]:
    """Return what `calibration_sums` look like."""
    return {
        "calibration_count": Summand.count((cells,), rows),
        "calibration_positives": Summand.count((cells,), rows),
        "calibration_score": Summand(shape=(cells,), bound=float(max(rows, 1))),
    }


def calibration_error(totals: Mapping[str, Array]) -> float | None:
    """Return the mean over rows of |mean score - rate| of the row's cell.

    The expected calibration error (Naeini et al., 2015) of these cells, none left out.
    """
    gaps = np.abs(totals["calibration_score"] - totals["calibration_positives"])
    return ratio(float(gaps.sum()), int(totals["calibration_count"].sum()))


def calibration_table(
    totals: Mapping[str, Array], *, min_cell: int
) -> tuple[CalibrationRow, ...]:
    """Return the table's rows, lowest scores first."""
    counts = totals["calibration_count"]
    edges = np.linspace(0.0, 1.0, counts.size + 1).tolist()
    hidden = _hidden(counts, min_cell)
    filled = np.maximum(counts, 1)
    columns = np.stack(
        [
            totals["calibration_score"] / filled,
            totals["calibration_positives"] / filled,
            counts / max(int(counts.sum()), 1),
        ],
        axis=1,
    ).tolist()
    return tuple(
        CalibrationRow(low, high) if hide else CalibrationRow(low, high, *figures)
        for low, high, hide, figures in zip(
            edges[:-1], edges[1:], hidden.tolist(), columns, strict=True
        )
    )


def _hidden(counts: Counts, min_cell: int) -> Labels:
    """Return which cells to suppress, so that subtraction does not bring them back.

    Totals are public, so the hidden cells together must hold `min_cell` rows as well:
    else the smallest visible cell is hidden with them.
    """
    hidden = counts < max(min_cell, 1)
    while 0 < int(counts[hidden].sum()) < min_cell and not hidden.all():
        visible = np.where(hidden, np.iinfo(np.int64).max, counts)
        hidden[int(visible.argmin())] = True
    return hidden
