"""What a party's own training came to, and how it is sent."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats


@dataclass(frozen=True)
class Local:
    """What a party's training came to.

    Args:
        change: Of the weights, clipped.
        loss: Sum over its rows in the last pass.
        steps: How many it took.
    """

    change: Floats
    loss: float
    steps: int


def weighted(local: Local, rows: int) -> dict[str, Any]:
    """Return what a party answers: sums over its rows."""
    return {
        "update": rows * local.change,
        "rows": np.array([rows]),
        "loss": np.array([local.loss]),
    }


def clipped(change: Floats, most: float) -> Floats:
    """Return the change, shortened to Euclidean norm `most` where it is longer.

    Raises:
        TrainingError: Training ran off to infinity.
    """
    length = float(np.linalg.norm(change))
    if not np.isfinite(length):
        raise diverged("A party's training")
    return change * (most / length) if length > most else change


def diverged(what: str) -> TrainingError:
    """Return the error for weights that ran off."""
    return TrainingError(
        f"{what} diverged.",
        remedy="Lower learning_rate in the study, or scale its features.",
    )
