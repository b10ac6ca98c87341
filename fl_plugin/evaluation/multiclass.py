"""Judging the probabilities of several classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from fl_plugin.evaluation.binary import EPS, WORST_LOG_LOSS
from fl_plugin.evaluation.calibration import (
    calibration_answers,
    calibration_error,
    calibration_sums,
    calibration_table,
)
from fl_plugin.evaluation.group_classes import (
    ACTUAL,
    class_counts,
    multiclass_table,
    possible,
)
from fl_plugin.evaluation.groups import slots_of
from fl_plugin.evaluation.histogram import ScoreHistogram
from fl_plugin.evaluation.interval import (
    Interval,
    loss_sums,
    mean_interval,
    mean_of,
    ratio,
    wilson_interval,
)
from fl_plugin.evaluation.metrics import ClassFigures, Figure, Metrics, known
from fl_plugin.evaluation.paired import Paired, paired_loss
from fl_plugin.evaluation.ranking import area_under_roc
from fl_plugin.summand import Array, Arrays, Floats, Summand

# A row's probabilities may miss a sum of one by no more than this.
_SUM_SLACK = 1e-6
_BLOCK = 1 << 14


@dataclass(frozen=True)
class MulticlassEvaluation(Evaluation):
    """Confusion matrix, losses, and each class's score histogram against the rest.

    The predicted class is the most probable one, the first of equals, as scikit-learn
    has it. The Brier score is the squared distance between probabilities and truth
    over all classes, 0 to 2. Calibration is that of the predicted class: its
    probability beside how often it was right.
    """

    kind: ClassVar[str] = "multiclass"
    main: ClassVar[str] = "log_loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @property
    def width(self) -> int:
        """How many classes there are."""
        return len(self.spec.classes)

    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Return `confusion` (actual, predicted), `hits` and `misses` (class, bin),
        losses, the calibration cells, and `group<i>_counts` by protected column.
        """  # noqa: D205 - one list
        codes = self._codes(predictions, y)
        places = slots_of(groups, self.spec.group_sizes, len(y))
        return added(
            [
                self._block(
                    predictions[i : i + _BLOCK],
                    codes[i : i + _BLOCK],
                    [place[i : i + _BLOCK] for place in places],
                )
                for i in range(0, max(len(y), 1), _BLOCK)
            ]
        )

    def _codes(self, predictions: Floats, y: Floats) -> Codes:
        fits = y.ndim == 1 and predictions.shape == (len(y), self.width)
        # Written so that a NaN fails it.
        if not fits or not (
            (predictions >= 0).all()
            and (np.abs(predictions.sum(axis=1) - 1.0) <= _SUM_SLACK).all()
        ):
            raise TrainingError(
                "The model's scores are not one probability for each class and row.",
                remedy="Check the features for overflow, or raise the penalty l2.",
            )
        codes = y.astype(np.int64)
        if not ((codes == y) & (codes >= 0) & (codes < self.width)).all():
            raise TrainingError(
                "The target has a value that is none of its classes.",
                remedy="Check the target's categories in its contract.",
            )
        return codes

    def _block(
        self, chances: Floats, codes: Codes, places: Sequence[Codes]
    ) -> dict[str, Array]:
        spec, width = self.spec, self.width
        chances = np.minimum(chances, 1.0)
        predicted = chances.argmax(axis=1)
        surest = chances[np.arange(len(codes)), predicted]
        both = np.bincount(codes * width + predicted, minlength=width * width)
        hits, misses = _histograms(chances, codes, spec.bins)
        found = {
            "confusion": both.reshape(width, width),
            "hits": hits,
            "misses": misses,
            "log_loss": loss_sums(_log_losses(chances, codes)),
            "brier": loss_sums(_brier(chances, codes)),
            **calibration_sums(surest, predicted == codes, spec.calibration_bins),
        }
        sizes = spec.group_sizes
        for i, (place, size) in enumerate(zip(places, sizes, strict=True)):
            counts = class_counts(place, size, codes, predicted, width)
            found[f"group{i}_counts"] = counts
        return found

    def answers(self) -> Mapping[str, Summand]:
        """Return the shapes and bounds of `sums`."""
        spec, width = self.spec, self.width
        most = float(max(spec.rows, 1))
        squared = np.array([1.0, 2.0])
        by_bin = Summand.count((width, spec.bins), spec.rows)
        found = {
            "confusion": Summand.count((width, width), spec.rows),
            "hits": by_bin,
            "misses": by_bin,
            "log_loss": Summand(shape=(2,), bound=most * WORST_LOG_LOSS**squared),
            # Two at most, but for probabilities that do not quite sum to one.
            "brier": Summand(shape=(2,), bound=most * 2.5**squared),
            **calibration_answers(spec.calibration_bins, spec.rows),
        }
        for i, size in enumerate(spec.group_sizes):
            shape = (size + 1, 3, width)
            found[f"group{i}_counts"] = Summand.count(shape, spec.rows)
        return found

    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:
        """Return the errors, the losses, the ranking with brackets and the tables."""
        self.check(totals)
        _check_agreement(totals, len(self.spec.group_sizes))
        confusion = np.asarray(totals["confusion"], dtype=np.int64)
        rows, right = int(confusion.sum()), int(np.trace(confusion))
        classes = tuple(
            _class_figures(confusion, k, totals["hits"][k], totals["misses"][k])
            for k in range(self.width)
        )
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures={
                "log_loss": mean_of(totals["log_loss"], rows),
                "accuracy": ratio(right, rows),
                "balanced_accuracy": _balanced(classes),
                "roc_auc_ovr": _mean_auc(classes),
                "brier": mean_of(totals["brier"], rows),
                **_averages(classes),
                "calibration_error": calibration_error(totals),
            },
            intervals=known(
                log_loss=mean_interval(totals["log_loss"], rows),
                accuracy=wilson_interval(right, rows),
                brier=mean_interval(totals["brier"], rows),
            ),
            confusion=tuple(tuple(line) for line in confusion.tolist()),
            calibration=calibration_table(totals, min_cell=min_cell),
            classes=classes,
            groups=tuple(
                multiclass_table(totals[f"group{i}_counts"], min_cell)
                for i in range(len(self.spec.group_sizes))
            ),
        )

    def paired(self, first: Floats, second: Floats, y: Floats) -> Paired | None:
        """Compare log loss; None for fewer than two rows."""
        losses = [
            _log_losses(np.minimum(predictions, 1.0), self._codes(predictions, y))
            for predictions in (first, second)
        ]
        return paired_loss(self.main, *losses)

    def baseline(self, totals: Arrays, train_counts: Sequence[int] = ()) -> Metrics:
        """Give every row the training shares; the first of equals is predicted."""
        shares = shares_of(train_counts, self.width)[None, :]
        alone = without_groups(self)
        counts = totals["confusion"].sum(axis=1).tolist()
        parts = [
            {n: a * count for n, a in alone.sums(shares, np.array([float(k)])).items()}
            for k, count in enumerate(counts)
        ]
        return alone.metrics(added(parts), min_cell=1)


