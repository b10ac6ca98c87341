"""A contract and DuckDB spell one type in many ways."""

import duckdb
import pytest

from fl_plugin.policy.sql_types import canonical_type, type_name

SPELLINGS = """
int integer int4 signed tinyint int1 smallint int2 short bigint int8 long hugeint
bool boolean logical varchar string text char bpchar float float4 real double float8
date time timestamp datetime timestamptz blob bytea binary varbinary uuid
decimal numeric utinyint usmallint uinteger ubigint
""".split()  # noqa: SIM905 a list of forty lines says no more
SPACED = [
    "decimal(5, 4)",
    "NUMERIC ( 12,2 )",
    "decimal(9)",
    "varchar(20)",
    "timestamp with time zone",
    "integer[]",
    "decimal(5, 4)[]",
    "  Double ",
]


@pytest.mark.parametrize("spelling", SPELLINGS + SPACED)
def test_a_spelling_equals_what_duckdb_calls_the_column(spelling):
    with duckdb.connect() as connection:
        connection.execute(f"create table t (a {spelling})")
        kind = connection.execute(
            "select data_type from duckdb_columns() where table_name = 't'"
        ).fetchone()
    assert kind is not None
    assert canonical_type(spelling) == canonical_type(kind[0]) == kind[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("decimal(5, 4)", "decimal(4, 5)"),
        ("integer", "bigint"),
        ("timestamp", "timestamptz"),
        ("integer", "integer[]"),
        ("", "varchar"),
    ],
)
def test_different_types_stay_different(one, other):
    assert canonical_type(one) != canonical_type(other)


def test_an_enum_is_named_without_its_values():
    assert type_name("enum('canary')") == "ENUM"
