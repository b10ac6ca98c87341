"""Preparation from contracts alone: what it gives, and what it refuses by name."""

import numpy as np
import pytest

from fl_plugin.errors import ContractError
from fl_plugin.privacy.dp.preparation import ColumnFacts, public_column


def facts(**changes):
    known = {
        "domain": "north",
        "product": "north.accounts",
        "column": "age",
        "kind": "numeric",
        "bounds": (0.0, 100.0),
    }
    return ColumnFacts(**{**known, **changes})


def test_numbers_are_clipped_to_their_bounds_and_missing_ones_are_the_midpoint():
    column = public_column([facts()])
    found = column.prepared(np.array([0.0, 50.0, 100.0, -5.0, 1e300, np.nan, -np.inf]))
    np.testing.assert_array_equal(found, [-1.0, 0.0, 1.0, -1.0, 1.0, 0.0, -1.0])
    assert (column.fill, column.center, column.scale) == (50.0, 50.0, 50.0)


def test_bounds_of_several_domains_are_taken_together():
    column = public_column([facts(), facts(domain="south", bounds=(-20.0, 60.0))])
    assert (column.center, column.scale) == (40.0, 60.0)


def test_huge_bounds_do_not_overflow():
    column = public_column([facts(bounds=(-1.7e308, 1.7e308))])
    assert np.isfinite([column.center, column.scale]).all()


def test_categories_are_the_accepted_values_of_all_domains():
    column = public_column(
        [
            facts(kind="categorical", accepted=("b", "a")),
            facts(kind="categorical", accepted=("c", "a")),
        ]
    )
    assert column.categories == ("a", "b", "c")


@pytest.mark.parametrize(
    "lacking",
    [
        {"bounds": None},
        {"bounds": (1.0, 1.0)},
        {"bounds": (2.0, 1.0)},
        {"bounds": (0.0, float("inf"))},
        {"bounds": (float("nan"), 1.0)},
        {"kind": "categorical", "accepted": None},
        {"kind": "categorical", "accepted": ()},
    ],
)
def test_a_contract_that_does_not_say_is_refused_with_domain_product_and_column(
    lacking,
):
    fine = facts(kind=lacking.get("kind", "numeric"), accepted=("a",))
    with pytest.raises(ContractError) as refusal:
        public_column([fine, facts(domain="south", product="south.people", **lacking)])
    for name in ("south", "south.people", "age"):
        assert name in refusal.value.problem


def test_a_column_that_is_a_number_here_and_a_word_there_is_refused():
    with pytest.raises(ContractError, match="south"):
        public_column([facts(), facts(domain="south", kind="categorical")])
