"""Counts are told in buckets, and lists are filled up so that nobody can count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.alignment.counts import bucket, padded_size, parts, rows_in_words


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (0, "fewer than 25"),
        (24, "fewer than 25"),
        (25, "25 to 50"),
        (999, "500 to 1,000"),
        (1_000, "1,000 to 2,000"),
        (4_321_000, "2,000,000 to 5,000,000"),
    ],
)
def test_a_number_of_rows_in_words(rows, words):
    assert rows_in_words(rows, min_cohort=25) == words


@given(st.integers(0, 10**9), st.integers(0, 1_000))
def test_a_bucket_holds_its_number_and_is_never_finer_than_the_cohort(rows, cohort):
    low, high = bucket(rows, min_cohort=cohort)
    assert low <= rows < high
    assert low == 0 or low >= cohort


@given(st.integers(1, 10**8))
def test_lists_are_filled_up_by_a_sixteenth_at_most(keys):
    size = padded_size(keys, 256)
    assert max(keys, 256) <= size <= max(256, keys + keys / 16)
    assert padded_size(size, 256) == size


@given(st.integers(256, 10**7))
def test_at_least_sixteen_numbers_of_keys_have_the_same_size(keys):
    size = padded_size(keys, 256)
    assert padded_size(size - 15, 256) == size


def test_a_hundred_thousand_keys_become_102_400():
    assert padded_size(100_000, 256) == 102_400


@given(st.integers(1, 1_000), st.integers(1, 100))
def test_parts_cover_a_list_once(size, longest):
    found = parts(size, longest)
    assert [i for p in found for i in range(size)[p]] == list(range(size))
    assert all(p.stop - p.start <= longest for p in found)
