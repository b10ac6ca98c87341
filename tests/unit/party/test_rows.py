"""What a party reads: every type a contract may name, missing values, hostile names."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from fl_plugin.errors import BuildError, ContractError, StorageError
from fl_plugin.manifest.types import Relation
from fl_plugin.party.database import Database, parse_filter
from fl_plugin.party.rows import Wanted, read_rows
from fl_plugin.policy.row_filter import columns_of
from fl_plugin.policy.types import Measured
from fl_plugin.preparation.features import Feature

RELATION = Relation(database="d", schema="main", identifier="t")
FEATURES = (
    Feature(name="whole", kind="numeric"),
    Feature(name="money", kind="numeric"),
    Feature(name="flag", kind="categorical", categories=(False, True)),
    Feature(name='or"der', kind="categorical", categories=("a", "b")),
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "d.duckdb"
    with duckdb.connect(path) as file:
        file.execute(
            "create table t as select * from (values "
            "(1, 1.25::decimal(9, 2), true, 'a', true), "
            "(null, 2.50::decimal(9, 2), null, null, false), "
            "(3, null, false, 'unheard', true), "
            "(4, 4.00::decimal(9, 2), true, 'b', false)) "
            """as v(whole, money, flag, "or""der", bad)"""
        )
    return Database(path, "north")


def wanting(features, target):
    return Wanted(features=features, target=target)


def product(product_with, **fields):
    made = product_with(contract={"row_filter": None})
    return replace(made, relation=RELATION, key=(), **fields)


def test_every_type_is_read_and_missing_values_stay_missing(database, product_with):
    rows = read_rows(database, product(product_with), wanting(FEATURES, "bad"))
    (raw,) = rows.raw(FEATURES).blocks()
    np.testing.assert_array_equal(raw.numeric[0], [1, np.nan, 3, 4])
    np.testing.assert_array_equal(raw.numeric[1], [1.25, 2.5, np.nan, 4])
    np.testing.assert_array_equal(rows.target, [True, False, True, False])
    np.testing.assert_array_equal(raw.codes[0], [1, -1, 0, 1])
    np.testing.assert_array_equal(raw.codes[1], [0, -1, -1, 1])


def test_rows_without_a_key_are_told_apart_by_their_place(database, product_with):
    rows = read_rows(database, product(product_with), wanting(FEATURES, "bad"))
    assert len(set(rows.hashes.tolist())) == 4


def test_the_same_table_has_the_same_fingerprint_and_another_has_not(
    database, product_with
):
    first = read_rows(
        database, product(product_with), wanting(FEATURES, "bad")
    ).fingerprint
    again = read_rows(
        database, product(product_with), wanting(FEATURES, "bad")
    ).fingerprint
    with duckdb.connect(database.path) as file:
        file.execute("update t set whole = 5 where whole = 4")
    other = read_rows(
        database, product(product_with), wanting(FEATURES, "bad")
    ).fingerprint
    assert first == again != other


def test_only_rows_that_the_filter_leaves_are_read(database, product_with):
    made = product_with(contract={"row_filter": "whole > 1"})
    made = replace(made, relation=RELATION, key=())
    assert len(read_rows(database, made, wanting(FEATURES, "bad"))) == 2


def test_a_target_with_missing_values_is_refused(database, product_with):
    with pytest.raises(BuildError, match="flag"):
        read_rows(database, product(product_with), wanting(FEATURES[:2], "flag"))


def test_an_empty_table_is_read_as_no_rows(database, product_with):
    with duckdb.connect(database.path) as file:
        file.execute("delete from t")
    assert (
        len(read_rows(database, product(product_with), wanting(FEATURES, "bad"))) == 0
    )


def test_a_column_that_is_gone_is_an_error_without_its_text(database, product_with):
    gone = (Feature(name="nothing", kind="numeric"),)
    with pytest.raises(StorageError) as caught:
        read_rows(database, product(product_with), wanting(gone, "bad"))
    assert "unheard" not in caught.value.problem


def test_the_connection_reaches_no_other_file(database, product_with, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    hostile = f"exists (select * from read_csv('{tmp_path}/secret.csv'))"
    made = product_with(contract={"row_filter": hostile})
    made = replace(made, relation=RELATION, key=())
    with pytest.raises(StorageError):
        read_rows(database, made, wanting(FEATURES, "bad"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b c",
        "true) union (select 1",
        "true) or (select true from other",
        "1=1); drop table t; --",
        "1=1) order by (1",
        "1=1) limit (1",
        "a in (select a from other)",
        "'",
    ],
)
def test_what_is_no_condition_on_the_columns_is_refused(text):
    with pytest.raises(ContractError):
        columns_of(parse_filter(text), ("a",))


def test_a_table_that_is_not_there_has_no_columns(database):
    assert database.columns(replace(RELATION, identifier="nothing")) is None
    assert list(database.columns(RELATION) or ()) == [
        "whole",
        "money",
        "flag",
        'or"der',
        "bad",
    ]


def test_a_schema_called_as_the_database_is_told_apart_from_it(tmp_path):
    path = tmp_path / "north.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table t (a integer)")
        connection.execute("create schema north")
        connection.execute("create table north.north.t (b varchar)")
    database = Database(path, "north")
    in_schema = Relation(database="north", schema="north", identifier="t")
    assert database.columns(in_schema) == {"b": "VARCHAR"}
    columns, measured = database.built(in_schema, "t", None)
    assert columns == {"b": "VARCHAR"}
    assert measured == Measured()
