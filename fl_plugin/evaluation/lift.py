"""How much the highest scores hold: precision, lift and gain by share, NDCG, Gini.

All from the score histogram. As in `ranking`, `value` takes the rows of one bin as
tied, and the bracket holds for any order inside the bins.
"""

from dataclasses import dataclass

import numpy as np

from fl_plugin.evaluation.histogram import Counts, ScoreHistogram
from fl_plugin.evaluation.interval import Interval
from fl_plugin.summand import Floats

# Per cent of the rows, from the highest score down. No two are nearer than the first
# two, so what lies between two of them is never fewer rows than a shown share.
PERCENT = (1, 2, 5, 10, 20, 30, 50)
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RankedShare:
    """The highest-scored `share` of the rows, rounded up to a row.

    `precision` is the share of positives in it, `lift` that over the share of
    positives in all rows, `gain` the share of all positives that it holds.
    """

    share: float
    precision: Interval
    lift: Interval
    gain: Interval


def ranked_shares(
    histogram: ScoreHistogram, *, min_cell: int
) -> tuple[RankedShare, ...]:
    """Return those shares that hold `min_cell` rows; () when a class is absent."""
    p, n = histogram.positives[::-1], histogram.negatives[::-1]
    positives, rows = int(p.sum()), int(p.sum() + n.sum())
    if not positives or positives == rows:
        return ()
    tops = [(percent, -(-percent * rows // 100)) for percent in PERCENT]
    return tuple(
        _share(percent / 100, top, (p, n), positives / rows)
        for percent, top in tops
        if top >= min_cell
    )


def _share(
    share: float, top: int, counts: tuple[Counts, Counts], base: float
) -> RankedShare:
    p, n = counts
    ends = np.cumsum(p + n)
    cut = int(np.searchsorted(ends, top))  # the bin in which the share ends
    inside, positives, negatives = (
        int(top - (ends[cut] - p[cut] - n[cut])),
        int(p[cut]),
        int(n[cut]),
    )
    above = int(p[:cut].sum())
    found = Interval(
        above + inside * positives / (positives + negatives),
        above + max(0, inside - negatives),
        above + min(positives, inside),
    )
    return RankedShare(
        share=share,
        precision=_over(found, top),
        lift=_over(found, top * base),
        gain=_over(found, int(p.sum())),
    )


def _over(found: Interval, whole: float) -> Interval:
    return Interval(found.value / whole, found.low / whole, found.high / whole)


def gini(auc: Interval | None) -> Interval | None:
    """Return the Gini coefficient (accuracy ratio), 2 AUC - 1."""
    if auc is None:
        return None
    return Interval(2 * auc.value - 1, 2 * auc.low - 1, 2 * auc.high - 1)


def ndcg(histogram: ScoreHistogram) -> Interval | None:
    """Return the normalised discounted cumulative gain of all rows, or None.

    A positive at rank i gains 1/log2(i + 1) (Jarvelin & Kekalainen, 2002); tied rows
    share the mean of their ranks' discounts, as scikit-learn has it.
    """
    p, n = histogram.positives[::-1], histogram.negatives[::-1]
    positives = int(p.sum())
    if not positives or not n.sum():
        return None
    ends = np.cumsum(p + n)
    starts = ends - p - n
    at = _discounts_to(np.concatenate([starts, ends, starts + p, ends - p]))
    start, end, first, last = at.reshape(4, -1)
    ideal = float(_discounts_to(np.array([positives]))[0])
    value = float((p / np.maximum(p + n, 1) * (end - start)).sum()) / ideal
    low, high = (float(gains.sum()) / ideal for gains in (end - last, first - start))
    # Equal in exact arithmetic, the three sums may differ in their last bit.
    return Interval(value, min(low, value), min(max(high, value), 1.0))


def _discounts_to(ranks: Counts) -> Floats:
    """Return, for each rank, the sum of the discounts of ranks 1 to it."""
    found, carried = np.zeros(ranks.size), 0.0
    for begin in range(0, int(ranks.max(initial=0)), _BLOCK):
        sums = np.cumsum(1.0 / np.log2(np.arange(begin + 2, begin + _BLOCK + 2)))
        here = (ranks > begin) & (ranks <= begin + _BLOCK)
        found[here] = carried + sums[ranks[here] - begin - 1]
        carried += float(sums[-1])
    return found
