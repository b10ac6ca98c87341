"""Default of credit card clients as five parties: four of columns, one of labels.

Yeh 2009, doi:10.24432/C55S3H, CC BY 4.0: 30,000 customers, 22% of whom default. The
file is not part of this repository. Columns are prepared as domains would: amounts by
the logarithm of their size with their sign, then standardised over training rows;
codes in the order of training rows' codes, the last one for what was unknown.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.vertical.base import VerticalTask

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Columns = tuple[DesignColumn, ...]

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PLACE = SHARED_DATA / "credit_default_taiwan.csv"
LABEL = "label"
TARGET = "default.payment.next.month"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "profile": ("LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE"),
    "status": ("PAY_0", *(f"PAY_{i}" for i in range(2, 7))),
    "bills": tuple(f"BILL_AMT{i}" for i in range(1, 7)),
    "payments": tuple(f"PAY_AMT{i}" for i in range(1, 7)),
}
CODES = ("SEX", "EDUCATION", "MARRIAGE")
AMOUNTS = ("LIMIT_BAL", *GROUPS["bills"], *GROUPS["payments"])
TEST_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Parted:
    """One way of parting rows for training and testing, columns among parties.

    Args:
        train: Blocks by party; the label party has no columns.
        test: The same of the unseen rows, without a target.
        columns: By party.
        y_train: Target of the training rows.
        y_test: Of the unseen rows.
    """

    train: Mapping[str, Block]
    test: Mapping[str, Block]
    columns: Mapping[str, Columns]
    y_train: Floats
    y_test: Floats

    def task(self, labels: str, seed: int) -> VerticalTask:
        """Return the task of a fit."""
        return VerticalTask(
            target=Target(),
            widths={party: len(c) for party, c in self.columns.items()},
            label_party=LABEL,
            rows=len(self.y_train),
            labels=labels,
            seed=seed,
        )


def read(file: Path) -> Mapping[str, Floats]:
    """Return every column by name."""
    with file.open(newline="") as lines:
        head, *rows = csv.reader(lines)
    values = np.array(rows, dtype=np.float64)
    return {name: values[:, place] for place, name in enumerate(head)}


def parted(
    table: Mapping[str, Floats], seed: int, groups: Mapping[str, Sequence[str]]
) -> Parted:
    """Return the rows parted under a seed, with these groups of columns."""
    y = table[TARGET]
    order = np.random.default_rng(seed).permutation(len(y))
    test, train = np.split(order, [round(TEST_SHARE * len(y))])
    columns: dict[str, Columns] = {LABEL: ()}
    seen = {LABEL: Block(np.empty((0, len(train))), y[train])}
    unseen = {LABEL: Block(np.empty((0, len(test))), np.zeros(0))}
    for party, names in groups.items():
        made = [_column(name, table[name], train) for name in names]
        columns[party] = tuple(column for column, _ in made)
        x = np.stack([values for _, values in made])
        seen[party] = Block(np.ascontiguousarray(x[:, train]), np.zeros(0))
        unseen[party] = Block(np.ascontiguousarray(x[:, test]), np.zeros(0))
    return Parted(
        train=seen, test=unseen, columns=columns, y_train=y[train], y_test=y[test]
    )


def one_hot(part: Parted, blocks: Mapping[str, Block]) -> Floats:
    """Return all parties' columns in one matrix (rows, columns), codes one-hot."""
    found: list[Floats] = []
    for party, columns in part.columns.items():
        for column, values in zip(columns, blocks[party].x, strict=True):
            if column.categorical:
                same = values[None] == np.arange(column.bins)[:, None]
                found.extend(same.astype(np.float64))
            else:
                found.append(values)
    return np.stack(found, axis=1)


def _column(name: str, values: Floats, train: Places) -> tuple[DesignColumn, Floats]:
    if name in CODES:
        known = np.unique(values[train])
        place = np.minimum(np.searchsorted(known, values), len(known) - 1)
        codes = np.where(known[place] == values, place, len(known))
        column = DesignColumn(
            name=name, feature=name, categorical=True, bins=len(known) + 1
        )
        return column, codes.astype(np.float64)
    if name in AMOUNTS:
        values = np.sign(values) * np.log1p(np.abs(values))
    mean, spread = values[train].mean(), values[train].std()
    return DesignColumn(name=name, feature=name), (values - mean) / spread
