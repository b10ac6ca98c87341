"""Judging a model without a target, with noise: each row's loss, clipped."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.evaluation.private.base import (
    GRID,
    Figures,
    PrivateEvaluation,
    steps_of,
)
from fl_plugin.release import Release
from fl_plugin.summand import Arrays, Floats

MOST_LOSS = 16.0  # of a row: a mean distance of four standard deviations


@dataclass(frozen=True)
class PrivateUnsupervisedEvaluation(PrivateEvaluation):
    """The mean loss of a row, each counted as 16 at most.

    Two numbers of at most 1 per row: it moves the sums by sqrt(2) at most.
    """

    kind: ClassVar[str] = "none"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "mean_loss": (0.0, MOST_LOSS),
        "total_loss": (0.0, math.inf),
    }

    def releases(self) -> Mapping[str, Release]:
        """Return what the two sums tell."""
        most = float(max(self.spec.rows, 1))
        release = Release(shape=(2,), bound=most, sensitivity=math.sqrt(2.0), share=1.0)
        return {"losses": release}

    def sums(self, predictions: Floats, y: Floats) -> dict[str, Floats]:
        """Return `losses`: rows, and losses over their most."""
        losses = steps_of(predictions, 0.0, MOST_LOSS) / GRID
        return {"losses": np.array([float(len(y)), losses.sum()])}

    def rows(self, totals: Arrays) -> float:
        """Return the first sum."""
        return float(totals["losses"][0])

    def figures(self, totals: Arrays) -> Figures:
        """Return the mean and the total."""
        rows, losses = (float(part) for part in totals["losses"])
        if rows < 1.0:
            return {"mean_loss": None, "total_loss": None}
        return {
            "mean_loss": MOST_LOSS * losses / rows,
            "total_loss": MOST_LOSS * losses,
        }
