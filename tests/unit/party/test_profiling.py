"""What is counted in a table, and that a changed row shows."""

from dataclasses import replace

import duckdb
import pytest

from fl_plugin.errors import BuildError, ContractError
from fl_plugin.party.database import Database
from fl_plugin.party.profiling import profile_table

ROWS = """
select 'C' || i as customer_id, cast(i * 10 as decimal(12, 2)) as amount,
    cast(18 + i % 80 as integer) as age, i % 10 = 0 as opt_out, i % 3 = 0 as is_bad
from range(200) as r(i)
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "consumer_banking.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"create table credit_profile_v1 as {ROWS}")
    return Database(path, "consumer_banking")


def change(database, sql):
    with duckdb.connect(database.path) as connection:
        connection.execute(sql)


def measure(database, product, **words):
    return profile_table(database, product, min_cohort=25, **words)


def test_only_rows_that_the_filter_leaves_are_counted(database, product_with):
    profile, hashes = measure(database, product_with())
    assert profile.rows == len(hashes) == 180
    everything, _ = measure(database, product_with(contract={"row_filter": None}))
    assert everything.rows == 200


def test_keys_and_identifiers_have_no_histogram(database, product_with):
    profile, _ = measure(database, product_with())
    assert set(profile.columns) == {"amount", "age", "opt_out", "is_bad"}
    assert "C199" not in profile.model_dump_json()


def test_a_label_is_counted_as_it_is(database, product_with):
    profile, _ = measure(database, product_with(contract={"row_filter": None}))
    assert profile.labels == {"is_bad": (133, 67)}


def test_a_protected_number_is_grouped_by_bands_of_its_bounds(database, product_with):
    product = product_with(
        contract={"row_filter": None}, columns={"age": {"roles": ["protected"]}}
    )
    profile, _ = measure(database, product)
    (crossing,) = profile.crossings
    assert crossing.groups == (
        "18 to 38.5", "38.5 to 59", "59 to 79.5", "79.5 to 100", "missing",
    )  # fmt: skip
    assert sum(crossing.negatives) == 133
    assert sum(crossing.positives) == 67
    change(database, "update credit_profile_v1 set age = 7 where age = 18")
    outside, _ = measure(database, product)
    assert outside.crossings[0] == crossing


def test_protected_text_without_accepted_values_has_no_groups(database, product_with):
    columns = {"customer_id": {"roles": ["protected"], "uses": ["evaluate"]}}
    profile, _ = measure(database, product_with(columns=columns))
    assert profile.crossings == ()


def test_a_row_that_changes_changes_one_hash(database, product_with):
    product = product_with()
    _, before = measure(database, product)
    change(database, "update credit_profile_v1 set amount = 1 where age = 21")
    _, after = measure(database, product)
    touched = len(set(before) - set(after))
    assert touched == len(set(after) - set(before)) > 0


def test_another_profiles_bins_count_the_same_rows(database, product_with):
    first, _ = measure(database, product_with())
    again, _ = measure(database, product_with(), baseline=first.columns)
    assert again.against == {n: h.counts for n, h in first.columns.items()}


def test_bins_that_no_longer_fit_are_left_out(database, product_with):
    first, _ = measure(database, product_with())
    change(database, "alter table credit_profile_v1 alter amount type varchar")
    again, _ = measure(database, product_with(), baseline=first.columns)
    assert "amount" not in again.against
    assert "age" in again.against


def test_the_age_of_events_is_a_cohorts_and_not_one_rows(database, product_with):
    change(
        database,
        "alter table credit_profile_v1 alter opt_out type timestamp using "
        "cast(now() at time zone 'UTC' as timestamp) - interval 10 day",
    )
    product = replace(product_with(contract={"row_filter": None}), event_time="opt_out")
    before, _ = measure(database, product)
    assert before.event_age_hours == pytest.approx(240, abs=0.1)
    change(
        database,
        "update credit_profile_v1 set opt_out = cast(now() at time zone 'UTC' as "
        "timestamp) where age = 18",
    )
    after, _ = measure(database, product)
    assert after.event_age_hours == pytest.approx(before.event_age_hours, abs=0.1)


def test_a_column_that_is_gone_is_named(database, product_with):
    change(database, "alter table credit_profile_v1 drop age")
    with pytest.raises(BuildError, match="lacks age"):
        measure(database, product_with())


def test_a_filter_that_reads_another_table_is_refused(database, product_with):
    change(database, "create table other (age integer)")
    product = product_with(contract={"row_filter": "age in (select age from other)"})
    with pytest.raises(ContractError):
        measure(database, product)
