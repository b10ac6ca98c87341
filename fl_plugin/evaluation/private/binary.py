"""Judging the probability of the second of two classes, with noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from fl_plugin.evaluation.histogram import ScoreHistogram
from fl_plugin.evaluation.interval import Interval, mean_interval, wilson_interval
from fl_plugin.evaluation.lift import gini
from fl_plugin.evaluation.private.base import (
    GRID,
    Figures,
    PrivateEvaluation,
    over,
    snapped,
    steps_of,
)
from fl_plugin.evaluation.ranking import delong_interval
from fl_plugin.release import Release
from fl_plugin.summand import Array, Arrays, Floats

MOST_LOG_LOSS = 4.0  # of a row, in nats: a chance below .018 counts as .018
BINS = 32
_REACH = 4.0  # bins are equally wide on the logit, within -4 to 4
TP, FP, FN, TN = range(4)
SHARES = {"confusion": 0.1, "losses": 0.2, "scores": 0.7}


@dataclass(frozen=True)
class PrivateBinaryEvaluation(PrivateEvaluation):
    """Errors at the threshold, clipped losses, and ROC-AUC from 32 bins of scores.

    A row is in one cell of `confusion`, in one of `scores`, and adds to `losses` at
    most 1 twice. Rows in one bin count as tied.
    """

    kind: ClassVar[str] = "binary"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("roc_auc", "brier", "accuracy"), (0.0, 1.0)),
        **dict.fromkeys(("balanced_accuracy", "precision", "recall", "f1"), (0.0, 1.0)),
        "gini": (-1.0, 1.0),
        "log_loss": (0.0, MOST_LOG_LOSS),
    }

    def releases(self) -> Mapping[str, Release]:
        """Return what `confusion`, `losses` and `scores` tell."""
        moved = {"confusion": 1.0, "losses": 2.0**0.5, "scores": 1.0}
        shapes = {"confusion": (4,), "losses": (2,), "scores": (2, BINS)}
        return {
            name: Release(
                shape=shapes[name],
                bound=float(max(self.spec.rows, 1)),
                sensitivity=moved[name],
                share=share,
            )
            for name, share in SHARES.items()
        }

    def sums(self, predictions: Floats, y: Floats) -> dict[str, Floats]:
        """Return `confusion` (tp, fp, fn, tn), `losses` (log, Brier), `scores` (2, b).

        The losses are over their greatest value; a target that is not 1 counts as 0.
        """
        place = steps_of(predictions, 0.0, 1.0).astype(np.int64)
        actual = (y == 1).astype(np.int64)
        flagged = predictions > self.spec.threshold
        cell = np.where(flagged, FP, TN) + actual * np.where(flagged, TP - FP, FN - TN)
        log_loss, brier, bins = _tables()
        return {
            "confusion": np.bincount(cell, minlength=4).astype(np.float64),
            "losses": np.array(
                [log_loss[actual, place].sum(), brier[actual, place].sum()]
            ),
            "scores": np.bincount(actual * BINS + bins[place], minlength=2 * BINS)
            .reshape(2, BINS)
            .astype(np.float64),
        }

    def rows(self, totals: Arrays) -> float:
        """Return the sum of the confusion matrix."""
        return float(totals["confusion"].sum())

    def figures(self, totals: Arrays) -> Figures:
        """Return the ranking, the losses and the errors."""
        tp, fp, fn, tn = (float(cell) for cell in totals["confusion"])
        rows = tp + fp + fn + tn
        log_loss, brier = (over(float(part), rows) for part in totals["losses"])
        recall, specificity = over(tp, tp + fn), over(tn, tn + fp)
        rates = [rate for rate in (recall, specificity) if rate is not None]
        auc = _area(totals["scores"])
        return {
            "roc_auc": auc,
            "gini": None if auc is None else 2.0 * auc - 1.0,
            "log_loss": None if log_loss is None else MOST_LOG_LOSS * log_loss,
            "brier": brier,
            "accuracy": over(tp + tn, rows),
            "balanced_accuracy": sum(rates) / 2.0 if len(rates) > 1 else None,
            "precision": over(tp, tp + fp),
            "recall": recall,
            "f1": over(2.0 * tp, 2.0 * tp + fp + fn),
        }

    def sampled(self, totals: Arrays) -> dict[str, Interval | None]:
        """Return the intervals of counts that are near enough to what they were."""
        tp, fp, fn, tn = (int(cell) for cell in _counts(totals["confusion"]))
        rows = tp + fp + fn + tn
        negatives, positives = _counts(totals["scores"])
        auc = delong_interval(ScoreHistogram(positives, negatives).occupied())
        return {
            "roc_auc": auc,
            "gini": gini(auc),
            "log_loss": _at_most(totals["losses"][0], rows, MOST_LOG_LOSS),
            "brier": _at_most(totals["losses"][1], rows, 1.0),
            "accuracy": wilson_interval(tp + tn, rows),
            "precision": wilson_interval(tp, tp + fp),
            "recall": wilson_interval(tp, tp + fn),
        }

    def confusion(self, totals: Arrays) -> tuple[tuple[int, ...], ...]:
        """Return ((tn, fp), (fn, tp)), rounded and none below 0."""
        tp, fp, fn, tn = (int(cell) for cell in _counts(totals["confusion"]))
        return ((tn, fp), (fn, tp))


def _area(scores: Floats) -> float | None:
    """Return ROC-AUC; the noise of both classes is independent, so it adds no bias."""
    negatives, positives = scores
    if not (positives.sum() > 0 and negatives.sum() > 0):
        return None
    below = np.cumsum(negatives) - negatives / 2.0
    won = float(positives @ below)
    return over(won, float(positives.sum() * negatives.sum()))


def _counts(noisy: Floats) -> Array:
    return np.maximum(np.rint(noisy), 0).astype(np.int64)


def _at_most(total: float, rows: int, most: float) -> Interval | None:
    """Return a mean loss's interval at the greatest variance that it can have.

    Of numbers within 0 to 1 the mean square is at most the mean.
    """
    mean = min(max(float(total) / max(rows, 1), 0.0), 1.0)
    found = mean_interval([mean * rows, mean * rows], rows)
    if found is None:
        return None
    return Interval(most * found.value, most * found.low, most * found.high)


@cache
def _tables() -> tuple[Floats, Floats, Array]:
    """Return both losses (class, step) over their most, and the bin of each step."""
    scores = np.arange(GRID + 1) / GRID
    given = np.stack([1.0 - scores, scores])
    floor = np.exp(-MOST_LOG_LOSS)
    log_loss = -np.log(np.maximum(given, floor)) / MOST_LOG_LOSS
    edges = 1.0 / (1.0 + np.exp(-np.linspace(-_REACH, _REACH, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, scores, side="right")
    return snapped(log_loss), snapped((1.0 - given) ** 2), bins
