"""How high the rows that are true stand among each user's candidates.

Hit rate and normalised discounted cumulative gain (Järvelin & Kekäläinen, 2002), with
every held-out positive ranked among its own user's negatives, as in He et al. (2017),
"Neural collaborative filtering" (arXiv:1708.05031). Rows with equal scores are taken in
any order alike: a figure is its mean over all these orders, so that a model that says
the same of every row gets what chance gets.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.interval import (
    ROWS_FOR_A_VARIANCE,
    Interval,
    normal_interval,
)
from fl_plugin.summand import Floats

Users = npt.NDArray[np.int64]
HITS = (5, 10)
DEPTH = 10  # of the discounted gain
NAMES = (*(f"hr_at_{k}" for k in HITS), f"ndcg_at_{DEPTH}")


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Every user's figures; they stay where the rows are.

    Args:
        figures: By name, (users,): the mean over the user's positives.
        candidates: (users,) rows that each of its positives was ranked among, itself
            included.
    """

    figures: Mapping[str, Floats]
    candidates: Floats

    @property
    def users(self) -> int:
        """Users who have both a positive and a negative."""
        return len(self.candidates)

    def means(self) -> dict[str, Interval]:
        """Return each figure's mean over users with its 95 % interval."""
        return {n: _mean(values, 0.0, 1.0) for n, values in self.figures.items()}

    def above(self, other: "Ranked") -> dict[str, Interval]:
        """Return by how much each figure is above another model's, user by user."""
        return {
            n: _mean(v - other.figures[n], -1.0, 1.0) for n, v in self.figures.items()
        }


def rank_per_user(scores: Floats, labels: Floats, users: Users) -> Ranked:
    """Rank each user's rows by score, highest first.

    Args:
        scores: (rows,).
        labels: (rows,) 1 for what is true, 0 for what it is ranked among.
        users: (rows,) whose row it is.

    Raises:
        TrainingError: Nobody has both kinds of rows, or a score is no number.
    """
    if not np.isfinite(scores).all():
        raise TrainingError(
            "A score that rows are ranked by is not a finite number.",
            remedy="Lower the learning rate, or check the columns for extreme values.",
        )
    _, of_row = np.unique(users, return_inverse=True)
    above, tied, negatives = _places(scores, labels > 0, of_row)
    owners = of_row[labels > 0]
    useful = negatives > 0
    if not useful.any():
        raise TrainingError(
            "Nobody has both a true row and others to rank it among.",
            remedy="Hold out negatives beside each positive: see docs/vertical.md.",
        )
    kept, of_kept = np.unique(owners[useful], return_inverse=True)
    counts = np.bincount(of_kept, minlength=len(kept))

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(of_kept, values[useful], len(kept)) / counts)

    figures = {f"hr_at_{k}": mean(_hits(above, tied, k)) for k in HITS}
    figures[f"ndcg_at_{DEPTH}"] = mean(_gains(above, tied))
    return Ranked(figures=figures, candidates=mean(negatives + 1.0))


def _places(
    scores: Floats, true: npt.NDArray[np.bool_], of_row: Users
) -> tuple[Floats, Floats, Floats]:
    """Return of each positive how many of its user's negatives are above it, tied, all.

    Returns:
        Three times (positives,), in the order of the rows.
    """
    codes = np.unique(scores, return_inverse=True)[1].astype(np.int64)
    width = int(codes.max(initial=0)) + 2
    keys = np.sort(of_row[~true] * width + codes[~true])
    own, score = of_row[true] * width, codes[true]
    below = np.searchsorted(keys, own + score, "left")
    upto = np.searchsorted(keys, own + score, "right")
    first = np.searchsorted(keys, own, "left")
    last = np.searchsorted(keys, own + width, "left")
    above, tied, all_of = last - upto, upto - below, last - first
    return above.astype(float), tied.astype(float), all_of.astype(float)


def _hits(above: Floats, tied: Floats, k: int) -> Floats:
    """Return the chance to be among the first k, over all orders of what is tied."""
    return np.asarray(np.clip((k - above) / (tied + 1), 0.0, 1.0))


def _gains(above: Floats, tied: Floats) -> Floats:
    """Return the mean of 1 / log2(place + 1) over the places it may have, to DEPTH."""
    gains = np.append(0.0, np.cumsum(1 / np.log2(np.arange(DEPTH) + 2)))
    first = np.minimum(above, DEPTH).astype(np.int64)
    last = np.minimum(above + tied + 1, DEPTH).astype(np.int64)
    return np.asarray((gains[last] - gains[first]) / (tied + 1))


def _mean(values: Floats, lowest: float, highest: float) -> Interval:
    users = len(values)
    mean = float(values.mean())
    if users < ROWS_FOR_A_VARIANCE:
        return Interval(mean, lowest, highest)
    variance = float(values.var(ddof=1)) / users
    return normal_interval(mean, variance, lowest=lowest, highest=highest)
