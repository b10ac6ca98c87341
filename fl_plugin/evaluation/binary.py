"""Judging the probability of the second of two classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import (
    Codes,
    Evaluation,
    added,
    broken,
    shares_of,
    without_groups,
)
from fl_plugin.evaluation.calibration import (
    calibration_answers,
    calibration_error,
    calibration_sums,
    calibration_table,
)
from fl_plugin.evaluation.curves import curves_of
from fl_plugin.evaluation.group_classes import (
    ACTUAL,
    binary_table,
    class_counts,
    possible,
)
from fl_plugin.evaluation.groups import GroupTable, slots_of
from fl_plugin.evaluation.histogram import (
    Labels,
    ScoreHistogram,
    Scores,
    check_rows,
)
from fl_plugin.evaluation.interval import (
    Interval,
    loss_sums,
    mean_interval,
    mean_of,
    ratio,
    wilson_interval,
)
from fl_plugin.evaluation.lift import gini, ndcg, ranked_shares
from fl_plugin.evaluation.metrics import Metrics, known
from fl_plugin.evaluation.paired import Paired, paired_auc
from fl_plugin.evaluation.ranking import (
    area_under_roc,
    average_precision,
    delong_interval,
    kolmogorov_smirnov,
)
from fl_plugin.summand import Array, Arrays, Floats, Summand

EPS = float(np.finfo(np.float64).eps)
# -log(2**-52) is 36.04: no row can cost more once its probability is clipped.
WORST_LOG_LOSS = 37.0
# Rows worked on at a time: their temporaries fit a core's cache.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class BinaryEvaluation(Evaluation):
    """Histograms of scores by class, errors at the threshold, losses, calibration.

    A row is predicted positive when its score is strictly above the threshold, as
    scikit-learn's `predict` (decision > 0) has it at one half. Log loss clips as
    scikit-learn does, to [2**-52, 1 - 2**-52].
    """

    kind: ClassVar[str] = "binary"
    main: ClassVar[str] = "roc_auc"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Return `positives` and `negatives` by score bin, `confusion` as (tp, fp,
        fn, tn), `log_loss` and `brier` with their squares, the calibration cells, and
        for each protected column i `group<i>_counts` and `group<i>_score`.
        """  # noqa: D205 - one list
        labels = labels_of(y)
        check_rows(predictions, labels)
        places = slots_of(groups, self.spec.group_sizes, len(y))
        return added(
            [
                self._block(
                    predictions[i : i + _BLOCK],
                    labels[i : i + _BLOCK],
                    [place[i : i + _BLOCK] for place in places],
                )
                for i in range(0, max(len(y), 1), _BLOCK)
            ]
        )

    def _block(
        self, scores: Scores, labels: Labels, places: Sequence[Codes]
    ) -> dict[str, Array]:
        spec = self.spec
        histogram = ScoreHistogram.of(scores, labels, spec.bins)
        positive = scores > spec.threshold
        return {
            "positives": histogram.positives,
            "negatives": histogram.negatives,
            "confusion": _confusion(positive, labels),
            "log_loss": loss_sums(log_losses(scores, labels)),
            "brier": loss_sums((scores - labels) ** 2),
            **calibration_sums(scores, labels, spec.calibration_bins),
            **self._group_sums(scores, (labels, positive), places),
        }

    def _group_sums(
        self, scores: Scores, classes: tuple[Labels, Labels], places: Sequence[Codes]
    ) -> dict[str, Array]:
        found: dict[str, Array] = {}
        actual, predicted = (mask.astype(np.int64) for mask in classes)
        for i, (place, size) in enumerate(
            zip(places, self.spec.group_sizes, strict=True)
        ):
            found[f"group{i}_counts"] = class_counts(place, size, actual, predicted, 2)
            found[f"group{i}_score"] = np.bincount(place, scores, size + 1)
        return found

    def answers(self) -> Mapping[str, Summand]:
        """Return the shapes and bounds of `sums`."""
        spec = self.spec
        most = float(max(spec.rows, 1))
        by_bin = Summand.count((spec.bins,), spec.rows)
        found = {
            "positives": by_bin,
            "negatives": by_bin,
            "confusion": Summand.count((4,), spec.rows),
            "log_loss": Summand(
                shape=(2,), bound=most * WORST_LOG_LOSS ** np.array([1.0, 2.0])
            ),
            "brier": Summand(shape=(2,), bound=most),
            **calibration_answers(spec.calibration_bins, spec.rows),
        }
        for i, size in enumerate(spec.group_sizes):
            found[f"group{i}_counts"] = Summand.count((size + 1, 3, 2), spec.rows)
            found[f"group{i}_score"] = Summand(shape=(size + 1,), bound=most)
        return found

    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:
        """Return the ranking with brackets, the errors, the losses and the tables."""
        self.check(totals)
        _check_agreement(totals, len(self.spec.group_sizes))
        histogram = ScoreHistogram(
            np.asarray(totals["positives"], dtype=np.int64),
            np.asarray(totals["negatives"], dtype=np.int64),
        ).occupied()
        tp, fp, fn, tn = (int(cell) for cell in totals["confusion"])
        rows, auc = tp + fp + fn + tn, area_under_roc(histogram)
        sampled = delong_interval(histogram)
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures={
                "roc_auc": auc,
                "pr_auc": average_precision(histogram),
                "ks": kolmogorov_smirnov(histogram),
                "log_loss": mean_of(totals["log_loss"], rows),
                "brier": mean_of(totals["brier"], rows),
                **_rates(tp=tp, fp=fp, fn=fn, tn=tn),
                "gini": gini(auc),
                "ndcg": ndcg(histogram),
                "calibration_error": calibration_error(totals),
            },
            intervals=known(
                roc_auc=sampled,
                gini=gini(sampled),
                log_loss=mean_interval(totals["log_loss"], rows),
                brier=mean_interval(totals["brier"], rows),
                accuracy=wilson_interval(tp + tn, rows),
                precision=wilson_interval(tp, tp + fp),
                recall=wilson_interval(tp, tp + fn),
            ),
            confusion=((tn, fp), (fn, tp)),
            curves=curves_of(histogram, min_cell=min_cell),
            calibration=calibration_table(totals, min_cell=min_cell),
            ranking=ranked_shares(histogram, min_cell=min_cell),
            groups=self._tables(totals, min_cell),
        )

    def _tables(self, totals: Arrays, min_cell: int) -> tuple[GroupTable, ...]:
        return tuple(
            binary_table(
                totals[f"group{i}_counts"], totals[f"group{i}_score"], min_cell
            )
            for i in range(len(self.spec.group_sizes))
        )

    def paired(self, first: Floats, second: Floats, y: Floats) -> Paired | None:
        """Compare ROC-AUC (DeLong); None when a class has fewer than two rows."""
        return paired_auc(first, second, labels_of(y))

    def baseline(self, totals: Arrays, train_counts: Sequence[int] = ()) -> Metrics:
        """Score every row with the training rate; equal counts predict the first.

        All its scores are tied by construction, so the brackets have no width.
        """
        rate = float(shares_of(train_counts, 2)[1])
        alone = without_groups(self)
        confusion = totals["confusion"]
        positives, rows = int(confusion[0] + confusion[2]), int(confusion.sum())
        parts = [
            {name: array * count for name, array in sums.items()}
            for label, count in ((1.0, positives), (0.0, rows - positives))
            for sums in [alone.sums(np.array([rate]), np.array([label]))]
        ]
        tied = alone.metrics(added(parts), min_cell=1)
        certain = {
            name: Interval(found.value, found.value, found.value)
            if isinstance(found, Interval)
            else found
            for name, found in tied.figures.items()
        }
        return replace(tied, figures=certain, ranking=())


