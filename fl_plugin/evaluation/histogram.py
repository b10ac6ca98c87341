"""Score histograms: the integers from which ranking metrics are computed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import MessageError, TrainingError

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

MIN_BINS, MAX_BINS = 2, 1 << 20
_CLIP = 12.0
_LOWEST = 1.0 / (1.0 + np.exp(_CLIP))
_HIGHEST = 1.0 - _LOWEST
_GRID = 44


@lru_cache(maxsize=8)
def _edges(bins: int) -> Scores:
    """Return the bins' lower edges as scores, and one edge above every score.

    Rounded to multiples of 2**-44: libraries that differ in the last bit of `exp`
    still cut at the same place, so that no two parties disagree on the order.
    """
    logits = np.linspace(-_CLIP, _CLIP, bins + 1)
    edges = np.ldexp(np.rint(np.ldexp(1.0 / (1.0 + np.exp(-logits)), _GRID)), -_GRID)
    edges[0], edges[-1] = -np.inf, np.inf
    edges.flags.writeable = False
    return edges


def check_rows(scores: Scores, labels: Labels) -> None:
    """Refuse scores that are not probabilities and labels that are not boolean.

    Raises:
        TrainingError: A score is missing or outside [0, 1], or the shapes differ.
    """
    if scores.ndim != 1 or scores.shape != labels.shape or labels.dtype != np.bool_:
        raise TrainingError(
            "Scores and labels do not belong together.",
            remedy="Give one score and one boolean label for each row.",
        )
    # Written so that a NaN fails it.
    if scores.size and not (scores.min() >= 0.0 and scores.max() <= 1.0):
        raise TrainingError(
            "The model gave a score that is not a probability.",
            remedy="Check the features for overflow, or raise the penalty l2.",
        )


def score_bins(scores: Scores, bins: int) -> Counts:
    """Return the bin of each score: equal widths on the logit, clipped to [-12, 12].

    On the logit the tails keep their resolution. A higher score never has a lower
    bin, whatever the last bit of `log`: that is what the brackets rest on.

    Args:
        scores: Shape (n,), in [0, 1].
        bins: How many bins, 2 to 2**20.
    """
    inside = np.clip(scores, _LOWEST, _HIGHEST)
    logits = np.log(inside / (1.0 - inside))
    logits += _CLIP
    logits *= bins / (2.0 * _CLIP)
    found = np.clip(logits, 0, bins - 1).astype(np.int64)
    edges = _edges(bins)
    found -= scores < edges[found]
    found += scores >= edges[found + 1]
    return found


@dataclass(frozen=True, eq=False)
class ScoreHistogram:
    """How many rows of each class fell in each bin; shape (bins,) both, lowest first.

    Adding histograms of different rows gives the histogram of all the rows, exactly.
    """

    positives: Counts
    negatives: Counts

    @classmethod
    def of(cls, scores: Scores, labels: Labels, bins: int) -> Self:
        """Count scores (n,) in [0, 1] by their label; True is the positive class."""
        slots = score_bins(scores, bins)
        slots *= 2
        slots += labels
        both = np.bincount(slots, minlength=2 * bins).reshape(bins, 2)
        return cls(both[:, 1].copy(), both[:, 0].copy())

    def __add__(self, other: "ScoreHistogram") -> "ScoreHistogram":
        """Return the histogram of both sets of rows.

        Raises:
            MessageError: The two have different numbers of bins.
        """
        if self.positives.shape != other.positives.shape:
            raise MessageError(
                "Two score histograms have different numbers of bins.",
                remedy="Use the same evaluation.bins at every party.",
            )
        return ScoreHistogram(
            self.positives + other.positives, self.negatives + other.negatives
        )

    def occupied(self) -> "ScoreHistogram":
        """Return the same histogram without its empty bins: the order stays."""
        kept = (self.positives + self.negatives) > 0
        return ScoreHistogram(self.positives[kept], self.negatives[kept])
