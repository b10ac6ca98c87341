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
_MISSING = "has missing values"
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
    try:
        hashes = row_hashes(_key_bytes(table, [f"{_KEY}{i}" for i in keys]))
        groups = row_hashes(_key_bytes(table, [_GROUP])) if wanted.group else hashes
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise BuildError(
            f"The key of {product.name}, or the column that groups its rows, is of a "
            "type that has no text: rows cannot be told apart by it.",
            remedy="Make it a number, a text, a date or a uuid in the product.",
        ) from None
    return Vectors(
        target=_target(table, product, wanted),
        hashes=hashes,
        groups=groups,
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
    values, known = _comparable(values, pa.array(categories))
    found = pc.index_in(values, value_set=known)
    numbers = found.fill_null(-1).to_numpy(**_copied(found))
    return np.asarray(numbers, dtype=np.int64)


def _comparable(
    values: pa.Array | pa.ChunkedArray, known: pa.Array
) -> tuple[pa.Array | pa.ChunkedArray, pa.Array]:
    """Return both in one type. Fractions meet as numbers: 1, 1.0 and 1.00 are one."""
    if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        try:
            return values.cast(pa.float64()), known.cast(pa.float64())
        except pa.ArrowInvalid:  # a category that is no number is no value of these
            pass
    if values.type != known.type:
        values = values.cast(known.type, safe=False)
    return values, known


def _copied(values: pa.Array | pa.ChunkedArray) -> dict[str, bool]:
    return {} if isinstance(values, pa.ChunkedArray) else {"zero_copy_only": False}


def _target(table: pa.Table, product: Product, wanted: Wanted) -> Floats:
    if wanted.target is None:
        return np.zeros(table.num_rows)
    if table[wanted.target].null_count:
        raise _bad_target(product, wanted.target, _MISSING)
    if wanted.predicts.kind in {"binary", "multiclass"}:
        return _class_places(table[wanted.target], product, wanted)
    numbers = np.empty((1, table.num_rows))
    numbers_of(table, [wanted.target], numbers)
    if np.isnan(numbers).any():
        raise _bad_target(product, wanted.target, _MISSING)
    if np.isinf(numbers).any():
        raise _bad_target(product, wanted.target, "has infinite values")
    if wanted.predicts.kind == "count" and (numbers < 0).any():
        what = "has negative numbers, and the study's algorithm learns from counts"
        raise _bad_target(product, wanted.target, what)
    return np.asarray(numbers[0], dtype=np.float64)


def _class_places(column: pa.ChunkedArray, product: Product, wanted: Wanted) -> Floats:
    """Return the index of each row's class."""
    classes, kind = wanted.predicts.classes, column.type
    if isinstance(classes[0], bool):
        if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
            raise _bad_target(product, str(wanted.target), "is not a boolean")
        column = column.cast(pa.bool_())
    codes = codes_of(column, classes)
    if (codes < 0).any():
        what = "has values beside its classes"
        raise _bad_target(product, str(wanted.target), what)
    return codes.astype(np.float64)


def _bad_target(product: Product, name: str, what: str) -> BuildError:
    return BuildError(
        f"The target {name} of {product.name} {what}.",
        remedy="Leave such rows out in the product, or give it the type, a not_null "
        "constraint and the accepted values in the contract; then build again.",
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
    kind = column.type
    dated = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    if column.null_count or not dated:
        raise BuildError(
            f"The event_time of {product.name} is missing in rows, or is no date.",
            remedy="Make it a date or timestamp with a not_null constraint.",
        )
    micros = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(micros.to_numpy(), dtype=np.float64) / 1e6


def _key_bytes(table: pa.Table, names: Sequence[str]) -> list[bytes]:
    columns = [_as_bytes(table[name]) for name in names]
    return [
        b"\x1f".join(b"\x00" if v is None else b"\x01" + v for v in row)
        for row in zip(*columns, strict=True)
    ]


def _as_bytes(column: pa.ChunkedArray) -> list[bytes | None]:
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = column.cast(pa.string()).cast(pa.binary())
    found: list[bytes | None] = column.to_pylist()
    return found
