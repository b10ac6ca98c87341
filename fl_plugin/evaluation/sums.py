"""What one party hands over for one evaluation: arrays that add over parties."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import ContractError
from fl_plugin.evaluation.histogram import (
    MAX_BINS,
    MIN_BINS,
    Counts,
    Labels,
    ScoreHistogram,
    Scores,
    check_rows,
)

Sums = dict[str, npt.NDArray[Any]]

_EPS = float(np.finfo(np.float64).eps)
# -log(2**-52) is 36.04: no row can cost more once its probability is clipped.
_WORST_LOG_LOSS = 37.0
# Rows worked on at a time: their temporaries fit a core's cache.
_BLOCK = 1 << 15


@dataclass(frozen=True, kw_only=True)
class EvaluationSpec:
    """How the scores are summarised; every party must use the same.

    Args:
        bins: Bins of the score histogram; more of them narrow the brackets.
        threshold: A row is predicted positive when its score is *above* this.
        calibration_bins: Equal-width score bins of the calibration table.
    """

    bins: int = 1024
    threshold: float = 0.5
    calibration_bins: int = 10

    def __post_init__(self) -> None:
        if not MIN_BINS <= self.bins <= MAX_BINS:
            raise _bad("bins", f"a whole number from {MIN_BINS} to {MAX_BINS}")
        if not 0.0 < self.threshold < 1.0:
            raise _bad("threshold", "a number between 0 and 1")
        if not 1 <= self.calibration_bins <= self.bins:
            raise _bad("calibration_bins", "from 1 to the number of bins")


def _bad(key: str, wanted: str) -> ContractError:
    return ContractError(
        f"The study's evaluation.{key} is not {wanted}.",
        remedy=f"Set evaluation.{key} to {wanted}.",
    )


def evaluation_sums(scores: Scores, labels: Labels, spec: EvaluationSpec) -> Sums:
    """Summarise one party's rows in arrays that add over parties.

    Tie rule of the confusion counts: positive when the score is strictly above the
    threshold, as scikit-learn's `predict` (decision > 0) has it at one half. Log loss
    clips as scikit-learn does, to [2**-52, 1 - 2**-52].

    Args:
        scores: Shape (n,), probability of the positive class; n may be 0.
        labels: Shape (n,), boolean.
        spec: The shared settings.

    Returns:
        `positives`, `negatives` int64 (bins,); `confusion` int64 (tp, fp, fn, tn);
        `log_loss`, `brier` float64 (1,), summed over rows; `calibration_count`,
        `calibration_positives` int64 and `calibration_score` float64, one entry for
        each calibration bin.

    Raises:
        TrainingError: A score is no probability, or the shapes differ.
    """
    check_rows(scores, labels)
    blocks = [
        _block_sums(scores[i : i + _BLOCK], labels[i : i + _BLOCK], spec)
        for i in range(0, max(scores.size, 1), _BLOCK)
    ]
    first, *rest = blocks
    for block in rest:
        for name, array in block.items():
            first[name] = first[name] + array
    return first


def sum_bounds(
    rows: int,
    spec: EvaluationSpec,  # noqa: ARG001 - today's bounds hold for every spec
) -> dict[str, float]:
    """Bound |each entry| of each float array, whatever the values of `rows` rows.

    The bound is public and holds for the total of all parties when `rows` is at least
    their number of rows together: what a fixed-point grid is chosen from. Integer
    arrays need none, as no entry exceeds `rows`.
    """
    most = float(max(rows, 1))
    return {
        "log_loss": most * _WORST_LOG_LOSS,
        "brier": most,
        "calibration_score": most,
    }


def _block_sums(scores: Scores, labels: Labels, spec: EvaluationSpec) -> Sums:
    histogram = ScoreHistogram.of(scores, labels, spec.bins)
    missed = np.abs(scores - labels)
    return {
        "positives": histogram.positives,
        "negatives": histogram.negatives,
        "confusion": _confusion(scores > spec.threshold, labels),
        "log_loss": _log_loss(scores, labels),
        "brier": np.array([missed @ missed]),
        **_calibration(scores, labels, spec.calibration_bins),
    }


def _confusion(predicted: Labels, labels: Labels) -> Counts:
    tp = np.count_nonzero(predicted & labels)
    fp = np.count_nonzero(predicted) - tp
    fn = np.count_nonzero(labels) - tp
    return np.array([tp, fp, fn, labels.size - tp - fp - fn], dtype=np.int64)


def _log_loss(scores: Scores, labels: Labels) -> Scores:
    clipped = np.clip(scores, _EPS, 1.0 - _EPS)
    given_to_truth = np.where(labels, clipped, 1.0 - clipped)
    return np.array([0.0 - np.log(given_to_truth).sum()])


def _calibration(scores: Scores, labels: Labels, cells: int) -> Sums:
    # Edges belong to the cell below, as in sklearn.calibration.calibration_curve.
    cell = np.searchsorted(np.linspace(0.0, 1.0, cells + 1)[1:-1], scores)
    both = np.bincount(2 * cell + labels, minlength=2 * cells).reshape(cells, 2)
    return {
        "calibration_count": both.sum(axis=1),
        "calibration_positives": both[:, 1].copy(),
        "calibration_score": np.bincount(cell, weights=scores, minlength=cells),
    }
