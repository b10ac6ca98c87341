"""What a table looks like is told without a value of it."""

import duckdb
import pytest

from fl_plugin.errors import BuildError
from fl_plugin.party.shape import ColumnShape, Crawler, shown_type


@pytest.fixture
def crawl(tmp_path):
    """Return the maker of a crawler over tables that SQL makes."""

    def make(*statements: str) -> Crawler:
        path = tmp_path / "lending.duckdb"
        with duckdb.connect(path) as file:
            for statement in statements:
                file.execute(statement)
        return Crawler(path, "lending")

    return make


def test_columns_come_in_order_with_types_and_what_is_missing(crawl):
    shape = crawl(
        "create table t (b integer not null, a varchar, c decimal(5, 2))",
        "insert into t values (1, null, 1.5), (2, 'x', 2.5)",
    ).shape("main", "t")
    assert shape.columns == (
        ColumnShape(name="b", data_type="INTEGER", required=True, has_nulls=False),
        ColumnShape(name="a", data_type="VARCHAR", required=False, has_nulls=True),
        ColumnShape(
            name="c", data_type="DECIMAL(5,2)", required=False, has_nulls=False
        ),
    )
    assert not shape.empty


def test_a_declared_key_comes_first_and_is_sure(crawl):
    shape = crawl(
        "create table t (id integer, code varchar primary key)",
        "insert into t values (1, 'a'), (2, 'b')",
    ).shape("main", "t")
    assert shape.keys == (("code",), ("id",))
    assert shape.declared == 1


def test_names_that_say_key_come_before_others_and_times_last(crawl):
    shape = crawl(
        "create table t as select timestamp '2026-01-01' + interval 1 hour * i as at,"
        " i as amount, 'c' || i as customer_id, i / 3.0 as score"
        " from range(50) r(i)"
    ).shape("main", "t")
    assert shape.keys == (("customer_id",), ("amount",), ("at",))
    assert shape.declared == 0


def test_a_pair_is_tried_where_no_column_identifies_a_row(crawl):
    shape = crawl(
        "create table t as select i // 10 as branch, i % 10 as number, 1 as one"
        " from range(100) r(i)"
    ).shape("main", "t")
    assert shape.keys == (("branch", "number"),)


def test_a_column_with_a_missing_value_is_no_key(crawl):
    shape = crawl(
        "create table t as select nullif(i, 3) as id from range(10) r(i)"
    ).shape("main", "t")
    assert shape.keys == ()


def test_one_value_that_occurs_twice_among_many_is_found(crawl):
    shape = crawl(
        "create table t as select i as id from range(10000) r(i)",
        "insert into t values (77)",
    ).shape("main", "t")
    assert shape.keys == ()


def test_of_an_empty_table_only_names_and_types_are_known(crawl):
    shape = crawl("create table t (id integer, x varchar not null)").shape("main", "t")
    assert shape.empty
    assert shape.keys == ()
    assert [c.required for c in shape.columns] == [False, True]


def test_views_and_other_schemas_are_found(crawl):
    crawler = crawl(
        "create schema staging",
        "create view staging.v as select 1 as one",
        "create table t (a integer)",
    )
    assert crawler.relations() == (("main", "t"), ("staging", "v"))
    assert crawler.shape("staging", "v").columns[0].name == "one"
    assert crawler.shape("main", "absent").columns == ()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("ENUM('secret', 'value')", "ENUM"),
        ("ENUM('a')[]", "ENUM"),
        ("STRUCT(a ENUM('secret'))", "STRUCT"),
        ("DECIMAL(5,2)", "DECIMAL(5,2)"),
        ("STRUCT(a INTEGER)", "STRUCT(a INTEGER)"),
    ],
)
def test_a_type_never_tells_what_an_enum_holds(kind, shown):
    assert shown_type(kind) == shown


def test_an_enums_values_are_not_in_the_shape(crawl):
    crawler = crawl(
        "create type grade as enum ('secret_a', 'secret_b')",
        "create table t (g grade, s struct(x grade))",
    )
    assert "secret" not in repr(crawler.shape("main", "t"))


@pytest.mark.parametrize(
    "name", ['a"b', "a; drop table t; --", "select", "ünï", "a b", "'", "\x1b[2J"]
)
def test_names_of_any_kind_are_only_names(crawl, name):
    quoted = name.replace('"', '""')
    crawler = crawl(
        f'create table "{quoted}" as select i as "{quoted}" from range(3) r(i)'
    )
    shape = crawler.shape("main", name)
    assert shape.columns[0].name == name
    assert shape.keys == ((name,),)
    assert crawler.identifies("main", name, [name]) is True


def test_whether_columns_identify_a_row_is_told_exactly(crawl):
    crawler = crawl("create table t as select 1.5 as a, i as b from range(2) r(i)")
    assert crawler.identifies("main", "t", ["a"]) is False
    assert crawler.identifies("main", "t", ["a", "b"]) is True


def test_a_database_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BuildError) as told:
        Crawler(tmp_path / "x.duckdb", "lending").relations()
    assert "lending" in told.value.problem
