"""Medians, quartiles and bin edges, from order statistics.

Exact ones are, bit for bit, those of scikit-learn on the pooled rows: `np.median`,
`np.percentile` (linear) and `_BinMapper` without its subsample. The arithmetic below
follows numpy's own, operation by operation.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._hist_gradient_boosting.common import ALMOST_INF

from fl_plugin.preparation.keys import keys_of, values_of
from fl_plugin.preparation.quantiles import Leaves, Wanted
from fl_plugin.summand import Floats

Counts = npt.NDArray[np.int64]


def median_ranks(rows: int) -> Counts:
    """Return the ranks of the middle value, or of the middle two."""
    return np.unique(np.array([(rows + 1) // 2, rows // 2 + 1], dtype=np.int64))


def median(leaves: Leaves, rows: int) -> float:
    """Return the median."""
    return float(leaves.at(median_ranks(rows)).mean())


def quartile_ranks(rows: int) -> Counts:
    """Return the ranks between which the quartiles lie."""
    places = np.floor(_quartile_places(rows)).astype(np.int64)
    return np.unique(np.minimum(np.concatenate([places, places + 1]) + 1, rows))


def quartiles(at: Callable[[Counts], Floats], rows: int) -> tuple[float, float]:
    """Return the lower and the upper quartile, interpolated linearly.

    Args:
        at: Order statistics by rank.
        rows: Values in all.
    """
    places = _quartile_places(rows)
    below = np.floor(places).astype(np.int64)
    low, high = at(below + 1), at(np.minimum(below + 2, rows))
    lower, upper = _between(low, high, places - below).tolist()
    return lower, upper


def edge_ranks(rows: int, bins: int) -> Counts:
    """Return the ranks that the edges between equally full bins are made of."""
    below, above, _ = _edge_places(rows, bins)
    return np.unique(np.concatenate([below, above]))


def exact_edges(
    leaves: Leaves, rows: int, bins: int, scale: tuple[float, float]
) -> Floats:
    """Return scikit-learn's edges of the values (v - center) / scale.

    Midpoints of distinct values where they are few, else percentiles.
    """
    center, divisor = scale
    if leaves.complete:
        distinct = np.unique((values_of(leaves.highs) - center) / divisor)
        edges = np.array([distinct[:-1], distinct[1:]]).T.mean(axis=1)
    else:
        below, above, shares = _edge_places(rows, bins)
        low = (leaves.at(below) - center) / divisor
        high = (leaves.at(above) - center) / divisor
        edges = _between(low, high, shares)
    edges = np.unique(edges)
    return np.asarray(np.minimum(edges, ALMOST_INF)) + 0.0


def anonymous_edges(leaves: Leaves, wanted: Wanted, bins: int, least: int) -> Floats:
    """Return edges that are no row's value, with `least` rows between any two.

    An edge lies in the middle of the gap between two cells where both are known, else
    on the border above a cell.

    Args:
        leaves: What the search for the ranks of `edge_ranks` found.
        wanted: What was searched for.
        bins: Largest number of bins.
        least: Rows that a bin must hold, filled ones not counted.
    """
    if leaves.complete:
        upper, lower = values_of(leaves.highs[:-1]), values_of(leaves.lows[1:])
        middle = upper / 2.0 + lower / 2.0
        edges = np.where(middle < lower, middle, upper)  # neighbours have no middle
        places = np.arange(len(edges))
    else:
        below, _, _ = _edge_places(wanted.rows, bins)
        places = np.unique(np.searchsorted(leaves.before, below, side="left") - 1)
        edges = values_of(leaves.highs[places])
    filled = wanted.filled * (keys_of(np.array([wanted.fill])) <= leaves.highs[places])
    upto = leaves.before[places] + leaves.rows[places] - filled
    return edges[_far_apart(upto, wanted.rows - wanted.filled, least)]


def _far_apart(upto: Counts, total: int, least: int) -> list[int]:
    """Return which edges to keep so that every bin holds at least `least` rows."""
    kept: list[int] = []
    last = 0
    for place, rows in enumerate(upto.tolist()):
        if rows - last >= least and total - rows >= least:
            kept.append(place)
            last = rows
    return kept


def _quartile_places(rows: int) -> Floats:
    return (rows - 1) * np.array([0.25, 0.75])


def _edge_places(rows: int, bins: int) -> tuple[Counts, Counts, Floats]:
    """Return ranks below and above each edge, and the share of the way between.

    numpy's `averaged_inverted_cdf`: a value of the data, or the middle of two.
    """
    percentiles = np.linspace(0, 100, num=bins + 1)[1:-1]
    places = rows * (percentiles / 100.0) - 1.0
    below = np.floor(places)
    whole = places == below
    low = np.where(whole, below, below + 1).astype(np.int64) + 1
    high = below.astype(np.int64) + 2
    low, high = np.clip(low, 1, rows), np.clip(high, 1, rows)
    return low, high, np.where(whole, 0.5, 1.0)


def _between(low: Floats, high: Floats, shares: Floats) -> Floats:
    """Return numpy's linear interpolation, which counts from the nearer end."""
    away = high - low
    near_high = high - away * (1.0 - shares)
    return np.asarray(np.where(shares >= 0.5, near_high, low + away * shares))  # noqa: PLR2004
