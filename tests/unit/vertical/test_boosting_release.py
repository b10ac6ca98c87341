"""Released bins: each holds many rows, keeps its order, and says no value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.errors import TrainingError
from fl_plugin.vertical.boosting.release import (
    applied,
    identity,
    maps_of,
    released_columns,
)

K = 20


def column(bins, *, categorical=False):
    edges = None if categorical else np.arange(bins - 1) + 0.5
    return DesignColumn(
        name="a", feature="a", categorical=categorical, edges=edges, bins=bins
    )


COUNTS = st.lists(
    st.one_of(st.just(0), st.integers(1, 60)), min_size=1, max_size=12
).filter(lambda counts: sum(counts[:-1]) + counts[-1] >= K)


def rows_of(counts):
    """Return bins of one column; the last count is that of missing values."""
    names = [*range(len(counts) - 1), 255]
    return np.repeat(np.array(names, dtype=np.uint8), counts)[None]


@settings(max_examples=300, deadline=None)
@given(COUNTS, st.booleans())
def test_no_released_bin_holds_few_rows(counts, categorical):
    x = rows_of(counts)
    columns = (column(max(len(counts) - 1, 1), categorical=categorical),)
    maps = maps_of(x, columns, K)
    found = np.bincount(applied(maps, x)[0], minlength=256)
    assert not ((found > 0) & (found < K)).any()
    (told,) = released_columns(columns, maps)
    assert (np.flatnonzero(found[:255]) < told.bins).all()
    assert told.edges is None


@settings(max_examples=200, deadline=None)
@given(COUNTS)
def test_the_order_of_bins_is_kept(counts):
    x = rows_of(counts)
    maps = maps_of(x, (column(max(len(counts) - 1, 1)),), K)
    assert (np.diff(maps[0, : max(len(counts) - 1, 1)].astype(int)) >= 0).all()


def test_bins_of_many_rows_are_left_as_they_are():
    x = rows_of([20, 30, 0, 25, 40])
    maps = maps_of(x, (column(4),), K)
    np.testing.assert_array_equal(maps, identity(1))


def test_a_short_rest_joins_the_last_bin():
    x = rows_of([25, 25, 7, 0])
    assert maps_of(x, (column(3),), K)[0, :3].tolist() == [0, 1, 1]


def test_few_missing_values_join_the_fullest_bin():
    x = rows_of([25, 40, 3])
    assert maps_of(x, (column(2),), K)[0, 255] == 1


def test_categories_get_numbers_in_random_order():
    x = rows_of([30] * 12 + [0])
    columns = (column(12, categorical=True),)
    orders = {tuple(maps_of(x, columns, K)[0, :12]) for _ in range(6)}
    assert len(orders) > 1
    assert all(sorted(order) == list(range(12)) for order in orders)


def test_rare_categories_are_put_together():
    x = rows_of([50, 4, 9, 60, 8, 0])
    names = maps_of(x, (column(5, categorical=True),), K)[0]
    assert names[1] == names[2] == names[4]
    assert len({names[0], names[1], names[3]}) == 3


def test_fewer_rows_than_a_bin_needs_are_refused():
    with pytest.raises(TrainingError, match="fewer rows"):
        maps_of(rows_of([5, 5, 0]), (column(2),), K)
