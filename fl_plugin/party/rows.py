"""A domain's rows in memory, for one run: read once, under one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import BuildError
from fl_plugin.manifest.types import Product
from fl_plugin.party.database import Database
from fl_plugin.preparation.features import Category, Feature
from fl_plugin.preparation.raw import RawBlock, RawMemory, RawRows
from fl_plugin.preparation.splits import Hashes, row_hashes
from fl_plugin.summand import Floats

_KEY, _GROUP, _TIME = "__key_", "__group", "__time"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run reads of a product.

    Args:
        features: Numbers and categories to learn from.
        protected: By whose values figures are told apart.
        target: The column; None where there is nothing to predict.
        predicts: What kind of target it is.
        group: The column whose equal values stay in one fold.
        timed: Whether the product's `event_time` decides what is held out.
    """

    features: tuple[Feature, ...]
    protected: tuple[Feature, ...] = ()
    target: str | None = None
    predicts: Target = field(default_factory=Target)
    group: str | None = None
    timed: bool = False


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One domain's rows of one product; never leaves the party.

    Args:
        numeric: (numeric features, rows), NaN where missing.
        text: Per categorical or protected column, its values.
        target: (rows,): 0 or 1, the index of the class, or the number.
        hashes: (rows,), hash of each row's key: decides folds, names the cohort.
        groups: (rows,), hash of the group's value; the row's own where none is asked.
        times: (rows,), seconds since 1970; empty where time decides nothing.
        fingerprint: Digest of everything read, to pin the table for the run.
    """

    numeric: Floats
    text: Mapping[str, pa.ChunkedArray]
    target: Floats
    hashes: Hashes
    groups: Hashes
    times: Floats
    fingerprint: str

    def __len__(self) -> int:
        return len(self.target)

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
        return tuple(_codes(self.text[f.name], f.categories or ()) for f in features)


def read_rows(database: Database, product: Product, wanted: Wanted) -> Rows:
    """Read the granted columns of the rows that the contract's filter leaves.

    Keys, groups and times are read too, to decide folds inside the domain; they are
    not kept but as hashes and seconds.

    Raises:
        BuildError: The target is missing in a row, or is not what was agreed.
    """
    keys = product.key or ("rowid",)
    names = {f.name: f.name for f in (*wanted.features, *wanted.protected)}
    names |= {f"{_KEY}{i}": key for i, key in enumerate(keys)}
    if wanted.target is not None:
        names[wanted.target] = wanted.target
    if wanted.group is not None:
        names[_GROUP] = wanted.group
    if wanted.timed:
        names[_TIME] = _time_column(product)
    table = database.read(product.relation, names, product.contract.row_filter)
    numeric = _numeric(table, [f.name for f in wanted.features if f.kind == "numeric"])
    categorical = (f for f in wanted.features if f.kind == "categorical")
    text = {f.name: table[f.name] for f in (*categorical, *wanted.protected)}
    target = _target(table, product, wanted)
    hashes = row_hashes(_key_bytes(table, [f"{_KEY}{i}" for i in range(len(keys))]))
    grouped = wanted.group is not None
    groups = row_hashes(_key_bytes(table, [_GROUP])) if grouped else hashes
    times = _seconds(table, product) if wanted.timed else np.zeros(0)
    return Rows(
        numeric=numeric,
        text=text,
        target=target,
        hashes=hashes,
        groups=groups,
        times=times,
        fingerprint=_digest((numeric, target, hashes, groups, times), text),
    )


def _digest(
    arrays: Sequence[npt.NDArray[np.generic]], text: Mapping[str, pa.ChunkedArray]
) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    for name, values in text.items():
        digest.update(repr((name, values.to_pylist())).encode())
    return f"sha256:{digest.hexdigest()}"


def _numeric(table: pa.Table, names: Sequence[str]) -> Floats:
    values = np.empty((len(names), table.num_rows))
    for i, name in enumerate(names):
        column = table[name].cast(pa.float64(), safe=False)
        values[i] = column.to_numpy()  # a null becomes NaN
    return values


def _target(table: pa.Table, product: Product, wanted: Wanted) -> Floats:
    if wanted.target is None:
        return np.zeros(table.num_rows)
    column, kind = table[wanted.target], wanted.predicts.kind
    if column.null_count:
        raise _bad_target(product, wanted.target, "has missing values")
    if kind in {"binary", "multiclass"}:
        classes = wanted.predicts.classes
        if isinstance(classes[0], bool):
            if not (
                pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)
            ):
                raise _bad_target(product, wanted.target, "is not a boolean")
            column = column.cast(pa.bool_())
        codes = _codes(column, classes)
        if (codes < 0).any():
            raise _bad_target(product, wanted.target, "has values beside its classes")
        return codes.astype(np.float64)
    (numbers,) = _numeric(table, [wanted.target])
    if not np.isfinite(numbers).all() or (kind == "count" and (numbers < 0).any()):
        raise _bad_target(product, wanted.target, f"has values that no {kind} has")
    return np.asarray(numbers, dtype=np.float64)


def _bad_target(product: Product, name: str, what: str) -> BuildError:
    return BuildError(
        f"The target {name} of {product.name} {what}.",
        remedy="Give it the type, a not_null constraint and the accepted values in "
        "the contract, and build again.",
    )


def _time_column(product: Product) -> str:
    if product.event_time is None or product.event_time not in product.columns:
        raise BuildError(
            f"{product.name} has no event_time, so no rows can be held out by time.",
            remedy="Name it in the model's config, or hold out by hash.",
        )
    return product.event_time


def _seconds(table: pa.Table, product: Product) -> Floats:
    column = table[_TIME]
    if column.null_count or not pa.types.is_temporal(column.type):
        raise BuildError(
            f"The event_time of {product.name} is missing in rows, or is no date.",
            remedy="Make it a date or timestamp with a not_null constraint.",
        )
    micros = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(micros.to_numpy(), dtype=np.float64) / 1e6


def _key_bytes(table: pa.Table, names: Sequence[str]) -> list[bytes]:
    columns = [table[name].cast(pa.string()).to_pylist() for name in names]
    return [
        b"\x1f".join(b"\x00" if v is None else b"\x01" + v.encode() for v in row)
        for row in zip(*columns, strict=True)
    ]


def _codes(values: pa.ChunkedArray, categories: Sequence[Category]) -> Codes:
    if not categories:
        return np.full(len(values), -1, dtype=np.int64)
    known = pa.array(categories)
    if values.type != known.type:
        values = values.cast(known.type, safe=False)
    found = pc.index_in(values, value_set=known)
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int64)
