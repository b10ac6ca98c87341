"""How well models predict this domain's test rows, as sums that add over domains."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from fl_plugin.algorithms.base import Block
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.evaluation.base import (
    Evaluation,
    EvaluationSpec,
    added,
    evaluation_for,
    without_groups,
)
from fl_plugin.manifest.uses import EVALUATE
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, malformed, numbered, prefixed
from fl_plugin.party.designing import test_design
from fl_plugin.party.job import Job
from fl_plugin.party.private import is_private
from fl_plugin.party.session import Session
from fl_plugin.party.table import Codes
from fl_plugin.preparation.permuting import (
    MOST_REPEATS,
    Permutation,
    permuted_design,
    permuted_rows,
)
from fl_plugin.summand import Array, Arrays, Floats, Summand

BLOCK = 65_536
MOST_PERMUTATIONS = 256  # of one message

Scored = Iterable[tuple[Floats, Floats]]


class Evaluate(Kind):
    """Judge each fit's model by the rows that it did not learn from."""

    name: ClassVar[str] = "evaluate"
    opened_by: ClassVar[frozenset[str]] = frozenset({EVALUATE})
    releases: ClassVar[str] = "histograms of predictions by outcome, and sums of losses"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the evaluation's arrays, one of each per fit.

        Where the message names permutations, one of each per permutation instead: of
        its one model, with a feature's values permuted among this domain's test rows.
        """
        jobs = [session.job(place) for place in listed(ask, "jobs", int)]
        models = numbered(ask, len(jobs))
        evaluation = evaluation_for(read_spec(session, ask))
        if "permuted" in ask.body:
            permutations = _permutations(session, ask)
            if len(jobs) != 1:
                raise malformed("permutations")
            evaluation = without_groups(evaluation)
            found = (
                _sums(evaluation, _permuted(session, jobs[0], models[0], permutation))
                for permutation in permutations
            )
        else:
            found = (
                _judged(session, job, model, evaluation)
                for job, model in zip(jobs, models, strict=True)
            )
        parts: dict[str, Array] = {}
        expected: dict[str, Summand] = {}
        for i, sums in enumerate(found):
            expected |= prefixed(i, evaluation.answers())
            parts |= prefixed(i, sums)
        return Answer(parts=parts, expected=expected)


def _judged(
    session: Session, job: Job, model: Arrays, evaluation: Evaluation
) -> dict[str, Any]:
    design, chosen = test_design(session, job)
    groups = tuple(codes[chosen] for codes in session.protected)
    return _sums(evaluation, _scored(session, job, model, design.blocks(BLOCK)), groups)


def _permuted(
    session: Session, job: Job, model: Arrays, permutation: Permutation
) -> Scored:
    design, chosen = test_design(session, job)
    order = permutation.order(session.rows.hashes[chosen], session.seed)
    feature = permutation.feature
    if isinstance(design, Block):
        blocks = permuted_design(design, job.task.columns, feature, order)
    else:
        blocks = permuted_rows(session.coded(), chosen, job.prepared, feature, order)
    return _scored(session, job, model, blocks)


def _scored(
    session: Session, job: Job, model: Arrays, blocks: Iterable[Block]
) -> Iterator[tuple[Floats, Floats]]:
    """Yield predictions and targets block by block; at least one, perhaps empty."""
    begun = False
    for block in blocks:
        yield _told(job, model, block)
        begun = True
    if not begun:
        block = job.prepared.design_block(next(session.coded().blocks(1)))
        predictions, outcomes = _told(job, model, block)
        yield predictions[:0], outcomes[:0]


def _told(job: Job, model: Arrays, block: Block) -> tuple[Floats, Floats]:
    """Return what a model predicts, and what that is held against."""
    algorithm, task = job.algorithm, job.task
    return algorithm.predict(model, task, block), algorithm.outcome(model, task, block)


def _sums(
    evaluation: Evaluation, scored: Scored, groups: tuple[Codes, ...] = ()
) -> dict[str, Any]:
    begin = 0
    parts = []
    for predictions, y in scored:
        end = begin + len(y)
        some = tuple(codes[begin:end] for codes in groups)
        parts.append(evaluation.sums(predictions, y, some))
        begin = end
    return added(parts)


def _permutations(session: Session, ask: Ask) -> list[Permutation]:
    """Return the permutations that a message names.

    Raises:
        PolicyError: The run is one under differential privacy.
        MessageError: They are malformed, or name no feature of the run.
    """
    if is_private(session):
        raise PolicyError(
            "A run under differential privacy asks for the importance of features.",
            remedy="Leave evaluation.importances out of the study.",
            reason="privacy.not_paid_for",
            domain=session.product.domain,
        )
    told = listed(ask, "permuted", dict)
    features = {feature.name for feature in session.schema.features}
    found = []
    for one in told:
        feature, repeat = one.get("feature"), one.get("repeat")
        if set(one) != {"feature", "repeat"} or type(repeat) is not int:
            raise malformed("permutations")
        if not isinstance(feature, str) or feature not in features:
            raise malformed("permutations")
        if not 0 <= repeat < MOST_REPEATS:
            raise malformed("permutations")
        found.append(Permutation(feature=feature, repeat=repeat))
    if len(set(found)) < len(found) or len(found) > MOST_PERMUTATIONS:
        raise malformed("permutations")
    return found


def read_spec(session: Session, ask: Ask) -> EvaluationSpec:
    """Return the evaluation's settings in a message.

    Raises:
        MessageError: They are malformed, or say that all domains together have fewer
            rows than this one.
    """
    told = ask.body.get("spec")
    known = {"bins", "threshold", "low", "high", "centre", "rows"}
    if not isinstance(told, dict) or set(told) != known:
        raise malformed("evaluation")
    numbers = (told["threshold"], told["centre"])
    ends = (told["low"], told["high"])
    if (
        type(told["bins"]) is not int
        or type(told["rows"]) is not int
        or not all(isinstance(v, float) for v in numbers)
        or not all(v is None or isinstance(v, float) for v in ends)
    ):
        raise malformed("evaluation")
    if told["rows"] < len(session.rows):
        raise MessageError(
            "A message says that all domains together have fewer rows than this one "
            "has.",
            remedy="Start the run again.",
        )
    predicts = session.wanted.predicts
    return EvaluationSpec(
        kind=predicts.kind,
        classes=predicts.classes,
        group_sizes=tuple(len(f.categories or ()) for f in session.wanted.protected),
        **told,
    )
