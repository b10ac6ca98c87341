"""A domain's rows in memory, for one run: read once, under one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fl_plugin.errors import BuildError
from fl_plugin.manifest.types import Product
from fl_plugin.party.database import Database
from fl_plugin.preparation.features import Category, Feature, RawColumns
from fl_plugin.preparation.splits import Hashes, row_hashes

_KEY = "__key_"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One domain's rows of one product; never leaves the party.

    Args:
        numeric: (numeric features, rows), NaN where missing.
        text: Per categorical feature, its values.
        target: (rows,).
        hashes: (rows,), hash of each row's key: decides folds, names the cohort.
        fingerprint: Digest of everything read, to pin the table for the run.
    """

    numeric: npt.NDArray[np.float64]
    text: Mapping[str, pa.ChunkedArray]
    target: npt.NDArray[np.bool_]
    hashes: Hashes
    fingerprint: str

    def __len__(self) -> int:
        return len(self.target)

    def raw(self, features: Sequence[Feature]) -> RawColumns:
        """Return the rows coded by the features' categories."""
        codes = []
        sizes = []
        for feature in features:
            if feature.kind != "categorical":
                continue
            categories = feature.categories or ()
            codes.append(_codes(self.text[feature.name], categories))
            sizes.append(len(categories))
        return RawColumns(
            numeric=self.numeric,
            codes=tuple(codes),
            sizes=tuple(sizes),
            target=self.target,
        )


def read_rows(
    database: Database,
    product: Product,
    features: Sequence[Feature],
    target: str,
) -> Rows:
    """Read the granted columns of the rows that the contract's filter leaves.

    The key is read too, to decide folds inside the domain; it is not kept.

    Raises:
        BuildError: The target is missing in a row, or is not a truth value.
    """
    names = {f.name: f.name for f in features} | {target: target}
    keys = product.key or ("rowid",)
    for i, key in enumerate(keys):
        names[f"{_KEY}{i}"] = key
    table = database.read(product.relation, names, product.contract.row_filter)
    numeric = _numeric(table, [f.name for f in features if f.kind == "numeric"])
    text = {f.name: table[f.name] for f in features if f.kind == "categorical"}
    truth = _target(table[target], product, target)
    hashes = row_hashes(_key_bytes(table, len(keys)))
    digest = hashlib.sha256()
    for array in (numeric, truth, hashes):
        digest.update(array.tobytes())
    for name, values in text.items():
        digest.update(repr((name, values.to_pylist())).encode())
    return Rows(
        numeric=numeric,
        text=text,
        target=truth,
        hashes=hashes,
        fingerprint=f"sha256:{digest.hexdigest()}",
    )


def _numeric(table: pa.Table, names: Sequence[str]) -> npt.NDArray[np.float64]:
    values = np.empty((len(names), table.num_rows))
    for i, name in enumerate(names):
        column = table[name].cast(pa.float64(), safe=False)
        values[i] = column.to_numpy()  # a null becomes NaN
    return values


def _target(
    column: pa.ChunkedArray, product: Product, name: str
) -> npt.NDArray[np.bool_]:
    if column.null_count or not (
        pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)
    ):
        raise BuildError(
            f"The target {name} of {product.name} has missing values, or is not a "
            "boolean.",
            remedy="Make it a boolean with a not_null constraint in the contract.",
        )
    return np.asarray(column.cast(pa.bool_()).to_numpy(), dtype=np.bool_)


def _key_bytes(table: pa.Table, count: int) -> list[bytes]:
    columns = [table[f"{_KEY}{i}"].cast(pa.string()).to_pylist() for i in range(count)]
    return [
        b"\x1f".join(b"\x00" if v is None else b"\x01" + v.encode() for v in row)
        for row in zip(*columns, strict=True)
    ]


def _codes(
    values: pa.ChunkedArray, categories: Sequence[Category]
) -> npt.NDArray[np.int64]:
    if not categories:
        return np.full(len(values), -1, dtype=np.int64)
    found = pc.index_in(values, value_set=pa.array(categories, type=values.type))
    return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int64)
