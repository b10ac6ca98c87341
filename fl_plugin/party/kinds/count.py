"""How many rows there are at all domains together: the bound of every later sum."""

from typing import ClassVar

import numpy as np

from fl_plugin.manifest.uses import EVALUATE, TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.session import Session
from fl_plugin.summand import Summand

MOST_ROWS = 2**40
ROWS = {"rows": Summand.count((1,), MOST_ROWS)}


class Count(Kind):
    """Count all rows that the contract's filter leaves."""

    name: ClassVar[str] = "count"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL, EVALUATE})
    releases: ClassVar[str] = "the number of rows"

    def answer(self, session: Session, _ask: Ask) -> Answer:
        """Return `rows` (1,)."""
        rows = np.array([len(session.rows)], dtype=np.int64)
        return Answer(parts={"rows": rows}, expected=ROWS)
