"""What a domain's last build left in its database, asked over an open connection."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from fl_plugin.manifest.types import Relation
from fl_plugin.policy.types import Measured

PROFILE = Relation(database="", schema="mesh_meta", identifier="product_profile")


def built_columns(
    connection: duckdb.DuckDBPyConnection, relation: Relation
) -> dict[str, str] | None:
    """Return column name to type of a built table; None where it is missing."""
    # Asked for the tables of its own catalog, DuckDB would make all of them: 12 ms.
    try:
        found = connection.execute(f"describe {_place(connection, relation)}")
    except duckdb.CatalogException:
        return None
    return {name: kind for name, kind, *_ in found.fetchall()} or None


def newest_measured(
    connection: duckdb.DuckDBPyConnection, domain: str, model: str, version: int | None
) -> Measured:
    """Return what the last build measured of a product; blanks where nothing."""
    if built_columns(connection, PROFILE) is None:
        return Measured()
    rows = connection.execute(
        "select built_at, completeness, validity, uniqueness, tests_failed, "  # noqa: S608 names are quoted
        f"dbt_invocation_id from {_place(connection, PROFILE)} "
        "where product in (?, ?) and version is not distinct from ? "
        "order by built_at desc limit 1",
        [model, f"{domain}.{model}", version],
    ).fetchall()
    return _measured(rows[0]) if rows else Measured()


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _place(connection: duckdb.DuckDBPyConnection, relation: Relation) -> str:
    """Return a table's whole name: a schema may be called what the database is."""
    ((database,),) = connection.execute("select current_database()").fetchall()
    return ".".join(map(quoted, (database, relation.schema, relation.identifier)))


def _measured(row: Sequence[Any]) -> Measured:
    built_at, completeness, validity, uniqueness, failed, build = row
    if isinstance(built_at, datetime) and built_at.tzinfo is None:
        built_at = built_at.replace(tzinfo=UTC)
    return Measured(
        built_at=built_at,
        completeness=completeness,
        validity=validity,
        uniqueness=uniqueness,
        tests_failed=failed,
        build=str(build),
    )
