"""Group fairness of a predicted number: how far off, and in which direction.

`mean_residual` is the mean of the target less the prediction: positive where the
group gets more than was predicted for it.
"""

import math

import numpy as np

from fl_plugin.evaluation.groups import (
    Codes,
    Counts,
    GroupRow,
    GroupTable,
    hidden,
    kept,
    spread_of,
)
from fl_plugin.evaluation.interval import (
    ROWS_FOR_A_VARIANCE,
    Interval,
    normal_interval,
    ratio,
)
from fl_plugin.summand import Floats

RESIDUAL, ABSOLUTE, SQUARE, PREDICTION = range(4)
ERROR_SUMS = 4


def group_errors(
    slot: Codes, size: int, predictions: Floats, y: Floats
) -> tuple[Counts, Floats]:
    """Return rows (groups,) and sums (groups, 4) of a protected column's rows.

    Sums of the residual, of its absolute value, of its square, and of the prediction.
    """
    residual = y - predictions
    weights = (residual, np.abs(residual), residual**2, predictions)
    sums = [np.bincount(slot, weights=w, minlength=size + 1) for w in weights]
    return np.bincount(slot, minlength=size + 1), np.stack(sums, axis=1)


def error_table(rows: Counts, sums: Floats, min_cell: int) -> GroupTable:
    """Return one protected column's table; `sums` in the target's own unit."""
    there = kept(rows)
    hide = hidden(rows[:there, None], min_cell)
    total = int(rows.sum())
    found = tuple(
        _nothing() if hide[i] else _row(int(rows[i]), sums[i], total)
        for i in range(there)
    )
    compared = [row.figures for row in found[: rows.size - 1]]
    return GroupTable(
        rows=found,
        figures={
            f"{name}_difference": spread_of([figures[name] for figures in compared])
            for name in ("mean_residual", "mae", "mean_prediction")
        },
        unknown=there == rows.size,
    )


def _row(rows: int, sums: Floats, total: int) -> GroupRow:
    residual = ratio(float(sums[RESIDUAL]), rows)
    prediction = ratio(float(sums[PREDICTION]), rows)
    interval = _interval(rows, sums)
    return GroupRow(
        share=ratio(rows, total),
        figures={
            "mean_residual": residual,
            "mae": ratio(float(sums[ABSOLUTE]), rows),
            "mean_prediction": prediction,
            "mean_target": None
            if residual is None or prediction is None
            else prediction + residual,
        },
        intervals={} if interval is None else {"mean_residual": interval},
    )


def _interval(rows: int, sums: Floats) -> Interval | None:
    if rows < ROWS_FOR_A_VARIANCE:
        return None
    mean = float(sums[RESIDUAL]) / rows
    variance = max(float(sums[SQUARE]) / rows - mean * mean, 0.0) / (rows - 1)
    return normal_interval(mean, variance, highest=math.inf)


def _nothing() -> GroupRow:
    names = ("mean_residual", "mae", "mean_prediction", "mean_target")
    return GroupRow(share=None, figures=dict.fromkeys(names))
