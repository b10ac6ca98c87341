"""Bins of scores: where they cut, and that a higher score never falls lower."""

from typing import Any

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from fl_plugin.evaluation.histogram import ScoreHistogram, score_bins


def on_logit(*logits: float) -> Any:
    return 1.0 / (1.0 + np.exp(-np.array(logits)))


def test_bins_have_equal_widths_on_the_logit():
    scores = on_logit(-11.0, -9.0, -1.0, 1.0, 9.0, 11.0)
    assert score_bins(scores, 12).tolist() == [0, 1, 5, 6, 10, 11]


def test_scores_of_zero_and_one_fall_in_the_outermost_bins():
    assert score_bins(np.array([0.0, 1e-300, 1.0]), 1024).tolist() == [0, 0, 1023]


def test_one_half_opens_the_upper_half_of_the_bins():
    scores = np.array([np.nextafter(0.5, 0.0), 0.5])
    assert score_bins(scores, 1024).tolist() == [511, 512]


@pytest.mark.parametrize("bins", [2, 7, 1024, 16_384, 262_144])
def test_bins_agree_with_the_formula_away_from_the_edges(bins):
    place = np.random.default_rng(1).uniform(0, bins, 5_000)
    place = np.floor(place) + np.clip(place % 1, 0.01, 0.99)
    scores = on_logit(*(place / bins * 24 - 12))
    assert np.array_equal(score_bins(scores, bins), np.floor(place))


@pytest.mark.parametrize("bins", [3, 1000, 1 << 20])
def test_scores_one_bit_apart_are_never_binned_the_wrong_way_round(bins):
    edges = on_logit(*np.linspace(-12, 12, 2_001))
    steps = [edges]
    for _ in range(50):
        steps.append(np.nextafter(steps[-1], 1.0))
    climbing = np.stack(steps)
    found = score_bins(climbing.ravel(), bins).reshape(climbing.shape)
    assert (np.diff(found, axis=0) >= 0).all()


@pytest.mark.parametrize("bins", [3, 1024, 16_384])
def test_bins_cut_on_a_grid_that_no_last_bit_of_exp_can_move(bins):
    cuts = on_logit(*np.linspace(-12, 12, bins + 1)[1:-1])
    cuts = np.rint(cuts * 2.0**44) / 2.0**44
    above = np.arange(1, bins)
    assert np.array_equal(score_bins(cuts, bins), above)
    assert np.array_equal(score_bins(np.nextafter(cuts, 0.0), bins), above - 1)


def test_a_histogram_counts_each_class_in_its_bins():
    scores, labels = on_logit(-11, -11, 1, 11), np.array([True, False, True, True])
    histogram = ScoreHistogram.of(scores, labels, 12)
    assert histogram.positives.tolist() == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert histogram.negatives.tolist() == [1] + [0] * 11


def test_no_rows_make_a_histogram_of_zeros():
    empty = ScoreHistogram.of(np.empty(0), np.empty(0, dtype=bool), 4)
    assert empty.positives.tolist() == empty.negatives.tolist() == [0, 0, 0, 0]


def test_the_histogram_of_all_rows_is_the_sum_of_the_parties():
    rng = np.random.default_rng(2)
    scores, labels = rng.random(100), rng.random(100) < 0.3
    total = ScoreHistogram.of(scores[:30], labels[:30], 64) + ScoreHistogram.of(
        scores[30:], labels[30:], 64
    )
    pooled = ScoreHistogram.of(scores, labels, 64)
    assert np.array_equal(total.positives, pooled.positives)
    assert np.array_equal(total.negatives, pooled.negatives)


def test_histograms_of_different_resolution_do_not_add():
    one, other = (
        ScoreHistogram.of(np.array([0.5]), np.array([True]), bins) for bins in (8, 16)
    )
    with pytest.raises(MessageError) as caught:
        one + other
    assert "evaluation.bins" in caught.value.remedy
