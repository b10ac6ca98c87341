"""How a column's values are counted for drift, and how far two counts lie apart.

Where the bins lie comes from the contract: bounds, accepted values, truth values. A
number without bounds gets deciles, rounded to three digits so that no edge is a row's
value; free text is counted by hash. Such bins stay in the domain's ledger.

Drift is the population stability index, as credit scorecards use it (Siddiqi, 2006):
the sum over bins of (new - old) * ln(new / old), in shares.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.types import Column

BINS = 10
HASHED = 16
STABLE, MOVING = 0.1, 0.2  # below: nothing to see; watch it; above: drifted
Counts = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=100_000)]


class Bins(ContractBlock):
    """Where values are counted; whatever the kind, the last bin counts what is missing.

    Args:
        kind: `edges` has a bin below, between and above them; `values` one each and
            one for all others; `flags` false and true; `hashed` text by hash;
            `filled` only whether there is a value.
    """

    kind: Literal["edges", "values", "flags", "hashed", "filled"]
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    def counts(self, column: pa.ChunkedArray) -> tuple[int, ...]:
        """Return how many rows fall into each bin."""
        present = column.drop_null()
        codes, size = self._codes(present)
        found = np.bincount(codes, minlength=size)
        return (*(int(n) for n in found), len(column) - len(present))

    def _codes(self, column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], int]:
        if self.kind == "edges":
            return np.searchsorted(self.edges, numbers(column), "right"), (
                len(self.edges) + 1
            )
        if self.kind == "values":
            known = pa.array(self.values, type=pa.string())
            place = pc.index_in(column.cast(pa.string()), value_set=known)
            return _integers(place.fill_null(len(self.values))), len(self.values) + 1
        if self.kind == "flags":
            return _integers(column.cast(pa.bool_()).cast(pa.int64())), 2
        if self.kind == "hashed":
            return _hashed(column), HASHED
        return np.zeros(len(column), dtype=np.int64), 1


class Histogram(ContractBlock):
    """One column's rows by bin."""

    bins: Bins
    counts: Counts


def bins_for(column: Column, values: pa.ChunkedArray) -> Bins:
    """Return a column's bins: from its contract, else from its values."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return Bins(kind="flags")
    if column.accepted_values:
        return Bins(kind="values", values=tuple(dict.fromkeys(column.accepted_values)))
    if is_number(kind):
        bounds = column.contract.bounds
        edges = np.linspace(*bounds, BINS + 1).tolist() if bounds else _deciles(values)
        return Bins(kind="edges", edges=tuple(edges))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return Bins(kind="hashed")
    return Bins(kind="filled")


def stability(old: Sequence[int], new: Sequence[int], min_cohort: int) -> float | None:
    """Return the population stability index of two counts over the same bins.

    Bins that held fewer than `min_cohort` rows are joined with their neighbours, or
    chance alone would look like drift; what is missing is never joined with what is
    not. Half a row is added to every bin, so that an empty one stays finite.

    Returns:
        None where either side is too small to be spoken about, or the bins differ.
    """
    if len(old) != len(new) or min(sum(old), sum(new)) < min_cohort:
        return None
    pairs = _joined(list(zip(old[:-1], new[:-1], strict=True)), min_cohort)
    pairs.append((old[-1], new[-1]))
    return math.fsum(_apart(pairs, sum(old), sum(new)))


def verdict_of(index: float) -> Literal["stable", "moving", "drifted"]:
    """Return the index in a word; what is not a number has drifted."""
    if index < STABLE:
        return "stable"
    return "moving" if index < MOVING else "drifted"


def is_number(kind: Any) -> bool:
    """Return whether values of an Arrow type have an order and a distance."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
    )


def numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Return a column of numbers, dates (as days) or times (as microseconds)."""
    kind = column.type
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
    found = column.cast(pa.float64(), safe=False).to_numpy()
    found = np.asarray(found, dtype=np.float64)
    return np.where(np.isnan(found), np.inf, found)


def _deciles(values: pa.ChunkedArray) -> list[float]:
    found = numbers(values.drop_null())
    found = found[np.isfinite(found)]
    if not found.size:
        return []
    edges = np.quantile(found, np.linspace(0, 1, BINS + 1)[1:-1])
    return sorted({float(f"{edge:.3g}") for edge in edges})


def _hashed(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    texts = pc.dictionary_encode(column.combine_chunks().cast(pa.string()))
    bins = [
        hashlib.sha256((text or "").encode()).digest()[0] % HASHED
        for text in texts.dictionary.to_pylist()
    ]
    return np.asarray(bins or [0], dtype=np.int64)[_integers(texts.indices)]


def _integers(values: Any) -> npt.NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)


def _joined(pairs: Sequence[tuple[int, int]], min_cohort: int) -> list[tuple[int, int]]:
    """Join neighbours until each held enough rows; a small rest joins the last."""
    groups: list[tuple[int, int]] = []
    old = new = 0
    for before, now in pairs:
        old, new = old + before, new + now
        if old >= min_cohort:
            groups.append((old, new))
            old = new = 0
    if groups:
        last = groups.pop()
        return [*groups, (last[0] + old, last[1] + new)]
    return [(old, new)]


def _apart(
    pairs: Sequence[tuple[int, int]], old_rows: int, new_rows: int
) -> list[float]:
    half = len(pairs) / 2
    found = []
    for before, now in pairs:
        old = (before + 0.5) / (old_rows + half)
        new = (now + 0.5) / (new_rows + half)
        found.append((new - old) * math.log(new / old))
    return found
