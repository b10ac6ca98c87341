"""First moments: rows, positives, values present and their sums."""

from typing import ClassVar

import numpy as np

from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.session import Session, read_splits
from fl_plugin.preparation.moments import count


class Count(Kind):
    """Count and add up the training rows of each split."""

    name: ClassVar[str] = "count"
    releases: ClassVar[str] = "numbers of rows and sums of the numeric columns"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return counts (tasks, ...) and sums (tasks, numeric features)."""
        raw = session.columns()
        parts = [
            count(raw.numeric, raw.target, session.chosen(split))
            for split in read_splits(ask.body)
        ]
        return Answer(
            counts={n: np.stack([c[n] for c, _ in parts]) for n in parts[0][0]},
            moments={n: np.stack([s[n] for _, s in parts]) for n in parts[0][1]},
        )
