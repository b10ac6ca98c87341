"""What the highest scores hold, by hand, by scikit-learn, and in every order."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from fl_plugin.evaluation.histogram import ScoreHistogram
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.lift import PERCENT, gini, ndcg, ranked_shares

NDCG: Any = ndcg


def histogram(positives: list[int], negatives: list[int]) -> ScoreHistogram:
    return ScoreHistogram(np.array(positives), np.array(negatives))


def test_the_highest_tenth_by_hand():
    # 20 rows: the two highest are of one bin with three positives and a negative.
    found = ranked_shares(histogram([2, 3], [14, 1]), min_cell=1)
    tenth = next(row for row in found if row.share == 0.1)
    assert tenth.precision == Interval(0.75, 0.5, 1.0)
    assert tenth.lift.value == pytest.approx(0.75 / 0.25)
    assert tenth.gain == Interval(1.5 / 5, 1 / 5, 2 / 5)


def test_a_share_beyond_the_first_bin_counts_all_above_it():
    found = ranked_shares(histogram([2, 3], [14, 1]), min_cell=1)
    half = next(row for row in found if row.share == 0.5)
    # Four rows above, six of the sixteen below: none, or both of its positives.
    assert half.gain.value == pytest.approx((3 + 6 * 2 / 16) / 5)
    assert (half.gain.low, half.gain.high) == (3 / 5, 5 / 5)


def test_a_share_is_rounded_up_to_a_row_exactly():
    # A tenth of 30 is 3: in floats it would come out above 3.
    found = ranked_shares(
        histogram([27, 3], [0, 0]) + histogram([0, 0], [0, 0]), min_cell=1
    )
    assert found == ()
    found = ranked_shares(histogram([0, 3], [27, 0]), min_cell=1)
    tenth = next(row for row in found if row.share == 0.1)
    assert tenth.precision == Interval(1.0, 1.0, 1.0)


def test_a_share_of_fewer_rows_than_a_cell_may_have_is_left_out():
    found = ranked_shares(histogram([40, 60], [80, 20]), min_cell=10)
    assert [row.share for row in found] == [0.05, 0.1, 0.2, 0.3, 0.5]
    tops = [round(row.share * 200) for row in found]
    assert np.diff([0, *tops]).min() >= 10


def test_no_two_shares_are_nearer_than_the_first_is_to_nothing():
    assert np.diff([0, *PERCENT]).min() == PERCENT[0]


@pytest.mark.parametrize("counts", [([3, 0], [0, 0]), ([0, 0], [1, 2]), ([0], [0])])
def test_one_class_alone_ranks_nothing(counts):
    assert ranked_shares(histogram(*counts), min_cell=1) == ()
    assert ndcg(histogram(*counts)) is None


@pytest.mark.parametrize("rows", [2, 40, 1_000])
def test_ndcg_is_scikit_learns_of_the_bins(rows):
    rng = np.random.default_rng(rows)
    bins, labels = rng.integers(0, 20, rows), rng.random(rows) < 0.3
    labels[:2] = [True, False]
    counts = [np.bincount(bins[labels == k], minlength=20) for k in (True, False)]
    wanted = ndcg_score(labels[None].astype(float), bins[None])
    assert NDCG(ScoreHistogram(*counts)).value == pytest.approx(wanted, abs=1e-12)


def test_discounts_carry_over_from_block_to_block(monkeypatch):
    whole = NDCG(histogram([5, 9, 2], [30, 20, 1]))
    monkeypatch.setattr("fl_plugin.evaluation.lift._BLOCK", 7)
    cut = NDCG(histogram([5, 9, 2], [30, 20, 1]))
    assert cut.value == pytest.approx(whole.value, abs=1e-14)


def test_the_bracket_of_ndcg_is_attained_and_never_left():
    p, n = [2, 1], [1, 2]
    found = NDCG(histogram(p, n))
    bins = np.repeat([0, 1, 0, 1], [*p, *n])
    labels = np.repeat([1, 0], 3)
    seen = []
    for inside in product(range(3), repeat=6):
        scores = bins + np.array(inside) / 10
        seen.append(ndcg_score(labels[None], scores[None]))
    assert min(seen) == pytest.approx(found.low, abs=1e-12)
    assert max(seen) == pytest.approx(found.high, abs=1e-12)


def test_gini_is_twice_the_area_less_one():
    assert gini(Interval(0.75, 0.625, 0.875)) == Interval(0.5, 0.25, 0.75)
    assert gini(None) is None
