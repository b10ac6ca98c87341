"""How good the models are: metrics of the federation, and of each domain by itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fl_plugin.coordinator.comparing import checked
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Fit
from fl_plugin.coordinator.lockstep import MESSAGE_BYTES, MESSAGE_JOBS
from fl_plugin.evaluation.base import (
    Evaluation,
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
    without_groups,
)
from fl_plugin.evaluation.importance import Importance, importance
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.summand import Arrays

# A calibration table of numbers reaches so many standard deviations from the mean.
REACH = 3.0


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the evaluation found.

    Args:
        holdout: Of the model, over the rows of all domains it was not trained on.
        folds: Of each fold's model on its fold, in the order of the splits.
        domains: Each domain's own comparison, as its `compare` answered.
        baseline: Of the model that knows only the training target, on the same rows
            as `holdout`; None where nothing is known of that target.
        importances: Of the features to the hold-out's model; () where not asked for.
    """

    holdout: Metrics
    folds: tuple[Metrics, ...]
    domains: Mapping[str, Mapping[str, Any]]
    baseline: Metrics | None
    importances: tuple[Importance, ...] = ()


def spec_for(
    plan: Plan, prepared: Prepared, protected: Sequence[Feature], rows: int
) -> EvaluationSpec:
    """Return how predictions are judged.

    Args:
        plan: The study's.
        prepared: Of the model's own training rows: numbers are told apart about their
            target's mean.
        protected: Columns with their categories.
        rows: Rows of all domains together; the public bound of every sum.
    """
    chosen, kind = plan.evaluation, plan.predicts.kind
    low = high = None
    if kind in {"regression", "count"}:
        mean = prepared.target_mean
        spread = np.sqrt(max(prepared.target_mean_square - mean**2, 0.0))
        low, high = float(mean - REACH * spread), float(mean + REACH * spread)
        if kind == "count":
            low = max(low, 0.0)
        if plan.privacy.epsilon is not None and plan.bounds is not None:
            low, high = plan.bounds  # nothing is known of the rows
    return EvaluationSpec(
        bins=chosen.bins,
        threshold=chosen.threshold,
        kind=kind,
        classes=plan.predicts.classes,
        low=low,
        high=high,
        rows=rows,
        group_sizes=tuple(len(f.categories or ()) for f in protected),
        centre=prepared.target_mean,
    )


def judge_fits(
    fits: Sequence[Fit], spec: EvaluationSpec, federation: Federation
) -> tuple[list[Metrics], list[Arrays]]:
    """Judge each model by the rows it was not trained on.

    Returns:
        The metrics of every fit, and the sums that they were made from.
    """
    evaluation = evaluation_for(spec)
    looks = evaluation.answers()
    found: list[Metrics] = []
    totals: list[Arrays] = []
    for some in _portions(fits):
        answers = federation.ask(
            "evaluate",
            {"jobs": [f.place for f in some], "spec": spec_json(spec)},
            _models(some),
            expected={
                f"{i}.{name}": summand
                for i in range(len(some))
                for name, summand in looks.items()
            },
        )
        for i in range(len(some)):
            mine = {name: answers.sums[f"{i}.{name}"] for name in looks}
            totals.append(mine)
            found.append(evaluation.metrics(mine))
    return found, totals


def judge(
    fits: Sequence[Fit], spec: EvaluationSpec, federation: Federation
) -> Judgement:
    """Judge the hold-out's model, then those of the folds (there may be none)."""
    found, totals = judge_fits(fits, spec, federation)
    first, *folds = found
    counts = fits[0].prepared.class_counts
    private = math.isfinite(fits[0].task.mu)
    return Judgement(
        holdout=first,
        folds=tuple(folds),
        domains=_compare(fits[1:], spec, federation) if folds else {},
        baseline=None if private else baseline_metrics(spec, totals[0], counts),
    )


def judge_features(
    fit: Fit, spec: EvaluationSpec, repeats: int, found: Metrics, federation: Federation
) -> tuple[Importance, ...]:
    """Return how much worse a fit's figure gets without each feature, one by one.

    Each domain permutes the feature's values among its own test rows and answers the
    sums of an evaluation without groups.

    Args:
        fit: The hold-out's.
        spec: How it was judged.
        repeats: How many times each feature is permuted.
        found: Its figures on the rows as they are.
        federation: The run.
    """
    evaluation = without_groups(evaluation_for(spec))
    wanted = [
        {"feature": feature.name, "repeat": repeat}
        for feature in fit.prepared.schema.features
        for repeat in range(repeats)
    ]
    size = _permutations_each(evaluation)
    judged: list[Metrics] = []
    for i in range(0, len(wanted), size):
        body = {"jobs": [fit.place], "spec": spec_json(spec)}
        body["permuted"] = wanted[i : i + size]
        judged += _judged_permuted(body, fit, evaluation, federation)
    names = [feature.name for feature in fit.prepared.schema.features]
    each = (
        importance(evaluation, name, found, judged[i * repeats : (i + 1) * repeats])
        for i, name in enumerate(names)
    )
    return tuple(one for one in each if one is not None)


def _judged_permuted(
    body: Mapping[str, Any], fit: Fit, evaluation: Evaluation, federation: Federation
) -> list[Metrics]:
    looks, count = evaluation.answers(), len(body["permuted"])
    expected = {f"{i}.{n}": s for i in range(count) for n, s in looks.items()}
    answers = federation.ask("evaluate", body, _models([fit]), expected=expected)
    return [
        evaluation.metrics({name: answers.sums[f"{i}.{name}"] for name in looks})
        for i in range(count)
    ]


def _permutations_each(evaluation: Evaluation) -> int:
    """Return how many permutations a message of a bearable size answers."""
    looks = evaluation.answers().values()
    size = sum(math.prod(summand.shape) * summand.width for summand in looks)
    return max(1, min(MESSAGE_JOBS, MESSAGE_BYTES // size))


def spec_json(spec: EvaluationSpec) -> dict[str, Any]:
    """Return what the parties do not know by themselves of how models are judged."""
    words = ("bins", "threshold", "low", "high", "centre", "rows")
    return {word: getattr(spec, word) for word in words}


def _compare(
    fits: Sequence[Fit], spec: EvaluationSpec, federation: Federation
) -> Mapping[str, Mapping[str, Any]]:
    body = {"jobs": [f.place for f in fits], "spec": spec_json(spec)}
    bodies = federation.ask("compare", body, _models(fits)).bodies
    return {party: checked(party, told) for party, told in bodies.items()}


def _models(fits: Sequence[Fit]) -> dict[str, Any]:
    return {
        f"{i}.{name}": array
        for i, fit in enumerate(fits)
        for name, array in fit.fitted.model.items()
    }


def _portions(fits: Sequence[Fit], size: int = 64) -> list[Sequence[Fit]]:
    return [fits[i : i + size] for i in range(0, len(fits), size)]
