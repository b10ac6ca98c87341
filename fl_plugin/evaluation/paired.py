"""Two models on the same rows: whose ROC-AUC is greater, and is it chance?

The fast form (Sun & Xu, 2014) of DeLong, DeLong & Clarke-Pearson (1988). It needs the
rows' own scores, so it runs inside a domain; only its five numbers may leave.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fl_plugin.evaluation.histogram import Labels, Scores, check_rows
from fl_plugin.evaluation.ranking import ROWS_FOR_A_VARIANCE, normal_interval

Verdict = Literal["helped", "no clear difference", "hurt"]


@dataclass(frozen=True)
class PairedAuc:
    """ROC-AUC of a and b; `difference` is a less b, low to high its 95 % interval."""

    auc_a: float
    auc_b: float
    difference: float
    low: float
    high: float


def paired_auc(scores_a: Scores, scores_b: Scores, labels: Labels) -> PairedAuc | None:
    """Compare two models' scores (n,) of the same rows, in O(n log n).

    Returns:
        The comparison, or None when a class has fewer than two rows.

    Raises:
        TrainingError: A score is no probability, or the shapes differ.
    """
    check_rows(scores_a, labels)
    check_rows(scores_b, labels)
    positives = int(np.count_nonzero(labels))
    if min(positives, labels.size - positives) < ROWS_FOR_A_VARIANCE:
        return None
    of_positives_a, of_negatives_a = _placements(scores_a, labels)
    of_positives_b, of_negatives_b = _placements(scores_b, labels)
    auc_a, auc_b = float(of_positives_a.mean()), float(of_positives_b.mean())
    # The variance of a difference, taken of the differences: nothing cancels.
    variance = sum(
        float(np.var(differences, ddof=1)) / differences.size
        for differences in (
            of_positives_a - of_positives_b,
            of_negatives_a - of_negatives_b,
        )
    )
    interval = normal_interval(auc_a - auc_b, variance, lowest=-1.0)
    return PairedAuc(auc_a, auc_b, interval.value, interval.low, interval.high)


def verdict(paired: PairedAuc | None) -> Verdict:
    """Say whether a helped over b; too few rows to compare is no clear difference."""
    if paired is not None and paired.low > 0.0:
        return "helped"
    if paired is not None and paired.high < 0.0:
        return "hurt"
    return "no clear difference"


def _placements(scores: Scores, labels: Labels) -> tuple[Scores, Scores]:
    """Return the share of the other class each row is on the right side of.

    Ties count one half; positives first, then negatives, each in row order.
    """
    among_all = _midranks(scores)
    among_own = np.empty_like(among_all)
    among_own[labels] = _midranks(scores[labels])
    among_own[~labels] = _midranks(scores[~labels])
    outranked = among_all - among_own
    positives = int(np.count_nonzero(labels))
    negatives = labels.size - positives
    return outranked[labels] / negatives, 1.0 - outranked[~labels] / positives


def _midranks(values: Scores) -> Scores:
    """Return ranks from 1, tied values sharing the mean of theirs."""
    order = np.argsort(values)
    ascending = values[order]
    new = np.concatenate(([True], ascending[1:] != ascending[:-1]))
    group = np.cumsum(new) - 1
    ends = np.append(np.flatnonzero(new), values.size)
    ranks = np.empty(values.size)
    ranks[order] = ((ends[:-1] + 1 + ends[1:]) / 2.0)[group]
    return ranks
