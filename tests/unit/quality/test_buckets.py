"""A figure is at least a cohort wide, and never better than what was measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.quality.buckets import age_words, at_least, index_below, rate_range

cohorts = st.integers(2, 60)
sizes = st.integers(0, 4000)


@given(sizes, st.floats(0, 1), cohorts)
def test_a_published_share_is_surely_reached(rows, share, cohort):
    found = at_least(share, rows=rows, min_cohort=cohort)
    assert found is None if rows < cohort else found is not None and found <= share


@given(st.integers(10, 3000), st.data())
def test_one_bad_row_and_a_whole_cohort_of_them_look_alike(rows, data):
    cohort = data.draw(st.integers(2, min(rows, 60)))
    bad = data.draw(st.integers(1, cohort))
    one = at_least((rows - 1) / rows, rows=rows, min_cohort=cohort)
    assert at_least((rows - bad) / rows, rows=rows, min_cohort=cohort) == one


def test_a_floor_that_is_met_is_said_and_one_that_is_missed_is_not():
    assert at_least(0.991, rows=500, min_cohort=25, floor=0.99) == 0.99
    assert at_least(0.989, rows=500, min_cohort=25, floor=0.99) == 0.95


def test_what_is_no_number_is_not_published():
    assert at_least(math.nan, rows=500, min_cohort=25) is None
    assert at_least(None, rows=500, min_cohort=25) is None


@given(sizes, sizes, cohorts)
def test_a_rate_lies_in_its_range(positives, negatives, cohort):
    found = rate_range(positives, negatives, cohort)
    if found is not None:
        rate = positives / (positives + negatives)
        assert found[0] - 1e-4 <= rate <= found[1] + 1e-4


@given(st.integers(50, 4000), st.data())
def test_every_number_of_rows_below_the_cohort_gives_the_same_range(rows, data):
    cohort = data.draw(st.integers(2, 25))
    few = data.draw(st.integers(0, cohort - 1))
    assert rate_range(few, rows - few, cohort) == rate_range(0, rows, cohort)
    assert rate_range(rows - few, few, cohort) == rate_range(rows, 0, cohort)


def test_two_few_rows_have_no_rate():
    assert rate_range(10, 30, 25) is None
    assert rate_range(20, 30, 25) == (0.0, 0.5)
    assert rate_range(0, 0, 1) is None


@pytest.mark.parametrize(
    ("index", "step"),
    [(0.0, 0.02), (0.02, 0.05), (0.19, 0.2), (1.0, 2.0), (42.0, 100.0)],
)
def test_an_index_is_told_as_the_next_step_above_it(index, step):
    assert index_below(index) == step


def test_an_age_is_told_as_a_span():
    assert age_words(0.5) == "under an hour"
    assert age_words(24 * 8) == "under a month"
    assert age_words(1e6) == "over a year"
    assert age_words(None) is None
