"""One turn of a vertical algorithm: what its coordinator asks this party now."""

from typing import ClassVar

from fl_plugin.manifest.uses import PREDICT, TRAIN_VERTICAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.matched.state import matched_of
from fl_plugin.party.session import Session, out_of_order


class Turn(Kind):
    """Answer the fit, or the scoring where that has begun."""

    name: ClassVar[str] = "turn"
    matched: ClassVar[bool] = True
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_VERTICAL, PREDICT})
    releases: ClassVar[str] = "what the vertical algorithm sends of matched rows"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return the algorithm's arrays."""
        matched = matched_of(session)
        at_work = matched.scorer or matched.worker
        if at_work is None:
            raise out_of_order()
        return Answer(plain=at_work.answer(ask.arrays))
