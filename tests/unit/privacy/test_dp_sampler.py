"""The discrete Gaussian: exact law, secure source, refused scales."""

import inspect
import itertools
import os

import numpy as np
import pytest
from scipy.stats import chi2

from fl_plugin.errors import TrainingError
from fl_plugin.privacy.dp import sampler
from fl_plugin.privacy.dp.sampler import MOST_SIGMA, discrete_gaussian, uniform

SMALLEST_P = 1e-9  # a right sampler fails once in a billion runs


def stream(seed):
    return np.random.default_rng(seed).bytes


def p_value(counts, chances):
    expected = chances * counts.sum()
    kept = expected >= 5
    statistic = (((counts - expected) ** 2) / expected)[kept].sum()
    return float(chi2.sf(statistic, kept.sum() - 1))


@pytest.mark.parametrize("sigma", [1, 2, 7, 40])
def test_draws_have_the_law_of_the_discrete_gaussian(sigma):
    draws = discrete_gaussian(sigma, 200_000)
    ends = np.arange(-6 * sigma, 6 * sigma + 1)
    chances = np.exp(-(ends**2) / (2.0 * sigma**2))
    chances /= np.exp(-(np.arange(-99 * sigma, 99 * sigma) ** 2) / 2 / sigma**2).sum()
    counts = np.array([(draws == k).sum() for k in ends])
    assert p_value(counts, chances) > SMALLEST_P


def test_a_wide_gaussian_has_the_moments_of_a_continuous_one():
    sigma = 2**22 + 12_345
    draws = discrete_gaussian(sigma, 200_000) / sigma
    assert abs(draws.mean()) < 6 / np.sqrt(200_000)
    assert abs(draws.var() - 1.0) < 6 * np.sqrt(2 / 200_000)
    assert abs((draws**4).mean() - 3.0) < 6 * np.sqrt(96 / 200_000)
    assert 4.0 < np.abs(draws).max() < 8.0


def test_low_digits_of_a_wide_gaussian_are_uniform():
    low = discrete_gaussian(2**20, 200_000) % 64
    counts = np.bincount(low, minlength=64)
    assert p_value(counts, np.full(64, 1 / 64)) > SMALLEST_P


def test_coins_come_true_with_the_chance_of_an_exponential():
    assert sampler._bernoulli_exp(np.zeros(9, np.uint64), 3, stream(1)).all()
    many = np.full(300_000, 5, dtype=np.uint64)
    found = sampler._bernoulli_exp(many, 3, stream(2)).mean()
    assert abs(found - np.exp(-5 / 3)) < 6 * np.sqrt(0.16 / len(many))


@pytest.mark.parametrize("below", [1, 2, 3, 10, 255, 2**33 + 1])
def test_uniform_numbers_stay_below_their_end_and_are_uniform(below):
    drawn = uniform(below, 60_000, stream(3))
    assert drawn.max() < below
    place = (drawn.astype(np.float64) * 8 // below).astype(int)
    chances = np.array(
        [np.ceil(below * (i + 1) / 8) - np.ceil(below * i / 8) for i in range(8)]
    )
    if below >= 8:
        counts = np.bincount(place, minlength=8)
        assert p_value(counts, chances / below) > SMALLEST_P


def test_the_same_bits_give_the_same_draws_and_other_bits_others():
    first, again = (discrete_gaussian(1000, 500, stream(4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != discrete_gaussian(1000, 500, stream(5))).any()


def test_bits_come_from_the_operating_system_unless_a_test_says_otherwise():
    default = inspect.signature(discrete_gaussian).parameters["random_bytes"].default
    assert default is os.urandom


@pytest.mark.parametrize("sigma", [0, -1, 1.5, MOST_SIGMA + 1, True])
def test_a_scale_that_cannot_be_drawn_exactly_is_refused(sigma):
    with pytest.raises(TrainingError):
        discrete_gaussian(sigma, 3)


def test_the_largest_scale_never_overflows():
    draws = discrete_gaussian(MOST_SIGMA, 50_000)
    assert np.abs(draws).max() < 9 * MOST_SIGMA
    assert abs(draws.std() / MOST_SIGMA - 1) < 0.03


def test_no_draw_is_lost_between_blocks():
    assert len(discrete_gaussian(3, 300_001)) == 300_001
    assert len(discrete_gaussian(3, 0)) == 0
    pairs = itertools.pairwise(discrete_gaussian(2**20, 1000))
    assert all(a != b for a, b in pairs)
