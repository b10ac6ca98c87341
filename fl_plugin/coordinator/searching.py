"""Hyper-parameter search: every candidate by the same folds, by summed figures only.

A grid fits every candidate on all rows. Successive halving (Jamieson & Talwalkar 2016;
scikit-learn's `HalvingGridSearchCV` with rows as its resource) fits all of them on a
share of the rows that a keyed hash draws, and the better ones on ever larger shares.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Candidate, Fit, Fitting, prepare
from fl_plugin.coordinator.judging import judge_fits
from fl_plugin.errors import TrainingError, UsageError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.manifest.study_contract import SearchPlan
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.splits import Split


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One candidate.

    Args:
        parameters: What was varied.
        values: The deciding figure, fold by fold; None where it is undefined.
        portion: Share of the rows of the last rung that it reached.
    """

    parameters: Mapping[str, Any]
    values: tuple[float | None, ...]
    portion: float

    @property
    def mean(self) -> float | None:
        """The mean over the folds; None unless every fold has the figure."""
        known = [v for v in self.values if v is not None]
        whole = known and len(known) == len(self.values)
        return sum(known) / len(known) if whole else None


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What a search found.

    Args:
        metric: The figure that decided.
        better: "higher" or "lower".
        tried: Every candidate, the best first.
        fits: How many models were fitted, and so how many times sums were released.
        folds: The models of the best candidate, and their figures.
    """

    metric: str
    better: str
    method: str
    tried: tuple[Tried, ...]
    fits: int
    folds: tuple[Fit, ...]
    judged: tuple[Metrics, ...]

    @property
    def best(self) -> Mapping[str, Any]:
        """The parameters that were chosen."""
        return self.tried[0].parameters


def prepare_portions(
    plan: Plan, folds: Sequence[Split], schema: Schema, federation: Federation
) -> dict[tuple[Split, float], Prepared]:
    """Return the preparation over each portion of the folds that a search learns from.

    What a fit knows of its rows (how many, their mean) must be of these rows alone.
    """
    found: dict[tuple[Split, float], Prepared] = {}
    if plan.search is None:
        return found
    portions = rungs(plan.search, len(candidates_of(plan.search)))
    for portion in (share for share in portions if share < 1.0):
        prepared = prepare(folds, schema, plan.preparation, federation, portion)
        found |= {(s, portion): p for s, p in zip(folds, prepared, strict=True)}
    return found


def search(
    plan: SearchPlan,
    fixed: Mapping[str, Any],
    splits: Sequence[Split],
    fitting: Fitting,
    spec: EvaluationSpec,
) -> Searched:
    """Try all candidates and return them in order.

    Args:
        plan: The study's words.
        fixed: Parameters that are not searched.
        splits: The folds.
        fitting: The run's fits.
        spec: How models are judged.

    Raises:
        UsageError: The figure that is to decide is none of this target's.
        TrainingError: No candidate has the figure in every fold.
    """
    evaluation = evaluation_for(spec)
    metric = plan.metric or evaluation.main
    main = metric == evaluation.main
    higher = evaluation.better == "higher" if main else _higher(metric)
    values = candidates_of(plan)
    portions = rungs(plan, len(values))
    places, fits = list(range(len(values))), 0
    done: dict[int, Tried] = {}
    rung: dict[int, _Folds] = {}
    for step, portion in enumerate(portions):
        wanted = [
            Candidate(split=s, parameters={**fixed, **values[i]}, portion=portion)
            for i in places
            for s in splits
        ]
        rung = _judged(places, fitting.fit(wanted), fitting, spec)
        fits += len(wanted)
        for i, folds in rung.items():
            figures = tuple(_figure(m, metric) for m in folds.judged)
            done[i] = Tried(parameters=values[i], values=figures, portion=portion)
        places = _ordered(places, done, higher=higher)
        if step + 1 < len(portions):
            places = places[: math.ceil(len(places) / plan.factor)]
    if done[places[0]].mean is None:
        raise TrainingError(
            f"No candidate of the search has a {metric} in every fold.",
            remedy="Use fewer folds, or another metric.",
        )
    best = rung[places[0]]
    others = (i for i in _ranked(done, higher=higher) if i != places[0])
    return Searched(
        metric=metric,
        better="higher" if higher else "lower",
        method=plan.method,
        tried=tuple(done[i] for i in (places[0], *others)),
        fits=fits,
        folds=best.fits,
        judged=best.judged,
    )


@dataclass(frozen=True)
class _Folds:
    fits: tuple[Fit, ...]
    judged: tuple[Metrics, ...]


def _judged(
    places: Sequence[int], fits: Sequence[Fit], fitting: Fitting, spec: EvaluationSpec
) -> dict[int, _Folds]:
    """Return each candidate's fits and figures, fold by fold."""
    judged, _ = judge_fits(fits, spec, fitting.federation)
    size = len(fits) // len(places)
    return {
        i: _Folds(
            tuple(fits[n * size : (n + 1) * size]),
            tuple(judged[n * size : (n + 1) * size]),
        )
        for n, i in enumerate(places)
    }


def candidates_of(plan: SearchPlan) -> list[dict[str, Any]]:
    """Return every combination of the values, in the order they are written in."""
    names = list(plan.parameters)
    return [
        dict(zip(names, values, strict=True))
        for values in product(*plan.parameters.values())
    ]


def rungs(plan: SearchPlan, candidates: int) -> list[float]:
    """Return the share of rows of each rung; the last has all of them."""
    if plan.method == "grid":
        return [1.0]
    count = max(1, math.ceil(math.log(candidates, plan.factor) - 1e-9))
    return [float(plan.factor) ** -(count - 1 - i) for i in range(count)]


def reseated(best: Mapping[str, Any], candidate: Candidate) -> Candidate:
    """Return a fit with the parameters that were chosen."""
    return replace(candidate, parameters={**candidate.parameters, **best})


def _figure(found: Metrics, metric: str) -> float | None:
    if metric not in found.figures:
        raise UsageError(
            f"There is no figure {metric} for this target.",
            remedy=f"Choose one of: {', '.join(sorted(found.figures))}.",
        )
    return found.value(metric)


def _higher(metric: str) -> bool:
    losses = ("loss", "error", "brier", "deviance", "inertia", "mse", "rmse", "mae")
    return not any(word in metric for word in losses)


def _ordered(
    places: Sequence[int], done: Mapping[int, Tried], *, higher: bool
) -> list[int]:
    """Return places by their figure, the best first; the earlier of equals."""
    sign = -1.0 if higher else 1.0

    def key(i: int) -> tuple[bool, float, int]:
        mean = done[i].mean
        return (mean is None, sign * (mean or 0.0), i)

    return sorted(places, key=key)


def _ranked(done: Mapping[int, Tried], *, higher: bool) -> list[int]:
    """Return all places: who got further comes first, then by figure."""
    order = _ordered(sorted(done), done, higher=higher)
    return sorted(order, key=lambda i: -done[i].portion)
