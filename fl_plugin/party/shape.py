"""What a built table looks like: names, types, missing values, keys; never a value.

For a domain's own team, in its own process: a contract is proposed from it, and held
against it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import duckdb

from fl_plugin.party.database import Database

_MOST_KEY_COLUMNS = 6  # of which every pair is tried: 15 passes over the table
_NEARLY_ALL = 0.8  # of the rows; a sketch that counts distinct values may be this wrong
_KEY_TYPES = re.compile(
    r"VARCHAR|UUID|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DATE|TIMESTAMP.*"
)
_KEY_NAME = re.compile(r"(^|_)(id|key|uuid|no|number|code)$")
_COLUMNS = (
    "select column_name, data_type, is_nullable from duckdb_columns() where "
    "database_name = current_database() and schema_name = ? and table_name = ? "
    "order by column_index"
)
_DECLARED = (
    "select constraint_column_names from duckdb_constraints() where "
    "database_name = current_database() and schema_name = ? and table_name = ? "
    "and constraint_type in ('PRIMARY KEY', 'UNIQUE') "
    "order by constraint_type, constraint_index"
)


@dataclass(frozen=True, kw_only=True)
class ColumnShape:
    """One column.

    Args:
        data_type: DuckDB's name; an enum's without its values.
        required: Whether the table itself refuses a missing value.
        has_nulls: Whether a value is missing now.
    """

    name: str
    data_type: str
    required: bool
    has_nulls: bool


@dataclass(frozen=True, kw_only=True)
class TableShape:
    """A table or view.

    Args:
        empty: Then nothing is known of missing values and keys.
        keys: Columns that identify a row, the likeliest first. Only those that the
            table declares are sure: others may be unique by chance.
        declared: How many of `keys` the table declares.
    """

    schema: str
    name: str
    columns: tuple[ColumnShape, ...]
    empty: bool
    keys: tuple[tuple[str, ...], ...]
    declared: int


@dataclass(frozen=True)
class _Look:
    """One connection's look at one table."""

    connection: duckdb.DuckDBPyConnection
    schema: str
    name: str

    @property
    def table(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"

    def columns(self) -> dict[str, tuple[str, bool]]:
        """Return each column's type and whether it may be missing."""
        found = self.connection.execute(_COLUMNS, [self.schema, self.name]).fetchall()
        return {name: (kind, nullable) for name, kind, nullable in found}

    def declared_keys(self) -> list[tuple[str, ...]]:
        found = self.connection.execute(_DECLARED, [self.schema, self.name]).fetchall()
        return list(dict.fromkeys(tuple(names) for (names,) in found))

    def counts(self, columns: Sequence[str]) -> tuple[int, dict[str, tuple[int, int]]]:
        """Return the rows, and of each column those with a value and about how many.

        The second number is a sketch's estimate of the distinct values.
        """
        parts = [
            f"count({_quoted(c)}), approx_count_distinct({_quoted(c)})" for c in columns
        ]
        query = f"select {', '.join(['count(*)', *parts])} from {self.table}"  # noqa: S608 quoted
        row = self.connection.execute(query).fetchone() or (0,) * (1 + 2 * len(columns))
        each = zip(columns, row[1::2], row[2::2], strict=True)
        return row[0], {name: (filled, about) for name, filled, about in each}

    def identifies(self, columns: Sequence[str]) -> bool | None:
        """Tell whether no two rows have the same values; None where it is too much."""
        names = ", ".join(map(_quoted, columns))
        query = (
            f"select 1 from {self.table} group by {names} "  # noqa: S608 quoted
            "having count(*) > 1 limit 1"
        )
        try:
            return self.connection.execute(query).fetchone() is None
        except duckdb.OutOfMemoryException:
            return None


@dataclass(frozen=True)
class Crawler(Database):
    """A domain's database, looked at for its tables' shapes."""

    def relations(self) -> tuple[tuple[str, str], ...]:
        """Return schema and name of every table and view."""
        query = (
            "select distinct schema_name, table_name from duckdb_columns() "
            "where database_name = current_database() and not internal order by all"
        )
        with self._open() as connection:
            return tuple((s, n) for s, n in connection.execute(query).fetchall())

    def shape(self, schema: str, name: str) -> TableShape:
        """Return a relation's shape; without columns where there is no such relation.

        Raises:
            BuildError: The database does not exist.
            StorageError: It cannot be read.
        """
        with self._open() as connection:
            look = _Look(connection, schema, name)
            columns = look.columns()
            if not columns:
                return TableShape(
                    schema=schema,
                    name=name,
                    columns=(),
                    empty=True,
                    keys=(),
                    declared=0,
                )
            rows, counts = look.counts(list(columns))
            declared = look.declared_keys()
            likely = [k for k in _likely(look, columns, rows, counts) if rows]
        return TableShape(
            schema=schema,
            name=name,
            columns=tuple(
                ColumnShape(
                    name=column,
                    data_type=shown_type(kind),
                    required=not nullable,
                    has_nulls=counts[column][0] < rows,
                )
                for column, (kind, nullable) in columns.items()
            ),
            empty=rows == 0,
            keys=tuple(dict.fromkeys([*declared, *likely])),
            declared=len(declared),
        )

    def identifies(self, schema: str, name: str, columns: Sequence[str]) -> bool | None:
        """Tell whether columns of a relation identify a row.

        Returns:
            None where the table is too large to tell within this party's memory.
        """
        with self._open() as connection:
            return _Look(connection, schema, name).identifies(columns)


def shown_type(kind: str) -> str:
    """Return a type without what an enum in it may hold: those are data."""
    return kind.partition("(")[0] if "ENUM(" in kind else kind


def _likely(
    look: _Look,
    columns: dict[str, tuple[str, bool]],
    rows: int,
    counts: dict[str, tuple[int, int]],
) -> Iterator[tuple[str, ...]]:
    """Yield single columns that identify a row; where none does, pairs."""
    fit = [
        name
        for name, (kind, _) in columns.items()
        if counts[name][0] == rows and _KEY_TYPES.fullmatch(kind)
    ]
    alone = [
        name
        for name in sorted(fit, key=lambda n: _rank(n, columns[n][0]))
        if counts[name][1] >= _NEARLY_ALL * rows and look.identifies([name])
    ]
    yield from ((name,) for name in alone)
    if alone:
        return
    widest = sorted(fit, key=lambda n: -counts[n][1])[:_MOST_KEY_COLUMNS]
    ordered = [name for name in fit if name in widest]
    for pair in combinations(ordered, 2):
        enough = counts[pair[0]][1] * counts[pair[1]][1] >= _NEARLY_ALL * rows
        if enough and look.identifies(pair):
            yield pair


def _rank(name: str, kind: str) -> tuple[bool, bool]:
    """A name that says so comes first, a point in time last."""
    return (not _KEY_NAME.search(name.lower()), kind.startswith(("DATE", "TIME")))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
