"""Rows to grow trees on: synthetic ones, and real tables where they are at hand.

Real tables are not part of this repository; `shared/data` beside it is looked into.
Nothing is scaled or filled in: trees take gaps and codes of categories as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bench import synthetic
from fl_plugin.algorithms.base import Target

PLACE = Path(__file__).resolve().parents[2] / "shared" / "data"
COUNT = Target(kind="count", classes=())
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Pooled rows with the party that holds each.

    Args:
        x: (rows, columns), NaN for missing, codes for categories.
        y: As a design has it.
        party: Of each row, a number.
        target: What is predicted.
        categorical: Of each column, whether its values are codes.
    """

    x: Floats
    y: Floats
    party: npt.NDArray[np.int64]
    target: Target
    categorical: tuple[bool, ...]

    def halves(self) -> "tuple[Rows, Rows]":
        """Return four fifths to train on and one fifth to test on."""
        test = np.random.default_rng(1).random(len(self.y)) < 0.2  # noqa: PLR2004
        return self._where(~test), self._where(test)

    def _where(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        return Rows(
            x=self.x[chosen],
            y=self.y[chosen],
            party=self.party[chosen],
            target=self.target,
            categorical=self.categorical,
        )


def made(rows: int, parties: int) -> Rows:
    """Return synthetic rows of three unlike domains, or of one cut into several."""
    tables = synthetic.make(rows).values()
    x = np.concatenate([table.x for table in tables])
    sizes = [len(table.y) for table in tables]
    party = np.repeat(np.arange(len(sizes)), sizes)
    if parties != len(sizes):
        # Unequal, and sorted by a column: unlike one another.
        rank = np.argsort(np.argsort(x[:, 0])) / len(x)
        party = np.minimum((rank**1.5 * parties).astype(np.int64), parties - 1)
    return Rows(
        x=x,
        y=np.concatenate([table.y for table in tables]).astype(np.float64),
        party=party,
        target=Target(),
        categorical=(False,) * x.shape[1],
    )


def credit_default() -> Rows:
    """Thirty thousand card holders by education; no categories, as in the paper."""
    table = pyarrow.csv.read_csv(PLACE / "credit_default_taiwan.csv")
    education = np.asarray(table["EDUCATION"])
    return _rows(
        table.drop_columns(["ID"]),
        "default.payment.next.month",
        party=np.where(np.isin(education, (1, 2, 3)), education, 4),
        target=Target(),
        categorical=False,
    )


def adult() -> Rows:
    """Census incomes by workclass."""
    table = pyarrow.parquet.read_table(PLACE / "adult.parquet")
    left = [c for c in ("fold", "fnlwgt", "id", "person_id") if c in table.column_names]
    workclass = _codes(table["workclass"])
    target = next(c for c in table.column_names if c.startswith("income"))
    return _rows(table.drop_columns(left), target, workclass % 6, Target())


def german() -> Rows:
    """A thousand credits by purpose: cars, the home, the rest."""
    table = pyarrow.csv.read_csv(PLACE / "german_credit.csv")
    purpose = np.asarray(table["purpose"])
    desk = np.select(
        [
            np.isin(purpose, ("A40", "A41")),
            np.isin(purpose, ("A42", "A43", "A44", "A45")),
        ],
        [0, 1],
        2,
    )
    return _rows(table.drop_columns(["customer_id"]), "credit_risk", desk, Target())


def nmes1988() -> Rows:
    """Visits to a physician by region."""
    table = pyarrow.csv.read_csv(PLACE / "nmes1988.csv")
    others = ["nvisits", "ovisits", "novisits", "emergency"]
    region = _codes(table["region"])
    return _rows(table.drop_columns([*others, "region"]), "visits", region, COUNT)


def penguins() -> Rows:
    """Three species by island; no island has all of them."""
    options = pyarrow.csv.ConvertOptions(null_values=["NA"], strings_can_be_null=True)
    table = pyarrow.csv.read_csv(PLACE / "penguins.csv", convert_options=options)
    species = tuple(sorted(set(table["species"].to_pylist())))
    island = _codes(table["island"])
    target = Target(kind="multiclass", classes=species)
    return _rows(table.drop_columns(["island", "year"]), "species", island, target)


REAL: Mapping[str, Callable[[], Rows]] = {
    "credit_default": credit_default,
    "adult": adult,
    "german": german,
    "nmes1988": nmes1988,
    "penguins": penguins,
}


def _rows(
    table: pa.Table,
    target_column: str,
    party: npt.NDArray[np.int64],
    target: Target,
    *,
    categorical: bool = True,
) -> Rows:
    names = [name for name in table.column_names if name != target_column]
    words = [not _is_number(table[name]) for name in names]
    x = np.column_stack([_numbers(table[name]) for name in names])
    y = table[target_column]
    return Rows(
        x=x,
        y=_numbers(y) if target.kind == "count" else _codes(y).astype(np.float64),
        party=party,
        target=target,
        categorical=tuple(w and categorical for w in words),
    )


def _numbers(column: pa.ChunkedArray) -> Floats:
    if not _is_number(column):
        codes = _codes(column).astype(np.float64)
        codes[np.asarray(column.is_null())] = np.nan
        return codes
    return np.asarray(column.cast(pa.float64()), dtype=np.float64)


def _is_number(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return the place of each value among the sorted ones; 0 where it is missing."""
    values = column.to_pylist()
    places = {v: i for i, v in enumerate(sorted({v for v in values if v is not None}))}
    return np.array([places.get(value, 0) for value in values], dtype=np.int64)
