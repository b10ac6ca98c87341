"""How well models predict this domain's test rows, as sums that add over domains."""

from typing import Any, ClassVar

from fl_plugin.errors import MessageError
from fl_plugin.evaluation.base import Evaluation, EvaluationSpec, added, evaluation_for
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, malformed, numbered, prefixed
from fl_plugin.party.designing import test_design
from fl_plugin.party.session import Session
from fl_plugin.summand import Array, Arrays, Summand

BLOCK = 65_536


class Evaluate(Kind):
    """Judge each fit's model by the rows that it did not learn from."""

    name: ClassVar[str] = "evaluate"
    releases: ClassVar[str] = "histograms of predictions by outcome, and sums of losses"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the evaluation's arrays, one of each per fit."""
        places = listed(ask, "jobs", int)
        evaluation = evaluation_for(read_spec(session, ask))
        parts: dict[str, Array] = {}
        expected: dict[str, Summand] = {}
        for i, model in enumerate(numbered(ask, len(places))):
            expected |= prefixed(i, evaluation.answers())
            parts |= prefixed(i, _sums(session, places[i], model, evaluation))
        return Answer(parts=parts, expected=expected)


def _sums(
    session: Session, place: int, model: Arrays, evaluation: Evaluation
) -> dict[str, Any]:
    job = session.job(place)
    design, chosen = test_design(session, job)
    groups = tuple(codes[chosen] for codes in session.protected)
    begin = 0
    parts = []
    for block in design.blocks(BLOCK):
        end = begin + block.rows
        found = job.algorithm.predict(model, job.task, block)
        some = tuple(codes[begin:end] for codes in groups)
        parts.append(evaluation.sums(found, block.y, some))
        begin = end
    if not parts:
        none = session.coded().blocks(1)
        block = job.prepared.design_block(next(none))
        found = job.algorithm.predict(model, job.task, block)
        empty = tuple(codes[:0] for codes in session.protected)
        parts.append(evaluation.sums(found[:0], block.y[:0], empty))
    return added(parts)


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
