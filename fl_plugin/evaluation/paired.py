"""Two models on the same rows: which is better, and is it chance?

It needs the rows' own predictions, so it runs inside a domain; only its five numbers
may leave. ROC-AUC is compared by the fast form (Sun & Xu, 2014) of DeLong, DeLong &
Clarke-Pearson (1988), a mean loss by the paired t interval.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fl_plugin.evaluation.histogram import Labels, Scores, check_rows
from fl_plugin.evaluation.interval import ROWS_FOR_A_VARIANCE, normal_interval
from fl_plugin.evaluation.summary import student_95
from fl_plugin.summand import Floats

Verdict = Literal["helped", "no clear difference", "hurt"]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The measure of two models, and `first` less `second` with its 95 % interval.

    Args:
        measure: Its name among the figures.
        better: Whether a "higher" or a "lower" measure is better.
    """

    measure: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    better: Literal["higher", "lower"] = "higher"


def paired_auc(first: Scores, second: Scores, labels: Labels) -> Paired | None:
    """Compare two models' ROC-AUC over the same rows (n,), in O(n log n).

    Returns:
        The comparison, or None when a class has fewer than two rows.

    Raises:
        TrainingError: A score is no probability, or the shapes differ.
    """
    check_rows(first, labels)
    check_rows(second, labels)
    positives = int(np.count_nonzero(labels))
    if min(positives, labels.size - positives) < ROWS_FOR_A_VARIANCE:
        return None
    of_positives_a, of_negatives_a = _placements(first, labels)
    of_positives_b, of_negatives_b = _placements(second, labels)
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
    return Paired(
        measure="roc_auc",
        first=auc_a,
        second=auc_b,
        difference=interval.value,
        low=interval.low,
        high=interval.high,
    )


def paired_loss(measure: str, first: Floats, second: Floats) -> Paired | None:
    """Compare two models' losses (n,) of the same rows; lower is better.

    Returns:
        The comparison, or None for fewer than two rows.
    """
    if first.size < ROWS_FOR_A_VARIANCE:
        return None
    differences = first - second
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / first.size**0.5
    half = student_95(first.size - 1) * error
    return Paired(
        measure=measure,
        first=float(first.mean()),
        second=float(second.mean()),
        difference=mean,
        low=mean - half,
        high=mean + half,
        better="lower",
    )


def verdict(paired: Paired | None) -> Verdict:
    """Say whether `first` is better; too few rows to compare is no clear difference."""
    if paired is None or paired.low <= 0.0 <= paired.high:
        return "no clear difference"
    helped = (paired.low > 0.0) == (paired.better == "higher")
    return "helped" if helped else "hurt"


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