def _log_losses(chances: Floats, codes: Codes) -> Floats:
    given = chances[np.arange(len(codes)), codes]
    losses: Floats = 0.0 - np.log(np.clip(given, EPS, 1.0 - EPS))
    return losses


def _brier(chances: Floats, codes: Codes) -> Floats:
    missed = chances.copy()
    missed[np.arange(len(codes)), codes] -= 1.0
    squares: Floats = (missed**2).sum(axis=1)
    return squares


def _histograms(chances: Floats, codes: Codes, bins: int) -> tuple[Array, Array]:
    """Count rows by score bin, of each class and of the others: (classes, bins)."""
    found = [
        ScoreHistogram.of(np.ascontiguousarray(chances[:, k]), codes == k, bins)
        for k in range(chances.shape[1])
    ]
    return (
        np.stack([h.positives for h in found]),
        np.stack([h.negatives for h in found]),
    )


def _class_figures(
    confusion: Array, k: int, hits: Array, misses: Array
) -> ClassFigures:
    right = int(confusion[k, k])
    actual, predicted = int(confusion[k].sum()), int(confusion[:, k].sum())
    return ClassFigures(
        support=actual,
        precision=ratio(right, predicted),
        recall=ratio(right, actual),
        f1=ratio(2 * right, actual + predicted),
        roc_auc=area_under_roc(ScoreHistogram(hits, misses).occupied()),
    )


def _balanced(classes: Sequence[ClassFigures]) -> float | None:
    """Return the mean recall of the classes that there are."""
    recalls = [c.recall for c in classes if c.recall is not None]
    return sum(recalls) / len(recalls) if recalls else None


def _mean_auc(classes: Sequence[ClassFigures]) -> Interval | None:
    """Return the mean over classes; None where one has none, or all rows."""
    found = [c.roc_auc for c in classes if c.roc_auc is not None]
    if not found or len(found) < len(classes):
        return None
    value, low, high = (
        sum(getattr(auc, end) for auc in found) / len(found)
        for end in ("value", "low", "high")
    )
    return Interval(value, low, high)


def _averages(classes: Sequence[ClassFigures]) -> dict[str, Figure]:
    """Return macro and weighted precision, recall and F1.

    A class that is never predicted counts with precision 0, one without rows with
    recall 0, as scikit-learn counts them; a class with neither is left out.
    """
    there = [c for c in classes if c.f1 is not None]
    rows = sum(c.support for c in there)
    found: dict[str, Figure] = {}
    for name in ("precision", "recall", "f1"):
        values = [getattr(c, name) or 0.0 for c in there]
        weighted = [v * c.support for v, c in zip(values, there, strict=True)]
        found[f"{name}_macro"] = ratio(sum(values), len(values)) if rows else None
        found[f"{name}_weighted"] = ratio(sum(weighted), rows)
    return found


def _check_agreement(totals: Arrays, columns: int) -> None:
    confusion = totals["confusion"]
    actual, rows = confusion.sum(axis=1), int(confusion.sum())
    by_class = totals["hits"].sum(axis=1)
    if (by_class != actual).any() or (
        totals["misses"].sum(axis=1) + actual != rows
    ).any():
        raise broken("confusion", "about other rows than the other arrays")
    right, count = totals["calibration_positives"], totals["calibration_count"]
    if int(count.sum()) != rows or int(right.sum()) != int(np.trace(confusion)):
        raise broken("calibration_count", "about other rows than the other arrays")
    if (right > count).any():
        raise broken("calibration_positives", "greater than its rows somewhere")
    for i in range(columns):
        counts = totals[f"group{i}_counts"]
        if not possible(counts) or (counts[:, ACTUAL].sum(axis=0) != actual).any():
            raise broken(f"group{i}_counts", "about other rows than the other arrays")
