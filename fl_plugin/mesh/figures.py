"""The figures of a run as its record keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fl_plugin.evaluation.metrics import (
    CalibrationRow,
    ClassFigures,
    GroupTable,
    Interval,
    Metrics,
)
from fl_plugin.evaluation.paired import Paired
from fl_plugin.evaluation.summary import spread
from fl_plugin.registry import run_record as rec

Category = str | bool | int


@dataclass(frozen=True, kw_only=True)
class ProtectedColumn:
    """A protected column and its categories, in the order of their codes."""

    name: str
    categories: tuple[Category, ...]


def estimates_of(found: Metrics) -> dict[str, rec.Estimate]:
    """Return every figure with its 95 % interval and how far binning may move it."""
    return {
        name: _estimate(found, name, found.intervals.get(name))
        for name in found.figures
    }


def cross_validation_of(
    folds: Sequence[Metrics], *, folds_each: int, repeats: int
) -> rec.CrossValidation | None:
    """Return the spread of each figure over the folds; None without folds."""
    if not folds:
        return None
    spreads = {}
    for name in folds[0].figures:
        values = [fold.value(name) for fold in folds]
        found = spread(values, test_to_train=1.0 / (folds_each - 1))
        if found is not None:
            spreads[name] = rec.Spread(
                mean=found.mean,
                sd=found.sd or 0.0,
                values=tuple(v for v in values if v is not None),
            )
    return rec.CrossValidation(folds=folds_each, repeats=repeats, metrics=spreads)


def difference_of(found: Paired | None) -> rec.Estimate | None:
    """Return a paired comparison's difference with its interval."""
    if found is None:
        return None
    return rec.Estimate(value=found.difference, low=found.low, high=found.high)


def curve_points_of(found: Metrics) -> rec.Curves:
    """Return the points of the curves, and the calibration table."""
    return rec.Curves(
        roc=found.curves.roc,
        pr=found.curves.pr,
        gain=found.curves.gain,
        calibration=calibration_of(found.calibration),
    )


def calibration_of(
    rows: Sequence[CalibrationRow],
) -> tuple[rec.CalibrationCell, ...]:
    """Return a calibration table."""
    return tuple(
        rec.CalibrationCell(
            mean_score=row.mean_score,
            rate=row.rate,
            share=row.share,
            low=row.low,
            high=row.high,
        )
        for row in rows
    )


def confusion_of(found: Metrics, threshold: float) -> rec.Confusion | None:
    """Return the four counts of a binary target; None for any other."""
    if found.kind != "binary":
        return None
    (tn, fp), (fn, tp) = found.confusion
    return rec.Confusion(threshold=threshold, tp=tp, fp=fp, fn=fn, tn=tn)


def class_results_of(
    found: Metrics, classes: Sequence[Category]
) -> tuple[rec.ClassResult, ...]:
    """Return each class against the rest; () but for several classes."""
    return tuple(
        _class_result(name, figures)
        for name, figures in zip(classes, found.classes, strict=False)
    )


def ranking_of(found: Metrics) -> tuple[rec.RankedShare, ...]:
    """Return what the highest scores hold."""
    return tuple(
        rec.RankedShare(
            share=row.share,
            precision=_bracketed(row.precision),
            lift=_bracketed(row.lift),
            gain=_bracketed(row.gain),
        )
        for row in found.ranking
    )


def fairness_of(
    found: Metrics, protected: Sequence[ProtectedColumn]
) -> tuple[rec.Fairness, ...]:
    """Return the groups' tables, named; () where groups were not looked at."""
    if not found.groups:
        return ()
    return tuple(
        rec.Fairness(
            column=column.name,
            groups=_groups(table, column.categories),
            figures=dict(table.figures),
        )
        for column, table in zip(protected, found.groups, strict=True)
    )


def quality_fields(
    found: Metrics, classes: Sequence[Category], protected: Sequence[ProtectedColumn]
) -> dict[str, Any]:
    """Return those fields of a `RunRecord` that a hold-out's metrics fill.

    All but `confusion`, which needs the threshold, and what concerns other models.
    """
    return {
        "target_kind": found.kind,
        "classes": tuple(classes),
        "metrics": estimates_of(found),
        "curves": curve_points_of(found),
        "confusion_matrix": found.confusion,
        "class_results": class_results_of(found, classes),
        "ranking": ranking_of(found),
        "groups": fairness_of(found, protected),
    }


def _groups(
    table: GroupTable, categories: Sequence[Category]
) -> tuple[rec.GroupResult, ...]:
    names = (*categories, None)
    return tuple(
        rec.GroupResult(
            group=name,
            share=row.share,
            figures=dict(row.figures),
            intervals={n: _sampled(i) for n, i in row.intervals.items()},
            classes=tuple(dict(figures) for figures in row.classes),
        )
        for name, row in zip(names, table.rows, strict=False)
    )


def _class_result(name: Category, figures: ClassFigures) -> rec.ClassResult:
    auc = figures.roc_auc
    return rec.ClassResult(
        name=name,
        support=figures.support,
        precision=figures.precision,
        recall=figures.recall,
        f1=figures.f1,
        roc_auc=None if auc is None else _bracketed(auc),
    )


def _estimate(found: Metrics, name: str, sampling: Interval | None) -> rec.Estimate:
    figure = found.figures[name]
    bracket = (figure.high - figure.low) / 2 if isinstance(figure, Interval) else None
    return rec.Estimate(
        value=found.value(name),
        low=sampling.low if sampling else None,
        high=sampling.high if sampling else None,
        resolution=bracket,
    )


def _bracketed(found: Interval) -> rec.Estimate:
    return rec.Estimate(value=found.value, resolution=(found.high - found.low) / 2)


def _sampled(found: Interval) -> rec.Estimate:
    return rec.Estimate(value=found.value, low=found.low, high=found.high)