def labels_of(y: Floats) -> Labels:
    """Return whether each row is of the second class.

    Raises:
        TrainingError: A value is neither 0 nor 1.
    """
    labels: Labels = y == 1
    if not (labels | (y == 0)).all():
        raise TrainingError(
            "The target has a value that is of neither of its two classes.",
            remedy="Check the target's categories in its contract.",
        )
    return labels


def log_losses(scores: Scores, labels: Labels) -> Floats:
    """Return each row's log loss, clipped as scikit-learn clips it."""
    clipped = np.clip(scores, EPS, 1.0 - EPS)
    losses: Floats = 0.0 - np.log(np.where(labels, clipped, 1.0 - clipped))
    return losses


def _confusion(predicted: Labels, labels: Labels) -> Array:
    tp = np.count_nonzero(predicted & labels)
    fp = np.count_nonzero(predicted) - tp
    fn = np.count_nonzero(labels) - tp
    return np.array([tp, fp, fn, labels.size - tp - fp - fn], dtype=np.int64)


def _rates(*, tp: int, fp: int, fn: int, tn: int) -> dict[str, float | None]:
    recall, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    balanced = None
    if recall is not None and specificity is not None:
        balanced = (recall + specificity) / 2
    return {
        "accuracy": ratio(tp + tn, tp + fp + fn + tn),
        "balanced_accuracy": balanced,
        "precision": ratio(tp, tp + fp),
        "recall": recall,
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }


def _check_agreement(totals: Arrays, columns: int) -> None:
    counted = [
        (int(totals["positives"].sum()), int(totals["negatives"].sum())),
        (int(totals["confusion"][::2].sum()), int(totals["confusion"][1::2].sum())),
    ]
    positives, rows = (
        int(totals[f"calibration_{kind}"].sum()) for kind in ("positives", "count")
    )
    if {*counted} != {(positives, rows - positives)}:
        raise broken("confusion", "about other rows than the other arrays")
    if (totals["calibration_positives"] > totals["calibration_count"]).any():
        raise broken("calibration_positives", "greater than its rows somewhere")
    for i in range(columns):
        counts = totals[f"group{i}_counts"]
        negatives, found = (int(n) for n in counts[:, ACTUAL].sum(axis=0))
        if not possible(counts) or (found, negatives) != counted[0]:
            raise broken(f"group{i}_counts", "about other rows than the other arrays")
