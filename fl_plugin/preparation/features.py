"""The features of a study: numeric or categorical, and how they become a matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Design
from fl_plugin.preparation.moments import blocks

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

Category = str | bool


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of a study.

    Args:
        name: The column.
        kind: "numeric" or "categorical".
        categories: Of a categorical feature, in the order of the one-hot columns;
            None while the parties' union is still to be made.
    """

    name: str
    kind: str
    categories: tuple[Category, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RawColumns:
    """A party's rows before preparation; never leaves the party.

    Args:
        numeric: (numeric features, rows), NaN where missing.
        codes: Per categorical feature, (rows,): index into its categories, -1 where
            the value is missing or not among them.
        sizes: Per categorical feature, how many categories there are.
        target: (rows,).
    """

    numeric: Floats
    codes: tuple[Codes, ...]
    sizes: tuple[int, ...]
    target: Mask


def width(features: Sequence[Feature]) -> int:
    """Return how many columns the design has."""
    return sum(
        1 if f.categories is None else len(f.categories)
        for f in features
        if f.kind == "numeric" or f.categories is not None
    )


def design(raw: RawColumns, chosen: Mask, means: Floats, scales: Floats) -> Design:
    """Return the prepared rows: standardised numbers, then one-hot columns.

    A category that is missing or unknown gives zeros, as scikit-learn's
    `OneHotEncoder(handle_unknown="ignore")` does.
    """
    rows = int(chosen.sum())
    numbers = len(means)
    x = np.empty((numbers + sum(raw.sizes), rows))
    x[numbers:] = 0.0
    end = 0
    for values in blocks(raw.numeric, chosen):
        begin, end = end, end + values.shape[1]
        block = np.subtract(values, means[:, None], out=x[:numbers, begin:end])
        block /= scales[:, None]
        if np.isnan(block.sum()):
            np.nan_to_num(block, copy=False, nan=0.0, posinf=np.inf, neginf=-np.inf)
    begin = numbers
    for codes, size in zip(raw.codes, raw.sizes, strict=True):
        picked = codes[chosen]
        known = np.flatnonzero(picked >= 0)
        x[begin + picked[known], known] = 1.0
        begin += size
    return Design(x=x, y=raw.target[chosen].astype(np.float64))
