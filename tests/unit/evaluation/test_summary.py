"""Repeated cross-validation: the mean, and how far to trust it."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from scipy.stats import t

from fl_plugin.evaluation.summary import Spread, spread, student_95


def spread_of(values: Sequence[float | None], **ratio: float) -> Any:
    return spread(values, **ratio)


def test_five_folds_by_hand():
    found = spread_of([0.70, 0.72, 0.74, 0.76, 0.78])
    assert (found.mean, found.n) == (pytest.approx(0.74), 5)
    assert found.sd == pytest.approx(math.sqrt(0.001))
    # t of 4 degrees of freedom is 2.776; 1/5 + 1/4 for folds that share rows.
    half = 2.7764451052 * math.sqrt(0.001) * math.sqrt(0.45)
    assert found.high - found.mean == pytest.approx(half)
    assert found.mean - found.low == pytest.approx(half)


def test_the_corrected_interval_is_wider_than_the_naive_one():
    values = [0.75 + 0.01 * (i % 5) for i in range(25)]
    naive, corrected = spread_of(values, test_to_train=0.0), spread_of(values)
    ratio = (corrected.high - corrected.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(math.sqrt((1 / 25 + 1 / 4) * 25))


def test_folds_without_the_figure_are_left_out():
    assert spread([None, 0.5, None, 0.7]) == spread([0.5, 0.7])


def test_one_fold_has_a_mean_and_no_spread():
    assert spread([0.6]) == Spread(0.6, None, None, None, 1)


def test_no_fold_has_no_summary():
    assert spread([]) is spread([None]) is None


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 9, 24, 49, 100, 200, 201, 999, 10**6])
def test_the_t_quantile_is_scipys(df):
    assert student_95(df) == pytest.approx(float(t.ppf(0.975, df)), rel=1e-9)
