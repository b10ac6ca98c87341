"""One run from its plan to its numbers: open, prepare, fit, judge, close."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fl_plugin.algorithms.base import Fitted
from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.algorithms.private.releases import MOST_ROWS
from fl_plugin.coordinator.closing import closing
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Candidate, Fit, Fitting, prepare
from fl_plugin.coordinator.judging import (
    Judgement,
    judge,
    judge_features,
    spec_for,
)
from fl_plugin.coordinator.noised_judging import is_noised, judge_noised
from fl_plugin.coordinator.opening import Opened, open_parties
from fl_plugin.coordinator.private_run import (
    check_privacy,
    fit_private,
    mu_of_fit,
)
from fl_plugin.coordinator.searching import Searched, prepare_portions, reseated, search
from fl_plugin.coordinator.splitting import check_holdout, holdout_of, splits_of
from fl_plugin.errors import TrainingError, UsageError
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.summand import Arrays, Summand

ROWS = {"rows": Summand.count((1,), 2**40)}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Everything that a run brought back, and nothing of a row.

    Args:
        features: With their categories.
        protected: Likewise, of the columns by which figures are told apart.
        opened: What each party said when it opened.
        fits: The hold-out's model first, then the folds'.
        searched: What was tried before; None without a search.
        rows: Rows of all domains together.
        seconds: By stage.
    """

    features: tuple[Feature, ...]
    protected: tuple[Feature, ...]
    opened: Mapping[str, Mapping[str, Any]]
    fits: tuple[Fit, ...]
    judgement: Judgement
    spec: EvaluationSpec
    searched: Searched | None
    rows: int
    seconds: Mapping[str, float]


def train(plan: Plan, federation: Federation) -> Trained:
    """Run a plan that every domain has allowed.

    Raises:
        MeshError: A domain refused, or the numbers allow no answer. The parties are
            closed all the same.
    """
    _check(plan)
    clock = _Clock()
    with closing(federation):
        opened = open_parties(plan, federation)
        clock.lap("open")
        made = _fit_privately if plan.privacy.epsilon is not None else _fit
        fits, searched, rows = made(plan, opened, federation, clock)
        clock.lap("train")
        spec = spec_for(plan, fits[0].prepared, opened.protected, rows)
        if is_noised(plan):
            judgement = judge_noised(plan, fits[0], spec, federation)
        else:
            judgement = judge(fits, spec, federation)
        _check_rows(fits, judgement, rows, federation)
        clock.lap("evaluate")
        if plan.evaluation.importances:
            judgement = _with_importances(plan, fits[0], spec, judgement, federation)
            clock.lap("importances")
    return Trained(
        features=opened.features,
        protected=opened.protected,
        opened=opened.bodies,
        fits=fits,
        judgement=judgement,
        spec=spec,
        searched=searched,
        rows=rows,
        seconds=clock.laps,
    )


def _with_importances(
    plan: Plan,
    fit: Fit,
    spec: EvaluationSpec,
    judgement: Judgement,
    federation: Federation,
) -> Judgement:
    repeats = plan.evaluation.importances
    found = judge_features(fit, spec, repeats, judgement.holdout, federation)
    return replace(judgement, importances=found)


Fits = tuple[tuple[Fit, ...], Searched | None, int]


def _fit(plan: Plan, opened: Opened, federation: Federation, clock: "_Clock") -> Fits:
    """Return the hold-out's model and the folds', what was searched, and all rows."""
    rows = _rows(federation)
    splits = splits_of(plan, opened.min_cohort, federation)
    schema = opened.schema(plan)
    found = prepare(splits, schema, plan.preparation, federation)
    if not federation.lost:
        check_holdout(rows, found[0].rows, opened.min_cohort)
    portioned = prepare_portions(plan, splits[1:], schema, federation)
    clock.lap("prepare")
    fitting = Fitting(
        find_algorithm(plan.algorithm),
        dict(zip(splits, found, strict=True)),
        plan.seed,
        federation,
        undersample=plan.sampling.undersample if plan.sampling else None,
        portioned=portioned,
    )
    wanted = [Candidate(split=s, parameters=plan.parameters) for s in splits]
    if plan.search is None:
        return tuple(fitting.fit(wanted)), None, rows
    spec = spec_for(plan, found[0], opened.protected, rows)
    searched = search(plan.search, plan.parameters, splits[1:], fitting, spec)
    best = fitting.fit([reseated(searched.best, wanted[0])])
    return (*best, *searched.folds), searched, rows


def _fit_privately(
    plan: Plan, opened: Opened, federation: Federation, _: "_Clock"
) -> Fits:
    """Return the one model, and a public bound in place of the number of rows."""
    return (fit_private(plan, opened.schema(plan), federation),), None, MOST_ROWS


