"""The metrics of a total of evaluation sums; nothing in them is ever NaN."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.evaluation.calibration import CalibrationRow, calibration_table
from fl_plugin.evaluation.curves import Curves, curves_of
from fl_plugin.evaluation.histogram import ScoreHistogram
from fl_plugin.evaluation.ranking import (
    Interval,
    area_under_roc,
    average_precision,
    delong_interval,
    kolmogorov_smirnov,
)
from fl_plugin.evaluation.sums import EvaluationSpec, evaluation_sums

__all__ = [
    "CalibrationRow",
    "Curves",
    "Interval",
    "Metrics",
    "majority_metrics",
    "metrics_of",
]

Totals = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """How well scores fit labels; None where a figure is undefined.

    `roc_auc`, `pr_auc` (average precision) and `ks` carry guaranteed brackets for what
    the bins hide; `roc_auc_ci` carries the 95 % interval for what another sample would
    give (DeLong). `precision` is None when nothing was predicted positive, `recall`,
    `balanced_accuracy` and the ranking metrics when a class is absent. `confusion` has
    the keys tp, fp, fn, tn. `log_loss` and `brier` are means over rows.
    """

    rows: int
    positives: int
    roc_auc: Interval | None
    roc_auc_ci: Interval | None
    pr_auc: Interval | None
    ks: Interval | None
    log_loss: float | None
    brier: float | None
    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    confusion: Mapping[str, int]
    curves: Curves
    calibration: tuple[CalibrationRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, numbers and None, unrounded."""
        plain: dict[str, Any] = _listed(asdict(self))
        return plain


def metrics_of(totals: Totals, spec: EvaluationSpec, *, min_cell: int = 10) -> Metrics:
    """Compute every metric from the added arrays of `evaluation_sums`.

    Args:
        totals: The arrays, added over any number of parties.
        spec: What the parties were told.
        min_cell: Calibration cells of fewer rows are suppressed, and so is any further
            cell that would give them away; steps of the curves are not shorter. 1
            shows everything.

    Raises:
        MessageError: An array is missing, misshapen, negative, or they contradict
            each other.
    """
    _check(totals, spec)
    histogram = ScoreHistogram(
        np.asarray(totals["positives"], dtype=np.int64),
        np.asarray(totals["negatives"], dtype=np.int64),
    ).occupied()
    confusion = dict(
        zip(("tp", "fp", "fn", "tn"), totals["confusion"].tolist(), strict=True)
    )
    rows = sum(confusion.values())
    return Metrics(
        rows=rows,
        positives=confusion["tp"] + confusion["fn"],
        roc_auc=area_under_roc(histogram),
        roc_auc_ci=delong_interval(histogram),
        pr_auc=average_precision(histogram),
        ks=kolmogorov_smirnov(histogram),
        log_loss=_ratio(float(totals["log_loss"][0]), rows),
        brier=_ratio(float(totals["brier"][0]), rows),
        **_rates(**confusion),
        confusion=confusion,
        curves=curves_of(histogram, min_cell=min_cell),
        calibration=calibration_table(totals, min_cell=min_cell),
    )


def majority_metrics(
    train_positives: int, train_rows: int, test_positives: int, test_rows: int
) -> Metrics:
    """Return the metrics of the model that knows only the training rate.

    It scores every row with that rate and predicts the more frequent training label,
    negative when both are equally frequent. All its scores are tied by construction,
    so the brackets have no width.

    Raises:
        TrainingError: There were no training rows, or more positives than rows.
    """
    if not (0 <= train_positives <= train_rows and 0 <= test_positives <= test_rows):
        raise TrainingError(
            "The majority baseline was given more positives than rows.",
            remedy="Count training and test rows from the same split.",
        )
    if not train_rows:
        raise TrainingError(
            "The majority baseline has no training rows.",
            remedy="Lower evaluation.holdout, or check the product's row filter.",
        )
    rate = train_positives / train_rows
    spec = EvaluationSpec()
    one, none = (
        evaluation_sums(np.array([rate]), np.array([label]), spec)
        for label in (True, False)
    )
    negatives = test_rows - test_positives
    totals = {k: one[k] * test_positives + none[k] * negatives for k in one}
    tied = metrics_of(totals, spec, min_cell=1)
    return replace(
        tied,
        roc_auc=_certain(tied.roc_auc),
        pr_auc=_certain(tied.pr_auc),
        ks=_certain(tied.ks),
    )


def _certain(bracket: Interval | None) -> Interval | None:
    return bracket and Interval(bracket.value, bracket.value, bracket.value)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rates(*, tp: int, fp: int, fn: int, tn: int) -> dict[str, float | None]:
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    balanced = None
    if recall is not None and specificity is not None:
        balanced = (recall + specificity) / 2
    return {
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
        "balanced_accuracy": balanced,
        "precision": _ratio(tp, tp + fp),
        "recall": recall,
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
    }


def _check(totals: Totals, spec: EvaluationSpec) -> None:
    cells = spec.calibration_bins
    lengths = {"positives": spec.bins, "negatives": spec.bins, "confusion": 4}
    lengths |= {"log_loss": 1, "brier": 1, "calibration_count": cells}
    lengths |= {"calibration_positives": cells, "calibration_score": cells}
    for name, length in lengths.items():
        if name not in totals or totals[name].shape != (length,):
            raise _broken(name, "missing or of the wrong length")
        # Written so that a NaN fails it.
        if not totals[name].min() >= 0:
            raise _broken(name, "below 0 or not a number somewhere")
    counted = [
        (int(totals["positives"].sum()), int(totals["negatives"].sum())),
        (int(totals["confusion"][::2].sum()), int(totals["confusion"][1::2].sum())),
    ]
    positives, rows = (
        int(totals[f"calibration_{kind}"].sum()) for kind in ("positives", "count")
    )
    if {*counted} != {(positives, rows - positives)}:
        raise _broken("confusion", "about other rows than the other arrays")


def _broken(name: str, how: str) -> MessageError:
    return MessageError(
        f"The evaluation's sums cannot be used: {name} is {how}.",
        remedy="Run it again; if it persists, compare the parties' versions.",
    )


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(entry) for entry in value]
    return value
