"""One round of the preparation, for every selection of rows that needs one."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.manifest.uses import TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, listed, malformed, numbered, prefixed
from fl_plugin.party.portions import check_portions, portion_of
from fl_plugin.party.session import Session, out_of_order, read_splits
from fl_plugin.preparation.fit import PreparationWorker, answers
from fl_plugin.preparation.splits import Split
from fl_plugin.summand import Array, Summand


class Prepare(Kind):
    """Add up what the columns' preparation needs, over each split's rows."""

    name: ClassVar[str] = "prepare"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL})
    releases: ClassVar[str] = "numbers of rows and sums over the columns"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the parts of every preparation that is asked about.

        Raises:
            PolicyError: A selection has too few of this domain's rows on one side.
            MessageError: It does not go with another of the run, or fits are assigned
                already.
        """
        if session.jobs:
            raise out_of_order()
        splits = selections(session, listed(ask, "splits", dict))
        portion = ask.body.get("portion", 1.0)
        if not (isinstance(portion, float) and 0.0 < portion <= 1.0):
            raise malformed("portion")
        parts: dict[str, Array] = {}
        expected: dict[str, Summand] = {}
        for i, question in enumerate(numbered(ask, len(splits))):
            worker = _worker(session, splits[i], portion)
            expected |= prefixed(i, answers(question, session.schema))
            parts |= prefixed(i, worker.answer(question))
        return Answer(parts=parts, expected=expected)


def _worker(session: Session, split: Split, portion: float) -> PreparationWorker:
    """Return the preparation of a selection, or of a portion of it, a new one at first.

    Raises:
        MessageError: The portion hardly differs from another.
    """
    whole = portion == 1.0
    known = session.preparers.get(split) if whole else None
    worker = known or session.portioned.get((split, portion))
    if worker is None:
        check_portions(session, split, (portion,))
        chosen = portion_of(session, split, (portion,))
        worker = PreparationWorker(session.schema, session.coded(), chosen)
        if whole:
            session.preparers[split] = worker
        else:
            session.portioned[split, portion] = worker
    return worker


def selections(session: Session, raw: Sequence[dict[str, Any]]) -> list[Split]:
    """Return the selections of rows that a message names, where none singles rows out.

    Raises:
        PolicyError: One has too few of this domain's rows on one side.
        MessageError: One is malformed, or does not go with another of the run.
    """
    splits = read_splits(raw)
    known = {*session.preparers, *(job.split for job in session.jobs)}
    known |= {split for split, _ in session.portioned}
    for split in dict.fromkeys(splits):
        if any(split.contradicts(before) for before in known):
            raise MessageError(
                "A message asks for a selection of rows that differs from another of "
                "the same run: their difference would be single rows.",
                remedy="Start the run again from a plan.",
            )
        if split not in known:
            _check_sides(session, split)
        known.add(split)
    return splits


def _check_sides(session: Session, split: Split) -> None:
    """Refuse a time, which the asker names, that few own rows lie before or after."""
    if split.name != "time":
        return
    times = session.rows.times
    after = int(np.count_nonzero(times > split.cut))
    sides = [rows for rows in (after, len(times) - after) if rows]
    if min(sides, default=session.min_cohort) < session.min_cohort:
        raise PolicyError(
            f"Fewer than {session.min_cohort} rows of {session.product.name} lie "
            "before, or after, the time by which rows are held out.",
            remedy="Hold out another share, hold out by hash, or leave the domain out.",
            reason="cohort.too_few_on_one_side",
            domain=session.product.domain,
        )
