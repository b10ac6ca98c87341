"""Drift is seen where rows have moved, and not where chance has."""

import math
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.manifest.contract import ColumnContract
from fl_plugin.manifest.types import Column
from fl_plugin.party.histograms import Bins, bins_for, stability, verdict_of

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12)


def column(bounds=None, accepted=None) -> Column:
    return Column(
        name="amount",
        description="",
        data_type="integer",
        nullable=True,
        accepted_values=accepted,
        contract=ColumnContract(bounds=bounds),
    )


def chunks(values, kind=None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type=kind)])


@given(counts)
def test_what_has_not_moved_has_not_drifted(old):
    found = stability(old, old, 1)
    assert (found is None) == (sum(old) < 1)
    assert math.isclose(found or 0.0, 0, abs_tol=1e-12)


@given(counts, st.data())
def test_the_index_is_never_negative_and_the_same_both_ways_round(old, data):
    new = data.draw(st.lists(st.integers(0, 500), min_size=len(old), max_size=len(old)))
    found = stability(old, new, 1)
    if found is not None:
        assert found >= -1e-12


def test_a_known_index_is_what_the_formula_gives():
    # (0.4 - 0.5) ln(0.4 / 0.5) + (0.6 - 0.5) ln(0.6 / 0.5), but for half rows
    found = stability((50_000, 50_000, 0), (40_000, 60_000, 0), 25)
    assert found == pytest.approx(0.1 * math.log(1.5), abs=1e-3)


def test_rows_that_move_into_one_bin_have_drifted():
    found = stability((100, 100, 100, 0), (280, 10, 10, 0), 25)
    assert found is not None
    assert verdict_of(found) == "drifted"


def test_values_that_go_missing_are_drift_even_beside_a_small_bin():
    before, after = (200, 10, 0), (200, 0, 40)
    assert verdict_of(stability(before, after, 25) or 0.0) == "drifted"


def test_chance_between_two_draws_of_one_distribution_is_not_drift():
    random = np.random.default_rng(7)
    shares = np.array([*([0.1] * 9), 0.099, 0.001])
    worst = 0.0
    for _ in range(300):
        old, new = (random.multinomial(500, shares / shares.sum()) for _ in "ab")
        worst = max(worst, stability((*old, 0), (*new, 0), 25) or 0.0)
    assert verdict_of(worst) != "drifted"


@pytest.mark.parametrize(
    ("old", "new"), [((24, 0), (500, 0)), ((500, 0), (24, 0)), ((1, 2), (1, 2, 3))]
)
def test_too_few_rows_or_other_bins_have_no_index(old, new):
    assert stability(old, new, 25) is None


def test_what_is_no_number_has_drifted():
    assert verdict_of(math.nan) == "drifted"
    assert [verdict_of(i) for i in (0.0999, 0.1, 0.2)] == [
        "stable",
        "moving",
        "drifted",
    ]


def test_bounds_are_the_edges_and_what_lies_outside_is_counted():
    values = chunks([None, -5, 0, 49, 99, 100, 250])
    bins = bins_for(column(bounds=(0, 100)), values)
    found = bins.counts(values)
    assert bins.edges[0] == 0
    assert bins.edges[-1] == 100
    assert (found[0], found[-2], found[-1]) == (1, 2, 1)
    assert sum(found) == 7


def test_no_edge_of_a_column_without_bounds_is_a_rows_value():
    values = [700_000_123 + 7919 * n for n in range(201)]
    bins = bins_for(column(), chunks(values))
    assert bins.edges
    assert not set(values) & set(bins.edges)


def test_free_text_is_counted_by_hash_and_not_kept():
    values = chunks([f"CANARY{n}" for n in range(100)] + [None])
    bins = bins_for(column(), values)
    assert bins.kind == "hashed"
    assert "CANARY" not in bins.model_dump_json()
    assert sum(bins.counts(values)) == 101


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([True, False, None, True], pa.bool_(), (1, 2, 1)),
        (["x", "y", "z", None], pa.string(), (1, 1, 1, 1)),
        ([b"1", None], pa.binary(), (1, 1)),
        ([[1], None], pa.list_(pa.int64()), (1, 1)),
        ([], pa.string(), (0, 0, 0, 0)),
    ],
)
def test_every_type_has_bins_and_the_last_counts_what_is_missing(
    values, kind, expected
):
    accepted = ("x", "y") if pa.types.is_string(kind) else None
    found = chunks(values, kind)
    assert bins_for(column(accepted=accepted), found).counts(found) == expected


@pytest.mark.parametrize(
    "values",
    [
        [date(2026, 1, day) for day in range(1, 29)],
        [datetime(2026, 1, day) for day in range(1, 29)],  # noqa: DTZ001 as in a table
        [1.5, math.nan, math.inf, -math.inf] * 5,
        [math.nan] * 4,
    ],
)
def test_dates_and_odd_numbers_are_counted_once_each(values):
    found = chunks(values)
    bins = bins_for(column(), found)
    assert sum(bins.counts(found)) == len(values)


def test_bins_of_one_profile_count_another():
    bins = bins_for(column(), chunks(list(range(100))))
    assert sum(bins.counts(chunks([5] * 30))) == 30
    assert Bins.model_validate_json(bins.model_dump_json()) == bins
