"""A table's keys: one per row that has one, none twice."""

from datetime import date

import numpy as np
import pytest

from fl_plugin.alignment.keys import normalise
from fl_plugin.errors import ContractError


def keys(*columns, rules=("text",), min_cohort=5):
    named = {f"k{i}": c for i, c in enumerate(columns)}
    return normalise(named, rules, min_cohort=min_cohort)


def test_rows_without_a_key_are_left_out_and_counted_in_a_bucket():
    found = keys(["a", None, " ", "b", float("nan"), ""])
    assert found.rows.tolist() == [0, 3]
    assert found.total == 6
    assert found.without_key == "fewer than 5"


def test_a_row_needs_all_parts_of_its_key():
    found = keys(["a", "b", None], ["x", None, "y"], rules=("text", "text"))
    assert found.rows.tolist() == [0]


def test_parts_of_a_key_do_not_run_into_each_other():
    one = keys(["ab"], ["c"], rules=("text", "text"))
    other = keys(["a"], ["bc"], rules=("text", "text"))
    assert one.values != other.values


def test_two_spellings_of_one_key_are_refused_with_a_bucketed_count():
    values = [f"Key {i}" for i in range(50)]
    with pytest.raises(ContractError) as refusal:
        keys([*values, *map(str.upper, values)])
    assert refusal.value.problem.startswith("100 to 200 rows share a key (k0)")


def test_a_refusal_names_the_column_and_no_value():
    with pytest.raises(ContractError, match="k0: ") as refusal:
        keys(["secret-1", 7.25])
    assert "secret" not in refusal.value.problem
    assert "7.25" not in refusal.value.problem


def test_a_table_without_any_key_is_refused():
    with pytest.raises(ContractError, match="No row has a usable key"):
        keys([None, ""])


def test_columns_and_rules_must_pair_up():
    with pytest.raises(ContractError, match="one rule"):
        keys(["a"], rules=("text", "text"))
    with pytest.raises(ContractError, match="equally long"):
        keys(["a"], ["b", "c"], rules=("text", "text"))


@pytest.mark.parametrize(
    "column",
    [
        np.array([3, 4], dtype=np.int32),
        np.array(["3", "4"]),
        np.array(["3", "4"], dtype=object),
        np.array([3.0, 4.0]),
        [np.int64(3), np.int8(4)],
        np.array([np.int64(3), "4"], dtype=object),
    ],
)
def test_arrays_of_any_kind_give_the_same_keys(column):
    assert keys(column).values == keys(["3", "4"]).values


@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
def test_arrays_of_days_give_the_keys_of_days(unit):
    days = np.array(["2026-11-21", "NaT"], dtype=f"datetime64[{unit}]")
    expected = keys([date(2026, 11, 21)], rules=("date",)).values
    assert keys(days, rules=("date",)).values == expected
    assert keys(list(days), rules=("date",)).values == expected


def test_masked_entries_are_missing():
    column = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert keys(column).rows.tolist() == [0, 2]


def test_addresses_count_as_few_however_long_they_are():
    assert keys([f"{i:x}@b" for i in range(9)], rules=("email",)).bits < 33
    long = [f"{i * 10**15:x}.p{i:x}@example.org" for i in range(1, 999)]
    assert keys(long, rules=("email",)).bits == 33


def test_keys_are_not_shown():
    assert "canary" not in repr(keys(["canary"]))
