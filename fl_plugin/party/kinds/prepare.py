"""One round of the preparation, for every selection of rows that needs one."""

from typing import ClassVar

from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, numbered, prefixed
from fl_plugin.party.session import Session, read_splits
from fl_plugin.preparation.fit import PreparationWorker, answers
from fl_plugin.summand import Array, Summand


class Prepare(Kind):
    """Add up what the columns' preparation needs, over each split's rows."""

    name: ClassVar[str] = "prepare"
    releases: ClassVar[str] = "numbers of rows and sums over the columns"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the parts of every preparation that is asked about."""
        splits = read_splits(listed(ask, "splits", dict))
        raw = session.coded()
        parts: dict[str, Array] = {}
        expected: dict[str, Summand] = {}
        for i, question in enumerate(numbered(ask, len(splits))):
            split = splits[i]
            worker = session.preparers.get(split)
            if worker is None:
                worker = PreparationWorker(session.schema, raw, session.chosen(split))
                session.preparers[split] = worker
            expected |= prefixed(i, answers(question, session.schema))
            parts |= prefixed(i, worker.answer(question))
        return Answer(parts=parts, expected=expected)
