"""Ranking metrics of a score histogram, each with a bracket that cannot be wrong.

Rows in different bins are in a known order; rows in one bin are not. `value` takes
those in one bin as tied, `low` and `high` are the least and the greatest that any
order inside the bins, ties included, can give. All counts must be of at most 6e9 rows:
beyond that a product of two of them leaves int64.
"""

import numpy as np

from fl_plugin.evaluation.histogram import Counts, ScoreHistogram, Scores
from fl_plugin.evaluation.interval import (
    ROWS_FOR_A_VARIANCE,
    Interval,
    normal_interval,
)

# Positives worked on at a time in the lower bound of average precision.
_BLOCK = 1 << 18


def area_under_roc(histogram: ScoreHistogram) -> Interval | None:
    """Return ROC-AUC, its bracket attained; None when a class is absent.

    Counted in integers and divided once, so each bound is correctly rounded.
    """
    p, n = histogram.positives, histogram.negatives
    pairs = int(p.sum()) * int(n.sum())
    if not pairs:
        return None
    won = int((p * (np.cumsum(n) - n)).sum())
    tied = int((p * n).sum())
    return Interval((2 * won + tied) / (2 * pairs), won / pairs, (won + tied) / pairs)


def kolmogorov_smirnov(histogram: ScoreHistogram) -> Interval | None:
    """Return the greatest gap between the classes' score distributions, or None.

    The value is the gap at the bins' edges; inside a bin the gap can only be greater,
    the most when all rows of one class there come before all of the other.
    """
    p, n = histogram.positives, histogram.negatives
    positives, negatives = int(p.sum()), int(n.sum())
    if not positives * negatives:
        return None
    rise, fall = p * negatives, n * positives
    after = np.cumsum(rise) - np.cumsum(fall)
    before = after - rise + fall
    pairs = positives * negatives
    at_edges = int(np.abs(after).max())
    inside = int(np.maximum(np.abs(before + rise), np.abs(before - fall)).max())
    value = at_edges / pairs
    return Interval(value, value, max(at_edges, inside) / pairs)


def average_precision(histogram: ScoreHistogram) -> Interval | None:
    """Return average precision (sklearn's step sum) and its bracket, or None.

    Take a bin of p positives and n negatives with A and B above it. Its j-th positive
    counts with the precision (A+a)/(A+a+B+b) at the end of its group of ties, where
    j <= a <= p and 0 <= b <= n. That is at most (A+p)/(A+p+B): all positives tied,
    ahead of the negatives. It is at least (A+j)/(A+j+B+n): negatives first, no ties.
    Bins do not constrain each other, so both bounds are attained.
    """
    holds = histogram.positives > 0
    if not holds.any() or not histogram.negatives.any():
        return None
    below_too = np.cumsum(histogram.negatives[::-1])
    holds = holds[::-1]
    p, n = histogram.positives[::-1][holds], histogram.negatives[::-1][holds]
    last_rank, worst = np.cumsum(p), below_too[holds]
    total = int(last_rank[-1])
    value = float((p * (last_rank / (last_rank + worst))).sum()) / total
    high = float((p * (last_rank / (last_rank + (worst - n)))).sum()) / total
    low = _precision_untied(last_rank, worst) / total
    # Equal in exact arithmetic, the three sums may differ in their last bit.
    return Interval(value, min(low, value), max(high, value))


def _precision_untied(last_rank: Counts, worst: Counts) -> float:
    """Sum rank/(rank + worst) over all positives, in blocks to bound the memory."""
    total, done = int(last_rank[-1]), 0.0
    for start in range(0, total, _BLOCK):
        rank = np.arange(start + 1, min(start + _BLOCK, total) + 1)
        above = worst[np.searchsorted(last_rank, rank)]
        done += float((rank / (rank + above)).sum())
    return done


def delong_interval(histogram: ScoreHistogram) -> Interval | None:
    """Return ROC-AUC with its 95 % interval (DeLong et al., 1988), clipped to [0, 1].

    A placement value is the share of the other class that a row outranks, rows in its
    own bin counting one half. None when a class has fewer than two rows. The interval
    is for sampling only, it is not widened by the bracket; at perfect separation its
    width is 0, a known limit of the method.
    """
    p, n = histogram.positives, histogram.negatives
    positives, negatives = int(p.sum()), int(n.sum())
    if min(positives, negatives) < ROWS_FOR_A_VARIANCE:
        return None
    placed_p = (np.cumsum(n) - n + n / 2) / negatives
    placed_n = (positives - np.cumsum(p) + p / 2) / positives
    auc = float((p * placed_p).sum()) / positives
    variance = _variance_of_mean(placed_p, p) + _variance_of_mean(placed_n, n)
    return normal_interval(auc, variance, lowest=0.0)


def _variance_of_mean(values: Scores, counts: Counts) -> float:
    rows = int(counts.sum())
    centred = values - float((counts * values).sum()) / rows
    return float((counts * centred**2).sum()) / ((rows - 1) * rows)
