"""Begin to score matched rows with the parts that all domains have kept."""

from typing import ClassVar

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.manifest.uses import EVALUATE, PREDICT
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, check_uses, malformed
from fl_plugin.party.kinds.arrange import task_of
from fl_plugin.party.matched.parts import place_of, recall
from fl_plugin.party.matched.state import Columns, Matched, coded, matched_of
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.preparation.raw import RawBlock
from fl_plugin.vertical.installed import find_vertical


class Score(Kind):
    """Get ready to score: rows held out of this run's fit, or all matched rows."""

    name: ClassVar[str] = "score"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({EVALUATE, PREDICT})
    releases: ClassVar[str] = "the number of rows to score"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return how many rows are scored, and of how many columns.

        Raises:
            PolicyError: All rows are to be scored, and the run is not for predictions;
                or those held out, and it is not for figures.
            RegistryError: The part of the model is missing or was altered.
            MessageError: It is not the turn of this question.
        """
        matched = matched_of(session)
        if "of" in ask.body:
            check_uses(session, frozenset({PREDICT}))
            _recall(session, matched, ask)
            return Answer(
                body={
                    "rows": matched.rows().rows,
                    "width": len(matched.designed().all),
                }
            )
        if matched.part is None or matched.algorithm is None:
            raise out_of_order()
        # Once: what a scoring sends of a row may carry noise, which repeats would
        # average away.
        if matched.scorer is not None:
            raise out_of_order()
        if matched.worker is not None:
            check_uses(session, frozenset({EVALUATE}))
        chosen = matched.test
        task = task_of(session, matched, ask, int(chosen.sum()))
        side = matched.side(
            session.product.domain, chosen, session.randomness, labelled=False
        )
        matched.scorer = matched.algorithm.scorer(task, side, matched.part)
        return Answer()


def _recall(session: Session, matched: Matched, ask: Ask) -> None:
    """Load the part of an earlier run; all matched rows are scored then."""
    matched.choose()
    run, digest = ask.body.get("of"), ask.body.get("part")
    if not isinstance(run, str) or not isinstance(digest, str):
        raise malformed("part")
    file = place_of(matched.folder, session.request.study, run)
    part = recall(file, digest)
    if part.algorithm != session.request.algorithm:
        raise malformed("part")
    names = [f.name for f in session.wanted.features]
    if [f.name for f in part.columns.prepared.schema.features] != names:
        raise malformed("part")
    known = part.columns.prepared.schema.features
    _, matched.raw = coded(session, matched.places, known)
    matched.columns, matched.part = part.columns, part.arrays
    _require_finite(session, part.columns, matched.raw)
    matched.labelled = part.labelled
    matched.algorithm = find_vertical(part.algorithm).of(part.parameters)
    matched.test = np.ones(matched.raw.rows, dtype=np.bool_)


def _require_finite(session: Session, columns: Columns, raw: RawBlock) -> None:
    """Refuse infinite values of rows to score; trees alone have a bin for them.

    Raises:
        TrainingError: A column has some.
    """
    schema = columns.prepared.schema
    if schema.prepares == "bins":
        return
    for feature, values in zip(schema.numbers, raw.numeric, strict=True):
        if np.isinf(values).any():
            raise TrainingError(
                f"{session.product.name}: The column {feature.name} has "
                "infinite values in rows to score.",
                remedy="Leave such rows out in the product, then build it again.",
            )
