"""Statlog's German credit file, read past dbt: the rows that the lenders hold.

Statlog (German Credit Data), Hofmann 1994, doi:10.24432/C5NC77, CC BY 4.0.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

ROOT = Path(__file__).resolve().parents[1]
SEED = Path("data_source", "german_credit.csv")
LABELS = Path("macros", "statlog_labels.sql")
LENDERS: Mapping[str, tuple[str, ...]] = {
    "auto_finance": ("A40", "A41"),
    "commercial_banking": ("A46", "A48", "A49", "A410"),
    "consumer_banking": ("A42", "A43", "A44", "A45"),
}
NUMBERS = (
    "duration",
    "amount",
    "installment_rate",
    "present_residence",
    "age",
    "number_credits",
    "people_liable",
)
OUTCOME, BAD = "credit_risk", "2"

Labels = npt.NDArray[np.bool_]
Row = Mapping[str, str]


def raw_rows() -> list[dict[str, str]]:
    """Return the rows as Statlog codes them, in its order."""
    with (ROOT / SEED).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def code_labels() -> Mapping[str, Mapping[str, str | bool]]:
    """Return, by attribute, what the domains' staging models call each code."""
    text = (ROOT / LABELS).read_text(encoding="utf-8")
    table = text[text.index("return(") + len("return(") : text.rindex(")")]
    found: dict[str, dict[str, str | bool]] = yaml.safe_load(table)
    return found


def keys(rows: Sequence[Row]) -> list[str]:
    """Return the synthetic customer keys, as the seeds have them."""
    return [f"C{int(row['customer_id']):04d}" for row in rows]


def outcomes(rows: Sequence[Row]) -> Labels:
    """Return whether each credit went bad."""
    return np.array([row[OUTCOME] == BAD for row in rows])


def numeric(rows: Sequence[Row], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return (names, rows)."""
    return np.array([[float(row[name]) for row in rows] for name in names])


def codes(rows: Sequence[Row], name: str) -> list[str]:
    """Return one attribute's codes."""
    return [row[name] for row in rows]


def attributes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the names of the attributes that are codes, in the file's order."""
    return tuple(n for n in rows[0] if n not in {"customer_id", OUTCOME, *NUMBERS})


def labelled(rows: Sequence[Row]) -> pa.Table:
    """Return every attribute under the name and with the words of the products."""
    labels = code_labels()
    columns: dict[str, Any] = {
        name: pa.array(numeric(rows, [name])[0]) for name in NUMBERS
    }
    for name in attributes(rows):
        columns[name] = pa.array([labels[name][code] for code in codes(rows, name)])
    return pa.table(columns)


def by_lender(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows by the domain that lends for their purpose."""
    return {
        domain: [row for row in rows if row["purpose"] in purposes]
        for domain, purposes in LENDERS.items()
    }
