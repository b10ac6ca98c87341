"""One round of the search for where stratified folds, or a time, are cut."""

from typing import ClassVar

from fl_plugin.manifest.uses import EVALUATE, TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, malformed, numbered, prefixed
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.preparation.cuts import Strata, time_schema, time_worker
from fl_plugin.preparation.features import Schema
from fl_plugin.preparation.fit import PreparationWorker, answers
from fl_plugin.preparation.splits import MAX_FOLDS, MAX_REPEATS


class Cut(Kind):
    """Count rows below and above draws, or a time, class by class."""

    name: ClassVar[str] = "cut"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL, EVALUATE})
    releases: ClassVar[str] = "numbers of rows whose draw, or time, is below a value"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the counts that the search asks for."""
        what = ask.body.get("what")
        (question,) = numbered(ask, 1)
        schema, worker = _strata(session, ask) if what == "folds" else _time(session)
        if what not in {"folds", "time"}:
            raise malformed("cut")
        made = session.cutters.setdefault(str(what), worker)
        return Answer(
            parts=prefixed(0, made.answer(question)),
            expected=prefixed(0, answers(question, schema)),
        )


def _strata(session: Session, ask: Ask) -> tuple[Schema, PreparationWorker]:
    folds, repeats = ask.body.get("folds"), ask.body.get("repeats")
    classes = len(session.wanted.predicts.classes)
    if type(folds) is not int or type(repeats) is not int or not classes:
        raise malformed("folds")
    if not (1 < folds <= MAX_FOLDS and 0 < repeats <= MAX_REPEATS):
        raise malformed("folds")
    strata = Strata(classes=classes, folds=folds, repeats=repeats)
    known = session.cutters.get("folds")
    rows = session.rows
    return strata.schema, known or strata.worker(rows.groups, rows.target, session.seed)


def _time(session: Session) -> tuple[Schema, PreparationWorker]:
    if not session.wanted.timed:
        raise out_of_order()
    floor = session.schema.min_cohort
    known = session.cutters.get("time")
    return time_schema(floor), known or time_worker(session.rows.times, floor)
