"""Card transactions, each with columns at three domains: made up, or the real ones.

The real data: "Credit Card Fraud Detection", Machine Learning Group of the Universite
Libre de Bruxelles, 284,807 transactions of two days in 2013, 492 of them fraud; 28
principal components, the time and the amount. It may not be passed on: fetch
`creditcard.csv` from where its owners publish it, and name it with `--from`.

Without it, rows are **synthetic**: the same columns, as many rows and as many frauds.
Nothing in them was learnt from the real ones, so no figure on them is one about the
real ones. A fraud shows a little in each domain's columns and clearly only in all of
them together: that is made so, since it is what the example is about.

`python transactions.py` writes `domains/<domain>/data/raw_transactions.csv` for each
domain: ten columns, a key, its own order of rows; the label at fraud prevention only.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

ROWS, FRAUDS, DAYS = 284_807, 492, 2
KEY, LABEL = "transaction_id", "is_fraud"
DIGITAL, RETAIL, PREVENTION = (
    "digital_transactions",
    "retail_transactions",
    "fraud_prevention",
)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    DIGITAL: tuple(f"v{i}" for i in range(1, 11)),
    RETAIL: tuple(f"v{i}" for i in range(11, 21)),
    PREVENTION: (*(f"v{i}" for i in range(21, 29)), "seconds", "amount"),
}
MISSING = 0.01  # share of all transactions that a domain without labels has not seen
DISTANCE = 2.6  # of frauds from others in one domain's columns, in deviations
_FILE = "raw_transactions.csv"
_FEWEST_FRAUDS = 4


@dataclass(frozen=True, kw_only=True)
class Transactions:
    """All transactions, as no single domain has them.

    Args:
        columns: By name, (rows,) each.
        is_fraud: (rows,).
    """

    columns: Mapping[str, Floats]
    is_fraud: npt.NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.is_fraud)


def made_up(rows: int = ROWS, seed: int = 0) -> Transactions:
    """Return synthetic transactions with the real ones' share of frauds."""
    random = np.random.default_rng([seed, rows])
    frauds = max(round(rows * FRAUDS / ROWS), _FEWEST_FRAUDS)
    is_fraud = np.zeros(rows, dtype=np.bool_)
    is_fraud[random.choice(rows, frauds, replace=False)] = True
    columns: dict[str, Floats] = {}
    for place, names in enumerate(COLUMNS.values()):
        z = _shifted(is_fraud, len(names), random)
        for j, name in enumerate(names):
            spread = 2.0 / (1 + 0.15 * (10 * place + j))  # components spread ever less
            columns[name] = np.round(spread * z[j], 6)
    columns["seconds"] = _seconds(columns["seconds"])
    columns["amount"] = np.round(20 * np.exp(2.0 * columns["amount"]), 2)
    return Transactions(columns=columns, is_fraud=is_fraud)


def real(file: Path) -> Transactions:
    """Return the transactions of the real `creditcard.csv`.

    Raises:
        ValueError: The file has other columns.
    """
    with duckdb.connect() as base:
        table = base.read_csv(str(file)).to_arrow_table()
    found = {name.lower(): name for name in table.column_names}
    wanted = {n: "time" if n == "seconds" else n for c in COLUMNS.values() for n in c}
    missing = {*wanted.values(), "class"} - set(found)
    if missing:
        raise ValueError(f"{file.name} lacks the columns {', '.join(sorted(missing))}")
    columns = {
        name: table[found[there]].to_numpy().astype(np.float64)
        for name, there in wanted.items()
    }
    label = table[found["class"]].to_pylist()
    return Transactions(
        columns=columns, is_fraud=np.array([int(one) == 1 for one in label])
    )


def by_domain(given: Transactions, seed: int = 0) -> Mapping[str, pa.Table]:
    """Return what each domain has seen, in an order of its own, under common keys."""
    random = np.random.default_rng([seed, given.rows, 1])
    drawn = random.bytes(10 * given.rows).hex()
    keys = np.array([f"T{drawn[20 * i : 20 * (i + 1)]}" for i in range(given.rows)])
    tables: dict[str, pa.Table] = {}
    for domain, names in COLUMNS.items():
        order = random.permutation(given.rows)
        if domain != PREVENTION:
            order = order[round(MISSING * given.rows) :]
        table = {KEY: keys[order], **{n: given.columns[n][order] for n in names}}
        if domain == PREVENTION:
            table[LABEL] = given.is_fraud[order]
        tables[domain] = pa.table(table)
    return tables


def write(tables: Mapping[str, pa.Table], root: Path) -> None:
    """Write each domain's rows into its own folder."""
    with duckdb.connect() as base:
        for domain, table in tables.items():
            folder = root / "domains" / domain / "data"
            folder.mkdir(parents=True, exist_ok=True)
            base.from_arrow(table).write_csv(str(folder / _FILE), header=True)


def _shifted(
    is_fraud: npt.NDArray[np.bool_], columns: int, random: np.random.Generator
) -> Floats:
    """Return one domain's columns, standardised: frauds lie a little to one side.

    A fraud is more or less blatant, in each domain by itself.
    """
    aside = random.normal(size=columns)
    aside *= DISTANCE / np.linalg.norm(aside)
    blatant = random.gamma(8.0, 1 / 8.0, is_fraud.size) * is_fraud
    z = random.standard_t(8.0, (columns, is_fraud.size)) / np.sqrt(8 / 6)
    return np.asarray(z + aside[:, None] * blatant)


def _seconds(z: Floats) -> Floats:
    """Return the time of each transaction, in whole seconds, in the order of z."""
    place = np.empty(len(z))
    place[np.argsort(z, kind="stable")] = np.arange(len(z))
    return np.floor(place / len(z) * DAYS * 86_400)


def main() -> int:
    """Write the domains' files."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from", dest="file", type=Path, help="creditcard.csv")
    arguments.add_argument("--rows", type=int, default=ROWS, help="of synthetic ones")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--into", type=Path, default=Path(__file__).parent)
    chosen = arguments.parse_args()
    if chosen.file:
        try:
            given, kind = real(chosen.file.expanduser()), "real"
        except (ValueError, duckdb.Error) as error:
            why = str(error).partition("\n")[0]
            arguments.exit(2, f"{why}\nName the real file by its whole path.\n")
    else:
        given, kind = made_up(chosen.rows, chosen.seed), "synthetic"
    write(by_domain(given, chosen.seed), chosen.into)
    told = f"{given.rows:,} {kind} transactions, {given.is_fraud.sum():,} of them fraud"
    sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
