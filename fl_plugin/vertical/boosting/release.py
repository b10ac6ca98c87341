"""Bins as others know them: every one holds many rows, and nothing says what it is.

Sweeney (2002), "k-anonymity". Neighbouring bins of a column are joined until each has
`k` rows or none; rare categories are put together, and all get new numbers in random
order. Edges and names of categories stay.
"""

import os
from collections.abc import Sequence

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import MISSING_BIN, N_BINS
from fl_plugin.errors import TrainingError
from fl_plugin.privacy.randomness import RandomBytes, below
from fl_plugin.summand import Array


def identity(columns: int) -> Array:
    """Return the map that leaves every bin as it is, (columns, N_BINS) uint8."""
    return np.tile(np.arange(N_BINS, dtype=np.uint8), (columns, 1))


def maps_of(
    x: Array,
    columns: Sequence[DesignColumn],
    k: int,
    source: RandomBytes = os.urandom,
) -> Array:
    """Return what every bin is called outside, (columns, N_BINS) uint8.

    Args:
        x: Bins, (columns, rows).
        columns: Theirs.
        k: Fewest rows of a bin that anyone outside can tell from others.
        source: Where the numbers of categories are drawn from.

    Raises:
        TrainingError: There are fewer rows than that.
    """
    if x.shape[1] < k:
        raise TrainingError(
            f"Bins of {k} rows cannot be made of fewer rows.",
            remedy="Match more rows.",
        )
    maps = identity(len(columns))
    for row, values, column in zip(maps, x, columns, strict=True):
        counts = np.bincount(values, minlength=N_BINS)
        bins = max(column.bins, 1)
        inside = counts[:bins]
        groups = (
            _relabelled(inside, k, source) if column.categorical else _joined(inside, k)
        )
        row[:bins] = groups
        if 0 < counts[MISSING_BIN] < k or _scarce(counts, groups, k):
            row[MISSING_BIN] = _fullest(counts, groups)
            if _scarce_with(counts, groups, k):
                row[:] = 0
    return maps


def _sizes(counts: Array, groups: Array) -> Array:
    weights = counts[: len(groups)]
    return np.asarray(np.bincount(groups, weights=weights, minlength=N_BINS))


def _scarce(counts: Array, groups: Array, k: int) -> bool:
    """Whether some bin of values still has too few rows, for want of others."""
    sizes = _sizes(counts, groups)
    return bool(((sizes > 0) & (sizes < k)).any())


def _scarce_with(counts: Array, groups: Array, k: int) -> bool:
    sizes = _sizes(counts, groups)
    sizes[_fullest(counts, groups)] += counts[MISSING_BIN]
    return bool(((sizes > 0) & (sizes < k)).any())


def _fullest(counts: Array, groups: Array) -> int:
    return int(_sizes(counts, groups).argmax())


def _joined(counts: Array, k: int) -> Array:
    """Return the group of each bin: neighbours, each of k rows or none."""
    groups = np.zeros(len(counts), dtype=np.int64)
    group, size, last = 0, int(counts[0]), 0
    for i, count in enumerate(counts[1:].tolist(), start=1):
        if size == 0 or size >= k:
            last = group if size else last
            group, size = group + 1, 0
        groups[i] = group
        size += count
    if 0 < size < k:  # the rest joins the last group that has rows
        groups[groups > last] = last
    return groups


def _relabelled(counts: Array, k: int, source: RandomBytes) -> Array:
    """Return a random number for each category, one for all rare ones together."""
    rare = counts < k
    if rare.any() and 0 < counts[rare].sum() < k and not rare.all():
        rare |= counts == counts[~rare].min()
    names: Array = np.cumsum(~rare) - 1
    names[rare] = names.max() + 1
    order = _shuffled(int(names.max()) + 1, source)
    return np.asarray(np.array(order)[names])


def _shuffled(size: int, source: RandomBytes) -> list[int]:
    """Return the numbers below a size, every order as likely (Fisher and Yates)."""
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = below(last + 1, source)
        order[last], order[other] = order[other], order[last]
    return order


def applied(maps: Array, x: Array) -> Array:
    """Return bins as they are called outside, (columns, rows) uint8."""
    found = [m[values] for m, values in zip(maps, x, strict=True)]
    return np.stack(found) if found else x


def released_columns(
    columns: Sequence[DesignColumn], maps: Array
) -> tuple[DesignColumn, ...]:
    """Return the columns with the bins that are left, without edges or names."""
    return tuple(
        DesignColumn(
            name=column.name,
            feature=column.feature,
            categorical=column.categorical,
            bins=int(row[: max(column.bins, 1)].max(initial=0)) + 1,
            monotonic=column.monotonic,
        )
        for column, row in zip(columns, maps, strict=True)
    )