def evaluate(
    plan: Plan, prepared: Prepared, model: Arrays, federation: Federation
) -> Judgement:
    """Judge a model that is fitted already, on its hold-out rows as they are today.

    Raises:
        MeshError: A domain refused.
    """
    with closing(federation):
        opened: Opened = open_parties(plan, federation)
        if opened.features != plan.features:
            raise UsageError(
                "The categories of the columns have changed since the model was made.",
                remedy="Train the study again.",
            )
        private = plan.privacy.epsilon is not None
        rows = MOST_ROWS if private else _rows(federation)
        holdout = holdout_of(plan, opened.min_cohort, federation)
        prepared = replace(prepared, schema=opened.schema(plan))
        algorithm = find_algorithm(plan.algorithm)
        mu = mu_of_fit(plan)
        fitting = Fitting(algorithm, {holdout: prepared}, plan.seed, federation, mu)
        candidate = Candidate(split=holdout, parameters=plan.parameters)
        fit = Fit(
            place=fitting.assign([candidate]),
            candidate=candidate,
            algorithm=algorithm.of(plan.parameters),
            prepared=prepared,
            task=fitting.task(candidate),
            fitted=Fitted(model=model, rounds=0),
        )
        spec = spec_for(plan, prepared, opened.protected, rows)
        if is_noised(plan):
            return judge_noised(plan, fit, spec, federation)
        return judge((fit,), spec, federation)


def _check(plan: Plan) -> None:
    """Refuse parameters that do not fit, before anything is opened."""
    check_privacy(plan)
    _check_importances(plan)
    if plan.sampling is not None and not plan.predicts.classes:
        raise UsageError(
            f"{plan.study} undersamples classes, and its target has none.",
            remedy="Leave `sampling` out of the study.",
        )
    if plan.sampling is not None and "balanced" in _words(plan, "class_weight"):
        raise UsageError(
            f"{plan.study} undersamples classes and weighs them: one of the two evens "
            "them out.",
            remedy="Leave `sampling` or `class_weight` out of the study.",
        )
    algorithm = find_algorithm(plan.algorithm).of(plan.parameters)
    searched = plan.search.parameters if plan.search else {}
    for name, values in searched.items():
        for value in values:
            find_algorithm(plan.algorithm).of({**plan.parameters, name: value})
    if algorithm.prepares == "bins" and plan.privacy.on_dropout == "recover":
        raise UsageError(
            f"{plan.algorithm} cannot go on without a domain: a tree's nodes would be "
            "sums over different domains.",
            remedy="Set `privacy: {on_dropout: stop}` in the study.",
        )
    if algorithm.sees == "each" and plan.secure_aggregation:
        raise UsageError(
            f"{plan.algorithm} must see each domain's own part with these parameters, "
            "which secure aggregation hides.",
            remedy="Aggregate by the mean, or set `privacy: {secure_aggregation: "
            "false}` where every domain allows it.",
        )


def _check_importances(plan: Plan) -> None:
    """Refuse importances where their sums would tell more than an evaluation's."""
    if not plan.evaluation.importances:
        return
    if plan.privacy.epsilon is not None:
        raise UsageError(
            "Under differential privacy the importance of features is not measured: "
            "each permutation would be one more exact release of the same rows.",
            remedy="Leave evaluation.importances out of the study.",
        )
    if plan.privacy.on_dropout == "recover":
        raise UsageError(
            "The importance of features is not measured where a domain may be lost on "
            "the way: permuting a feature that hardly matters asks nearly the same "
            "once more, and two such sums, with and without a domain, tell its part.",
            remedy="Set `privacy: {on_dropout: stop}`, or leave "
            "evaluation.importances out of the study.",
        )


def _check_rows(
    fits: tuple[Fit, ...], judgement: Judgement, rows: int, federation: Federation
) -> None:
    """Check that the rows of each fit and those it was judged on are all rows.

    Where a domain was lost, or nothing is told of how many rows there are, they need
    not be.

    Raises:
        TrainingError: They are not.
    """
    if federation.lost or rows == MOST_ROWS:
        return
    judged = (judgement.holdout, *judgement.folds)
    for fit, found in zip(fits, judged, strict=True):
        if fit.prepared.rows + found.rows != rows:
            raise TrainingError(
                "The rows that a model learned from and those that it was judged on "
                "are not all rows: a domain's rows changed, or it counted wrongly.",
                remedy="Train again while no domain rebuilds its products, then "
                "without one domain after the other.",
            )


def _words(plan: Plan, parameter: str) -> set[Any]:
    """Return every value that a parameter has in a study."""
    tried = plan.search.parameters.get(parameter, ()) if plan.search else ()
    return {plan.parameters.get(parameter), *tried}


def _rows(federation: Federation) -> int:
    answers = federation.ask("count", {}, expected=ROWS)
    return int(answers.sums["rows"][0])


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = round(now - self._last, 3)
        self._last = now
