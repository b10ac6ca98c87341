"""A bucketed row count says about how many, and never which of two neighbours."""

import pytest

from fl_plugin.ledger import rows_bucket


@pytest.mark.parametrize(
    ("rows", "bucket"),
    [(57, "60"), (168, "170"), (337, "340"), (495, "500"), (1000, "1000")],
)
def test_a_bucket_has_two_significant_digits(rows, bucket):
    assert rows_bucket(rows, min_cohort=25) == bucket


def test_large_counts_keep_two_digits_only():
    assert rows_bucket(1_234_567, min_cohort=25) == "1200000"


@pytest.mark.parametrize("rows", [0, 1, 24])
def test_a_small_cohort_is_only_called_small(rows):
    assert rows_bucket(rows, min_cohort=25) == "<25"


def test_no_bucket_lies_below_the_minimum():
    assert rows_bucket(104, min_cohort=103) == "103"


def test_counts_below_a_hundred_are_not_spelt_out():
    buckets = {rows_bucket(rows, min_cohort=25) for rows in range(25, 100)}
    assert len(buckets) == 8
