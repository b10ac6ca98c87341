"""ROC, precision-recall and gain curves of a score histogram, thinned for a plot."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.histogram import Counts, ScoreHistogram, Scores

Point = tuple[float, float]

# Steps of at least this length along fpr + tpr, which runs to 2: under 200 points.
_STEP = 2.0 / 198


@dataclass(frozen=True)
class Curves:
    """Points of the curves, from the highest threshold down; empty if undefined.

    `roc` holds (false positive rate, true positive rate) from (0, 0) to (1, 1), both
    never falling; `pr` holds (recall, precision), recall never falling, and starts at
    (0, 1) as scikit-learn's does; `gain` holds (share of the rows, share of the
    positives in it). All have the same thresholds, 200 points at most.
    """

    roc: tuple[Point, ...] = ()
    pr: tuple[Point, ...] = ()
    gain: tuple[Point, ...] = ()


def curves_of(histogram: ScoreHistogram, *, min_cell: int) -> Curves:
    """Return the curves, each step of which rests on `min_cell` rows or more.

    A step of one row would tell that row's label to whoever knows the scores.
    """
    true, false = (
        np.cumsum(counts[::-1]) for counts in (histogram.positives, histogram.negatives)
    )
    if not (true.size and true[-1] and false[-1]):
        return Curves()
    tpr, fpr = true / true[-1], false / false[-1]
    rows = int(true[-1] + false[-1])
    kept = _thinned(true + false, fpr + tpr, min_cell)
    precision = true[kept] / (true[kept] + false[kept])
    return Curves(
        roc=((0.0, 0.0), *_points(fpr[kept], tpr[kept])),
        pr=((0.0, 1.0), *_points(tpr[kept], precision)),
        gain=((0.0, 0.0), *_points((true + false)[kept] / rows, tpr[kept])),
    )


def _points(x: Scores, y: Scores) -> list[Point]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _thinned(rows: Counts, length: Scores, min_cell: int) -> list[int]:
    """Return indices, the last included, `min_cell` rows and `_STEP` or more apart."""
    rows_list, length_list = rows.tolist(), length.tolist()
    kept: list[int] = []
    here, there = 0, 0.0
    while here < rows_list[-1]:
        step = max(
            bisect_left(rows_list, here + min_cell),
            bisect_left(length_list, there + _STEP),
        )
        if step >= len(rows_list):
            break
        kept.append(step)
        here, there = rows_list[step], length_list[step]
    # What is left over is too little for a step of its own: the last step takes it in.
    return [*kept[:-1], len(rows_list) - 1] if here < rows_list[-1] else kept
