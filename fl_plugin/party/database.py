"""The only file that opens a database: locked down, closed at once, nearly read-only.

DuckDB has no users, so what a query may do is fixed before it runs: no external
access, no change of settings, only columns that were granted, only rows that the
contract's filter leaves. An open reader blocks `dbt build`, so the file is held for
one read and no longer.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from fl_plugin.errors import ContractError, StorageError
from fl_plugin.manifest.types import Relation
from fl_plugin.party.batches import STREAM_ROWS, Stream, batches_of, capped
from fl_plugin.party.built import built_columns, newest_measured, quoted
from fl_plugin.party.unreadable import is_locked, locked, problem_with, unreadable
from fl_plugin.policy.types import Measured

LOCK_WAIT_SECONDS = 10.0
BATCH_ROWS = 20_000
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "threads": "1",
}
MEMORY = 2**31  # bytes; `memory` in node.yml
# DuckDB gets this part of it while it reads.
SHARE = 4


@dataclass(frozen=True, kw_only=True)
class Most:
    """How much of a table is read into memory; `rows` None for all of them."""

    rows: int | None
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Some of a table (None where it was too large), and how many rows there are."""

    table: pa.Table | None
    rows: int


@dataclass(frozen=True)
class Database:
    """One domain's DuckDB file.

    Args:
        path: Where it lies.
        domain: Whose it is, for messages.
        memory: What the party may take for a run's rows, in bytes.
    """

    path: Path
    domain: str
    memory: int = MEMORY

    def columns(self, relation: Relation) -> dict[str, str] | None:
        """Return column name to type of the built table; None where it is missing."""
        with self._open() as connection:
            return built_columns(connection, relation)

    def measured(self, model: str, version: int | None) -> Measured:
        """Return what the last build measured of a product; blanks where nothing."""
        with self._open() as connection:
            return newest_measured(connection, self.domain, model, version)

    def built(
        self, relation: Relation, model: str, version: int | None
    ) -> tuple[dict[str, str] | None, Measured]:
        """Return `columns` and `measured`; the file is opened once for both."""
        with self._open() as connection:
            columns = built_columns(connection, relation)
            found = newest_measured(connection, self.domain, model, version)
        return columns, found

    @contextmanager
    def stream(
        self, relation: Relation, columns: Mapping[str, str], row_filter: str | None
    ) -> Iterator[Stream]:
        """Give the named columns of the rows that the filter leaves, batch by batch.

        How many there are and the rows themselves come from one state of the table.

        Args:
            relation: The product's table.
            columns: Result name to column name, or to "rowid".
            row_filter: A filter that `policy.row_filter` has accepted, or None.
        """
        source = _rows(relation, row_filter)
        with self._open() as connection:
            connection.execute("begin")
            counted = connection.execute(f"select count(*) {source}").fetchall()
            query = f"select {_picked(columns)} {source}"
            reader = connection.sql(query).to_arrow_reader(STREAM_ROWS)
            try:
                yield Stream(
                    rows=counted[0][0], batches=batches_of(reader), schema=reader.schema
                )
            finally:
                reader.close()

    def read(
        self, relation: Relation, columns: Mapping[str, str], row_filter: str | None
    ) -> pa.Table:
        """Return what `stream` gives, all at once."""
        with self.stream(relation, columns, row_filter) as stream:
            return stream.table()

    def excerpt(
        self,
        relation: Relation,
        columns: Sequence[str],
        row_filter: str | None,
        most: Most,
    ) -> Excerpt:
        """Return what `read` would, cut off where it grows too large.

        All rows are counted, and both come from one state of the table.
        """
        named = _picked({name: name for name in columns})
        source = _rows(relation, row_filter)
        limit = "" if most.rows is None else f" limit {most.rows:d}"
        with self._open() as connection:
            connection.execute("begin")
            # Fetched to its end: an unfinished result would block the next query.
            counted = connection.execute(f"select count(*) {source}").fetchall()
            query = f"select {named} {source}{limit}"
            reader = connection.sql(query).to_arrow_reader(BATCH_ROWS)
            return Excerpt(table=capped(reader, most.bytes), rows=counted[0][0])

    def publish(self, relation: Relation, rows: pa.Table) -> None:
        """Write a table whole, or leave the one that was there.

        The one place that writes: what a domain lets be computed for itself.

        Raises:
            BuildError: The domain is not built.
            StorageError: The database is locked, or cannot be written.
        """
        schema, name = quoted(relation.schema), quoted(relation.identifier)
        connection = self._connect(read_only=False)
        try:
            connection.register("published", rows)
            connection.execute("begin")
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                f"create or replace table {schema}.{name} as select * from published"  # noqa: S608 quoted
            )
            connection.execute("commit")
        except duckdb.Error as error:
            raise StorageError(
                f"The database of {self.domain} cannot be written "
                f"({type(error).__name__}).",
                remedy="Free space or fix its permissions, then run the command again.",
            ) from None
        finally:
            connection.close()

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._connect()
        try:
            yield connection
        except duckdb.Error as error:
            raise unreadable(self.domain, error) from None
        finally:
            connection.close()

    def _connect(self, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
        problem = problem_with(self.path, self.domain)
        if problem is not None:
            raise problem
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                settings = {**_SETTINGS, "memory_limit": f"{self.memory // SHARE}B"}
                return duckdb.connect(self.path, read_only=read_only, config=settings)
            except duckdb.Error as error:
                if not is_locked(error):
                    raise unreadable(self.domain, error) from None
                if time.monotonic() > deadline:
                    raise locked(self.domain, error) from None
                time.sleep(0.2)


def parse_filter(row_filter: str) -> Mapping[str, Any]:
    """Return DuckDB's own parse tree of `select * from t where (<row_filter>)`.

    The text is parsed in an empty database, never run. It must be a condition without
    the brackets as well: `a) or (b` is one only inside them, and would break out of
    them where more stands beside it.

    Raises:
        ContractError: DuckDB cannot parse it.
    """
    texts = [f"select * from t where {f}" for f in (f"({row_filter})", row_filter)]  # noqa: S608 parsed, never run
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        try:
            found = connection.execute(
                "select json_serialize_sql(?), json_serialize_sql(?)", texts
            ).fetchone()
        except duckdb.Error:
            found = None
    tree, alone = map(json.loads, found) if found else ({"error": True}, {})
    if tree.get("error") or alone.get("error"):
        raise ContractError(
            "A row filter is not a condition that DuckDB can parse.",
            remedy="Write it as for `where`, over the product's own columns.",
        )
    return dict(tree)


def _picked(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{quoted(c)} as {quoted(n)}" for n, c in columns.items())


def _rows(relation: Relation, row_filter: str | None) -> str:
    """Return the `from` and `where`, its names quoted, from the manifest."""
    source = f"from {quoted(relation.schema)}.{quoted(relation.identifier)}"
    # Word for word what `parse_filter` parsed and the policy accepted.
    return f"{source} where ({row_filter})" if row_filter else source
