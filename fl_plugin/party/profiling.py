"""One pass over a product's table: what its domain keeps to itself about it.

Nothing here leaves the domain. What is published of it is `fl_plugin.quality`'s.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from fl_plugin.errors import BuildError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.types import Column, Product
from fl_plugin.manifest.words import ColumnName
from fl_plugin.party.database import Database, parse_filter
from fl_plugin.party.histograms import Bins, Counts, Histogram, bins_for, numbers
from fl_plugin.policy.row_filter import columns_of
from fl_plugin.preparation.splits import Hashes

BANDS = 4  # of a number that people must not be told apart by
OTHER, MISSING = "other", "missing"
Rows = Annotated[int, Field(ge=0)]


class Crossing(ContractBlock):
    """How often a label holds in each group of a protected column.

    Args:
        groups: From the contract, so that every one is there, however small; then
            `OTHER` where it lists values, and `MISSING`.
        negatives: Rows of each group without the label; a row whose label is missing
            is in neither.
    """

    label: ColumnName
    protected: ColumnName
    groups: tuple[str, ...]
    negatives: Counts
    positives: Counts


class TableProfile(ContractBlock):
    """What was counted in a table.

    Args:
        rows: Rows that the contract's filter leaves.
        event_age_hours: Age of the newest event but as many as make a cohort, so that
            it is not one row's; None without an event time.
        columns: Histograms by column; keys and identifiers have none.
        against: The same rows over another profile's bins, by column.
        labels: Rows without and with each label.
    """

    rows: Rows
    event_age_hours: float | None = None
    columns: dict[ColumnName, Histogram]
    against: dict[ColumnName, Counts] = Field(default_factory=dict)
    labels: dict[ColumnName, tuple[Rows, Rows]] = Field(default_factory=dict)
    crossings: tuple[Crossing, ...] = ()


def profile_table(
    database: Database,
    product: Product,
    *,
    min_cohort: int,
    baseline: Mapping[str, Histogram] | None = None,
) -> tuple[TableProfile, Hashes]:
    """Count a product's rows, and hash each of them whole.

    Args:
        database: The domain's own.
        product: Its contract says which rows, which bins and which groups.
        min_cohort: The fewest rows that may be spoken about.
        baseline: Histograms whose bins to count over as well.

    Raises:
        BuildError: The table is not there, or lacks a column of the contract.
        ContractError: The row filter is not allowed.
        StorageError: The database cannot be read.
    """
    table = _read(database, product)
    before = baseline or {}
    columns = {c.name: _histogram(c, table[c.name]) for c in _counted(product)}
    profile = TableProfile(
        rows=table.num_rows,
        event_age_hours=_event_age(table, product, min_cohort),
        columns=columns,
        against={
            name: before[name].bins.counts(table[name])
            for name, histogram in columns.items()
            # Of another kind is another column: to be approved anew.
            if name in before and before[name].bins.kind == histogram.bins.kind
        },
        labels={name: _label(table[name]) for name in _labels(table, product)},
        crossings=tuple(_crossings(table, product)),
    )
    return profile, _hashes(table)


def _read(database: Database, product: Product) -> pa.Table:
    built = database.columns(product.relation) or {}
    missing = sorted(set(product.columns) - set(built))
    if missing:
        raise BuildError(
            f"The table of {product.name} lacks {', '.join(missing[:5])}.",
            remedy=f"Build it: cd domains/{product.domain} && dbt build",
        )
    row_filter = product.contract.row_filter
    if row_filter is not None:
        columns_of(parse_filter(row_filter), tuple(product.columns))
    names = {name: name for name in product.columns}
    return database.read(product.relation, names, row_filter)


def _counted(product: Product) -> Iterator[Column]:
    """Yield the columns in which drift means something: not those that name a row."""
    for column in product.columns.values():
        contract = column.contract
        names_a_row = column.name in product.key or contract.pii == "identifier"
        if not names_a_row and "join_key" not in contract.roles:
            yield column


def _histogram(column: Column, values: pa.ChunkedArray) -> Histogram:
    bins = bins_for(column, values)
    return Histogram(bins=bins, counts=bins.counts(values))


def _labels(table: pa.Table, product: Product) -> list[str]:
    """Return the columns that are labels and can only be true or false."""
    return [
        name
        for name, column in product.columns.items()
        if "label" in column.contract.roles and pa.types.is_boolean(table[name].type)
    ]


def _label(column: pa.ChunkedArray) -> tuple[int, int]:
    negative, positive, _ = Bins(kind="flags").counts(column)
    return negative, positive


def _crossings(table: pa.Table, product: Product) -> Iterator[Crossing]:
    for protected, column in product.columns.items():
        if "protected" not in column.contract.roles:
            continue
        grouped = _groups(column, table[protected])
        if grouped is None:
            continue  # its contract lists no groups, and a value must not name one
        bins, names = grouped
        for label in _labels(table, product):
            yield Crossing(
                label=label,
                protected=protected,
                groups=(*names, MISSING),
                negatives=bins.counts(_where(table, protected, label, holds=False)),
                positives=bins.counts(_where(table, protected, label, holds=True)),
            )


def _where(
    table: pa.Table, protected: str, label: str, *, holds: bool
) -> pa.ChunkedArray:
    chosen = pc.equal(table[label], holds)
    return table[protected].filter(pc.fill_null(chosen, False))  # noqa: FBT003 pyarrow's


def _groups(
    column: Column, values: pa.ChunkedArray
) -> tuple[Bins, tuple[str, ...]] | None:
    bins = bins_for(column, values)
    if bins.kind == "flags":
        return bins, ("false", "true")
    if bins.kind == "values":
        return bins, (*bins.values, OTHER)
    if bins.kind != "edges" or column.contract.bounds is None:
        return None
    edges = np.linspace(*column.contract.bounds, BANDS + 1).tolist()
    names = tuple(f"{low:g} to {high:g}" for low, high in pairwise(edges))
    # What lies outside the bounds is counted with the nearest band.
    return Bins(kind="edges", edges=tuple(edges[1:-1])), names


def _event_age(table: pa.Table, product: Product, min_cohort: int) -> float | None:
    name = product.event_time
    if name is None or name not in product.columns:
        return None
    kind = table[name].type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return None
    times = numbers(table[name].cast(pa.timestamp("us"), safe=False).drop_null())
    if times.size < min_cohort:
        return None
    newest = float(np.sort(times)[-min_cohort]) / 1e6
    return (datetime.now(UTC).timestamp() - newest) / 3600


def _hashes(table: pa.Table) -> Hashes:
    """Return a hash of each row's whole content, so that a changed row shows."""
    columns: Sequence[list[object]] = [
        table[name].to_pylist() for name in table.column_names
    ]
    return np.asarray([_hash(row) for row in zip(*columns, strict=True)], np.uint64)


def _hash(row: tuple[object, ...]) -> int:
    text = json.dumps([None if v is None else str(v) for v in row]).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")
