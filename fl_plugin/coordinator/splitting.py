"""Which rows are held out, and the folds: by keyed hash, or by cuts from sums."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fl_plugin.algorithms.base import Question
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.lockstep import Procedure, lockstep
from fl_plugin.errors import TrainingError, UsageError
from fl_plugin.plan.types import Plan
from fl_plugin.preparation.cuts import Cuts, Strata, cutting_time, time_schema
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.fit import answers
from fl_plugin.preparation.splits import Split
from fl_plugin.summand import Arrays

T = TypeVar("T")


def splits_of(plan: Plan, min_cohort: int, federation: Federation) -> tuple[Split, ...]:
    """Return the training part of the hold-out, then of every fold of every repeat.

    Args:
        plan: The study's.
        min_cohort: The largest of the domains' smallest cohorts.
        federation: The run; it is asked where cuts are to be found.

    Raises:
        UsageError: Folds are to be stratified by a target without classes.
        TrainingError: A class is too small for so many folds.
    """
    return (
        holdout_of(plan, min_cohort, federation),
        *_folds(plan, federation),
    )


def holdout_of(plan: Plan, min_cohort: int, federation: Federation) -> Split:
    """Return the training part of the hold-out."""
    chosen = plan.evaluation
    if chosen.holdout_by == "hash":
        return Split(name="holdout", part="train", share=chosen.holdout)
    cut = _search(
        {"what": "time"},
        lambda: cutting_time(chosen.holdout, min_cohort),
        time_schema(min_cohort),
        federation,
    )
    return Split(name="time", part="train", share=chosen.holdout, cut=cut)


def check_holdout(rows: int, trained: int, min_cohort: int) -> None:
    """Refuse to judge by a handful of rows: figures would say nothing, or who they are.

    Args:
        rows: Of all domains together.
        trained: Of them, those that the hold-out leaves to learn from.
        min_cohort: The largest of the domains' smallest cohorts.

    Raises:
        TrainingError: Fewer rows than that are held out.
    """
    if rows - trained < min_cohort:
        raise TrainingError(
            f"Fewer than {min_cohort} rows are held out, of all domains together.",
            remedy="Raise evaluation.holdout in the study, and check that the key (or "
            "the column that groups rows) differs from row to row.",
        )


def _folds(plan: Plan, federation: Federation) -> tuple[Split, ...]:
    chosen = plan.evaluation
    plain = tuple(
        Split(name="cv", part="train", folds=chosen.folds, repeat=repeat, fold=fold)
        for repeat in range(chosen.repeats if chosen.folds else 0)
        for fold in range(chosen.folds)
    )
    if not (chosen.stratified and plain):
        return plain
    classes = len(plan.predicts.classes)
    if not classes or chosen.group is not None:
        raise UsageError(
            "Folds are stratified by the classes of a target, row by row: not by a "
            "number, and not where groups of rows stay together.",
            remedy="Leave evaluation.stratified out of the study.",
        )
    strata = Strata(classes=classes, folds=chosen.folds, repeats=chosen.repeats)
    body = {"what": "folds", "folds": chosen.folds, "repeats": chosen.repeats}
    cuts: tuple[Cuts, ...] = _search(body, strata.cutting, strata.schema, federation)
    return tuple(replace(split, cuts=cuts[split.repeat]) for split in plain)


def _search(
    body: Mapping[str, Any],
    rounds: Callable[[], Generator[Question, Arrays, T]],
    schema: Schema,
    federation: Federation,
) -> T:
    procedure = Procedure(
        rounds=rounds(), answers=lambda question: answers(question, schema)
    )
    (found,) = lockstep("cut", [procedure], lambda _: body, federation)
    return found
