"""Second moments: squared deviations from the common means."""

from typing import ClassVar

import numpy as np

from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind, matrix
from fl_plugin.party.session import Session, read_splits
from fl_plugin.preparation.moments import scatter


class Scatter(Kind):
    """Add up squared deviations over the training rows of each split."""

    name: ClassVar[str] = "scatter"
    releases: ClassVar[str] = "sums of squared deviations of the numeric columns"

    def answer(self, session: Session, ask: Ask) -> Answer:
        """Return squares (tasks, numeric features)."""
        raw = session.columns()
        splits = read_splits(ask.body)
        means = matrix(ask, "means", len(splits), len(raw.numeric))
        squares = [
            scatter(raw.numeric, session.chosen(split), mean)
            for split, mean in zip(splits, means, strict=True)
        ]
        return Answer(moments={"squares": np.stack(squares)})
