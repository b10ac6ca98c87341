"""A table as Arrow brings it, whole or a batch of it, as the arrays that a run uses."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import BuildError
from fl_plugin.manifest.types import Product
from fl_plugin.preparation.features import Category, Feature
from fl_plugin.preparation.splits import Hashes, row_hashes
from fl_plugin.summand import Floats

_KEY, _GROUP, _TIME, _MATCH = "__key_", "__group", "__time", "__match_"
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
        match: The columns whose values name the rows of a vertical run: several where
            rows are looked up in several domains.
    """

    features: tuple[Feature, ...]
    protected: tuple[Feature, ...] = ()
    target: str | None = None
    predicts: Target = field(default_factory=Target)
    group: str | None = None
    timed: bool = False
    match: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numeric features."""
        return tuple(f.name for f in self.features if f.kind == "numeric")

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns whose values become codes, each once."""
        categorical = (f for f in self.features if f.kind == "categorical")
        return tuple(dict.fromkeys(f.name for f in (*categorical, *self.protected)))


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """One number per row of a table, or of a part of it; see `opened.OpenRows`."""

    target: Floats
    hashes: Hashes
    groups: Hashes
    times: Floats

    @property
    def all(self) -> tuple[npt.NDArray[np.generic], ...]:
        """Every one of them."""
        return (self.target, self.hashes, self.groups, self.times)


def columns_of(product: Product, wanted: Wanted) -> dict[str, str]:
    """Return result name to column of everything that is read.

    Raises:
        BuildError: Time decides what is held out, and the product has none.
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
    return names | {f"{_MATCH}{i}": key for i, key in enumerate(wanted.match)}


def match_keys(table: pa.Table, wanted: Wanted) -> dict[str, pa.ChunkedArray]:
    """Return by column the values that rows are matched by."""
    return {key: table[f"{_MATCH}{i}"] for i, key in enumerate(wanted.match)}


def vectors_of(table: pa.Table, product: Product, wanted: Wanted) -> Vectors:
    """Return what there is one number per row of.

    Keys and groups are not kept but as hashes, times but as seconds.

    Raises:
        BuildError: The target or the time is missing in a row, or is not what was
            agreed.
    """
    keys = range(len(product.key or ("rowid",)))
    hashes = row_hashes(_key_bytes(table, [f"{_KEY}{i}" for i in keys]))
    grouped = wanted.group is not None
    return Vectors(
        target=_target(table, product, wanted),
        hashes=hashes,
        groups=row_hashes(_key_bytes(table, [_GROUP])) if grouped else hashes,
        times=_seconds(table, product) if wanted.timed else np.zeros(0),
    )


def numbers_of(table: pa.Table, names: Sequence[str], into: Floats) -> None:
    """Write columns into an array of shape (columns, rows), NaN where missing."""
    for i, name in enumerate(names):
        column = table[name].cast(pa.float64(), safe=False)
        into[i] = column.to_numpy()  # a null becomes NaN


def codes_of(
    values: pa.Array | pa.ChunkedArray, categories: Sequence[Category]
) -> Codes:
    """Return the index of each value's category, or -1."""
    if not categories:
        return np.full(len(values), -1, dtype=np.int64)
    known = pa.array(categories)
    if values.type != known.type:
        values = values.cast(known.type, safe=False)
    found = pc.index_in(values, value_set=known)
    numbers = found.fill_null(-1).to_numpy(**_copied(found))
    return np.asarray(numbers, dtype=np.int64)


def _copied(values: pa.Array | pa.ChunkedArray) -> dict[str, bool]:
    return {} if isinstance(values, pa.ChunkedArray) else {"zero_copy_only": False}


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
        codes = codes_of(column, classes)
        if (codes < 0).any():
            raise _bad_target(product, wanted.target, "has values beside its classes")
        return codes.astype(np.float64)
    numbers = np.empty((1, table.num_rows))
    numbers_of(table, [wanted.target], numbers)
    if not np.isfinite(numbers).all() or (kind == "count" and (numbers < 0).any()):
        raise _bad_target(product, wanted.target, f"has values that no {kind} has")
    return np.asarray(numbers[0], dtype=np.float64)


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
