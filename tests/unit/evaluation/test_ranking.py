"""Ranking metrics by hand, and brackets against every order there is."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fl_plugin.evaluation.histogram import ScoreHistogram, score_bins
from fl_plugin.evaluation.ranking import (
    area_under_roc,
    average_precision,
    delong_interval,
    kolmogorov_smirnov,
)


def histogram(positives: list[int], negatives: list[int]) -> ScoreHistogram:
    return ScoreHistogram(np.array(positives), np.array(negatives))


def ks_score(labels: Any, scores: Any) -> float:
    fpr, tpr, _ = roc_curve(labels, scores)
    return float(np.abs(tpr - fpr).max())


AUC: Any = area_under_roc
PRECISION: Any = average_precision
KS: Any = kolmogorov_smirnov
DELONG: Any = delong_interval
ORACLES = [
    (AUC, roc_auc_score),
    (PRECISION, average_precision_score),
    (KS, ks_score),
]


def test_auc_by_hand():
    # Pairs: 2 x 3. Won: 1 x 1 + 1 x 2. Tied: 1 x 1 + 1 x 1.
    found = AUC(histogram([0, 1, 1], [1, 1, 1]))
    assert (found.low, found.value, found.high) == (3 / 6, 4 / 6, 5 / 6)


def test_average_precision_by_hand():
    # From the top: one positive alone; then two positives and two negatives at once.
    found = PRECISION(histogram([2, 1], [2, 0]))
    assert found.value == pytest.approx((1 + 2 * 3 / 5) / 3)
    assert found.low == pytest.approx((1 + 2 / 4 + 3 / 5) / 3)
    assert found.high == 1.0


def test_ks_by_hand():
    # Below the top bin: 1 of 4 positives, 3 of 4 negatives.
    found = KS(histogram([1, 3], [3, 1]))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.75)


def test_delong_by_hand():
    # Placements: positives 3/4, 1, 1; negatives 1, 5/6.
    found = DELONG(histogram([0, 1, 2], [1, 1, 0]))
    auc = (0.75 + 1 + 1) / 3
    variance = np.var([0.75, 1, 1], ddof=1) / 3 + np.var([1, 5 / 6], ddof=1) / 2
    assert found.value == pytest.approx(auc)
    assert found.low == pytest.approx(auc - 1.959963984540054 * variance**0.5)
    assert found.high == 1.0


@pytest.mark.parametrize(("metric", "oracle"), ORACLES)
@pytest.mark.parametrize("mixed", [(1, 1), (2, 1), (1, 3), (2, 2), (3, 1)])
def test_the_bracket_is_exactly_what_the_orders_inside_a_bin_can_give(
    metric, oracle, mixed
):
    p, n = mixed
    labels = np.array([1] * p + [0] * n + [1, 0, 0])
    # Above the bin, one of each class in a bin of their own; below it, a negative.
    reached = [
        oracle(labels, [*inside, *above, -1])
        for inside in product(range(p + n), repeat=p + n)
        for above in ((8, 9), (9, 8), (9, 9))
    ]
    found = metric(histogram([0, p, 1], [1, n, 1]))
    assert found.low == pytest.approx(min(reached), abs=1e-12)
    assert found.high == pytest.approx(max(reached), abs=1e-12)


@pytest.mark.parametrize(("metric", "oracle"), ORACLES)
@pytest.mark.parametrize("bins", [4, 64, 1024])
def test_the_value_is_scikit_learns_on_the_bins_and_the_bracket_holds_the_truth(
    metric, oracle, bins
):
    rng = np.random.default_rng(4)
    labels = rng.random(3_000) < 0.2
    scores = 1.0 / (1.0 + np.exp(-(rng.normal(size=3_000) + labels)))
    found = metric(ScoreHistogram.of(scores, labels, bins))
    on_bins, truth = oracle(labels, score_bins(scores, bins)), oracle(labels, scores)
    assert found.value == pytest.approx(on_bins, abs=1e-13)
    assert found.low - 1e-13 <= truth <= found.high + 1e-13


def test_more_bins_narrow_the_bracket_as_far_as_announced():
    rng = np.random.default_rng(5)
    labels = rng.random(200_000) < 0.3
    scores = 1.0 / (1.0 + np.exp(-(rng.normal(size=labels.size) + labels)))
    for bins, half_width in ((1_024, 0.003), (16_384, 0.0002)):
        found = AUC(ScoreHistogram.of(scores, labels, bins))
        assert (found.high - found.low) / 2 < half_width


def test_bins_of_one_row_leave_nothing_open():
    alone = histogram([0, 1, 0, 1, 1], [1, 0, 1, 0, 0])
    for metric, _ in ORACLES:
        found = metric(alone)
        assert found.low == found.value == found.high


def test_millions_of_rows_in_a_bin_do_not_overflow():
    found = AUC(histogram([0, 3 * 10**9], [3 * 10**9, 0]))
    assert found.value == 1.0
    found = KS(histogram([0, 3 * 10**9], [3 * 10**9, 0]))
    assert found.value == 1.0


@pytest.mark.parametrize("metric", [metric for metric, _ in ORACLES])
@pytest.mark.parametrize("classes", [([3], [0]), ([0], [3]), ([0], [0]), ([], [])])
def test_one_class_alone_has_no_ranking_metric(metric, classes):
    one_class = ScoreHistogram(*(np.array(c, dtype=np.int64) for c in classes))
    assert metric(one_class) is None
    assert DELONG(one_class) is None


def test_an_interval_needs_two_rows_of_each_class():
    assert DELONG(histogram([0, 1], [5, 0])) is None
    assert DELONG(histogram([0, 2], [2, 0])).value == 1.0
