"""What may be shown of groups: never a small one, never one that follows."""

from itertools import product

import numpy as np
import pytest

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.groups import (
    hidden,
    least_over_greatest,
    slots,
    slots_of,
    spread_of,
)


def shown(sizes: list[int], min_cell: int = 10) -> list[int]:
    mask = hidden(np.array(sizes)[:, None], min_cell)
    return [i for i, hide in enumerate(mask) if not hide]


def test_a_single_small_group_takes_the_next_smallest_with_it():
    assert shown([50, 3, 40, 20]) == [0, 2]


def test_two_small_groups_that_are_a_cohort_together_need_no_third():
    assert shown([50, 6, 40, 7]) == [0, 2]


def test_two_small_groups_that_are_no_cohort_together_take_a_third():
    assert shown([50, 2, 40, 3]) == [0]


def test_large_groups_are_all_shown_and_a_minimum_of_one_shows_all():
    assert shown([50, 10, 40]) == [0, 1, 2]
    assert shown([50, 0, 1], min_cell=1) == [0, 1, 2]


def test_of_two_groups_a_small_one_hides_both():
    assert shown([200, 4]) == []


@pytest.mark.parametrize("min_cell", [2, 3, 5])
def test_no_hidden_size_can_be_derived_from_the_total_and_what_is_shown(min_cell):
    for sizes in product((0, 1, 2, 4, 5, 9), repeat=4):
        mask = hidden(np.array(sizes)[:, None], min_cell)
        assert all(mask[i] for i, size in enumerate(sizes) if size < min_cell)
        inside = [size for size, hide in zip(sizes, mask, strict=True) if hide]
        assert len(inside) != 1
        assert not inside or all(mask) or sum(inside) >= min_cell


def test_every_cell_counts_and_the_hidden_ones_are_a_cohort_in_each():
    cells = np.array([[30, 40], [2, 50], [25, 12], [60, 60]])
    # Group 1 has 2 of the first class; group 2, the next smallest, goes with it.
    assert hidden(cells, 10).tolist() == [False, True, True, False]


def test_what_is_hidden_already_stays_hidden():
    also = np.array([True, False, False])
    cells = np.array([[20], [30], [40]])
    assert hidden(cells, 10, also).tolist() == [True, True, False]


def test_unknown_rows_come_last():
    assert slots(np.array([1, -1, 0]), 2, 3).tolist() == [1, 2, 0]
    assert slots(np.zeros(0, dtype=np.int64), 2, 0).size == 0


@pytest.mark.parametrize(
    "codes",
    [np.array([0, 2]), np.array([0, -2]), np.array([0.0, 1.0]), np.array([0])],
)
def test_codes_that_are_none_are_refused(codes):
    with pytest.raises(TrainingError, match="protected"):
        slots(codes, 2, 2)


def test_a_column_too_few_is_refused():
    with pytest.raises(TrainingError, match="protected"):
        slots_of([], (2,), 0)


def test_differences_and_ratios_are_of_the_known_values():
    assert spread_of([0.2, None, 0.5]) == pytest.approx(0.3)
    assert least_over_greatest([0.2, None, 0.5]) == 0.4
    assert spread_of([0.2, None]) is least_over_greatest([None, 0.2]) is None
    assert least_over_greatest([0.0, 0.0]) is None
