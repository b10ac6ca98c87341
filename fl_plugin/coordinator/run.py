"""One run from its plan to its numbers: open, prepare, fit, judge, close."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Fit, Fits, count_rows, fit, prepare
from fl_plugin.coordinator.judging import Judgement, cross_validation, judge
from fl_plugin.coordinator.opening import Opened, open_parties
from fl_plugin.discovery import discover
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.evaluation.sums import EvaluationSpec
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Feature, width
from fl_plugin.preparation.splits import Split

ALL = Split(name="all", part="train")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Everything that a run brought back, and nothing of a row.

    Args:
        features: With their categories.
        opened: What each party said when it opened.
        fits: The hold-out's model first, then the folds'.
        rows: Rows of all domains together.
        seconds: By stage.
    """

    features: tuple[Feature, ...]
    opened: Mapping[str, Mapping[str, Any]]
    fits: Fits
    judgement: Judgement
    rows: int
    seconds: Mapping[str, float]


def train(plan: Plan, federation: Federation) -> Trained:
    """Run a plan that every domain has allowed.

    Raises:
        MeshError: A domain refused, or the numbers allow no answer. The parties are
            closed all the same.
    """
    algorithm = find_algorithm(plan.algorithm).of(plan.parameters)
    chosen = plan.evaluation
    holdout = Split(name="holdout", part="train", share=chosen.holdout)
    folds = cross_validation(chosen.folds, chosen.repeats)
    clock = _Clock()
    try:
        opened = open_parties(plan, federation)
        clock.lap("open")
        splits = (holdout, *folds)
        everything, *prepared = prepare((ALL, *splits), federation)
        clock.lap("prepare")
        columns = width(opened.features)
        fits = fit(algorithm, splits, prepared, columns, federation)
        clock.lap("train")
        spec = EvaluationSpec(bins=chosen.bins, threshold=chosen.threshold)
        rows = everything.counted.rows
        judgement = judge(fits.fits, rows, spec, federation)
        clock.lap("evaluate")
    finally:
        _close(federation)
    return Trained(
        features=opened.features,
        opened=opened.bodies,
        fits=fits,
        judgement=judgement,
        rows=rows,
        seconds=clock.laps,
    )


def evaluate(plan: Plan, model: Fit, federation: Federation) -> Judgement:
    """Judge a model that is fitted already, on its hold-out rows as they are today.

    Raises:
        MeshError: A domain refused.
    """
    try:
        opened: Opened = open_parties(plan, federation)
        if opened.features != plan.features:
            raise UsageError(
                "The categories of the columns have changed since the model was made.",
                remedy="Train the study again.",
            )
        (everything,) = count_rows((ALL,), federation)
        spec = EvaluationSpec(
            bins=plan.evaluation.bins, threshold=plan.evaluation.threshold
        )
        return judge((model,), everything.rows, spec, federation)
    finally:
        _close(federation)


def find_algorithm(name: str) -> type[Algorithm]:
    """Return the installed algorithm of this name.

    Raises:
        UsageError: There is none.
    """
    found = algorithms()
    if name not in found:
        raise UsageError(
            f"There is no algorithm {name}.",
            remedy=f"Choose one of: {', '.join(sorted(found))}.",
        )
    return found[name]


def algorithms() -> Mapping[str, type[Algorithm]]:
    """Return every installed algorithm by name, third parties' too."""
    return discover("fl_plugin.algorithms", Algorithm, "fl_plugin.algorithms")


def _close(federation: Federation) -> None:
    # A party that refused has no session to close; the first error is the one to tell.
    with suppress(MeshError):
        federation.ask("close", {})


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = round(now - self._last, 3)
        self._last = now
