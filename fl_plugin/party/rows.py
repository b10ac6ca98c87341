"""A domain's rows of one product, for one run: read once, under one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fl_plugin.manifest.types import Product
from fl_plugin.party.batches import Stream
from fl_plugin.party.database import Database
from fl_plugin.party.opened import OpenRows
from fl_plugin.party.spool import Spool
from fl_plugin.party.spooled import spool_rows
from fl_plugin.party.table import (
    Codes,
    Wanted,
    codes_of,
    columns_of,
    match_keys,
    numbers_of,
    vectors_of,
)
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.raw import RawBlock, RawMemory, RawRows
from fl_plugin.summand import Floats

__all__ = ["Codes", "OpenRows", "Rows", "Wanted", "read_rows"]

# Rows of one run may take this part of a party's memory; beyond, they are spooled.
# Reading them takes as much again for a moment.
SHARE = 4
_BYTES = 8  # of a number; a text of the usual length takes about as many


@dataclass(frozen=True, kw_only=True)
class Rows(OpenRows):
    """Rows in memory.

    Args:
        numeric: (numeric features, rows), NaN where missing.
        text: Per categorical or protected column, its values.
        keys: By column, what rows are matched by; none in a horizontal run.
    """

    numeric: Floats
    text: Mapping[str, pa.ChunkedArray]
    keys: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)

    def raw(self, features: Sequence[Feature]) -> RawRows:
        """Return the rows coded by the features' categories."""
        return RawMemory(
            RawBlock(
                numeric=self.numeric,
                codes=self.codes([f for f in features if f.kind == "categorical"]),
                target=self.target,
                hashes=self.hashes,
            )
        )

    def codes(self, features: Sequence[Feature]) -> tuple[Codes, ...]:
        """Return, for each column, the index of every row's category, or -1."""
        return tuple(codes_of(self.text[f.name], f.categories or ()) for f in features)

    def frequent(self, name: str, least: int) -> tuple[str, ...]:
        """Return the texts that at least so many rows of a column have, sorted."""
        counted = pc.value_counts(self.text[name].drop_null())
        often = (c["values"] for c in counted if c["counts"].as_py() >= least)
        return tuple(sorted(v.as_py() for v in often if pa.types.is_string(v.type)))


def read_rows(
    database: Database,
    product: Product,
    wanted: Wanted,
    spool: Spool | None = None,
) -> OpenRows:
    """Read the granted columns of the rows that the contract's filter leaves.

    Args:
        database: The domain's.
        product: What is read.
        wanted: Its columns.
        spool: Where the rows go that do not fit into the party's memory; None keeps
            any number in memory.

    Raises:
        BuildError: The target is missing in a row, or is not what was agreed.
        StorageError: The spool cannot be written.
    """
    columns = columns_of(product, wanted)
    with database.stream(
        product.relation, columns, product.contract.row_filter
    ) as stream:
        size = stream.rows * len(columns) * _BYTES
        if spool is None or size <= database.memory // SHARE:
            return _in_memory(stream, product, wanted)
        return spool_rows(stream, product, wanted, spool)


def _in_memory(stream: Stream, product: Product, wanted: Wanted) -> Rows:
    table = stream.table()
    numeric = np.empty((len(wanted.numbers), table.num_rows))
    numbers_of(table, wanted.numbers, numeric)
    vectors = vectors_of(table, product, wanted)
    text = {name: table[name] for name in wanted.texts}
    digest = hashlib.sha256()
    for array in (numeric, *vectors.all):
        digest.update(np.ascontiguousarray(array).data)
    for name, values in text.items():
        digest.update(repr((name, values.to_pylist())).encode())
    return Rows(
        numeric=numeric,
        text=text,
        keys=match_keys(table, wanted),
        target=vectors.target,
        hashes=vectors.hashes,
        groups=vectors.groups,
        times=vectors.times,
        fingerprint=f"sha256:{digest.hexdigest()}",
    )
