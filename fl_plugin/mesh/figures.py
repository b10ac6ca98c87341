"""The figures of a run as its record keeps them."""

from fl_plugin.evaluation.metrics import Interval, Metrics, majority_metrics
from fl_plugin.evaluation.summary import spread
from fl_plugin.mesh.finished import Finished
from fl_plugin.registry import run_record as rec

_FIGURES = ("log_loss", "brier", "accuracy", "balanced_accuracy", "precision")
_FIGURES_TOO = ("recall", "f1")
_FOLD_METRICS = ("roc_auc", "pr_auc", "log_loss", "brier")


def estimates_of(found: Metrics) -> dict[str, rec.Estimate]:
    """Return every hold-out metric with its interval."""
    sampling = found.roc_auc_ci
    estimates = {
        "roc_auc": _estimate(found.roc_auc, sampling),
        "pr_auc": _estimate(found.pr_auc, None),
        "ks": _estimate(found.ks, None),
    }
    for name in _FIGURES + _FIGURES_TOO:
        estimates[name] = rec.Estimate(value=getattr(found, name))
    return estimates


def cross_validation_of(done: Finished) -> rec.CrossValidation | None:
    """Return the spread of each metric over the folds."""
    folds = done.trained.judgement.folds
    chosen = done.plan.evaluation
    ratio = 1.0 / (chosen.folds - 1)
    spreads = {}
    for name in _FOLD_METRICS:
        values = [_value(getattr(fold, name)) for fold in folds]
        found = spread(values, test_to_train=ratio)
        if found is not None:
            spreads[name] = rec.Spread(
                mean=found.mean,
                sd=found.sd or 0.0,
                values=tuple(v for v in values if v is not None),
            )
    return rec.CrossValidation(
        folds=chosen.folds, repeats=chosen.repeats, metrics=spreads
    )


def majority_of(done: Finished) -> dict[str, float | None]:
    """Return the figures of the model that knows only the training rate."""
    counted = done.trained.fits.fits[0].moments.counted
    tested = done.trained.judgement.holdout
    found = majority_metrics(
        counted.positives, counted.rows, tested.positives, tested.rows
    )
    names = ("roc_auc", "pr_auc", *_FIGURES, *_FIGURES_TOO)
    return {name: _value(getattr(found, name)) for name in names}


def curve_points_of(found: Metrics) -> rec.Curves:
    """Return the points of the curves."""
    return rec.Curves(
        roc=tuple((float(x), float(y)) for x, y in found.curves.roc),
        pr=tuple((float(x), float(y)) for x, y in found.curves.pr),
        calibration=tuple(
            rec.CalibrationCell(
                mean_score=cell.mean_score, rate=cell.rate, share=cell.share
            )
            for cell in found.calibration
        ),
    )


def _estimate(bracket: Interval | None, sampling: Interval | None) -> rec.Estimate:
    if bracket is None:
        return rec.Estimate(value=None)
    return rec.Estimate(
        value=bracket.value,
        low=sampling.low if sampling else None,
        high=sampling.high if sampling else None,
        resolution=(bracket.high - bracket.low) / 2.0,
    )


def _value(found: Interval | float | None) -> float | None:
    return found.value if isinstance(found, Interval) else found
