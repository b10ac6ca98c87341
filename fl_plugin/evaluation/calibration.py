"""The calibration table: what was predicted beside what happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.evaluation.histogram import Counts, Labels


@dataclass(frozen=True)
class CalibrationRow:
    """One cell of scores in (low, high]; all None when too few rows fell in it.

    `mean_score` is what the model said on average, `rate` the share of positives that
    came, `share` the cell's part of all rows.
    """

    low: float
    high: float
    mean_score: float | None = None
    rate: float | None = None
    share: float | None = None


def calibration_table(
    totals: Mapping[str, npt.NDArray[Any]], *, min_cell: int
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
