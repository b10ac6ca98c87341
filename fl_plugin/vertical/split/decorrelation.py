"""Distance correlation of what a domain sends with what it holds, and its derivative.

Vepakomma et al. (2020), "NoPeek: Information leakage reduction to share activations in
distributed deep learning" (arXiv:2008.09161): a term of the loss of each bottom net.
"""

import numpy as np

from fl_plugin.summand import Floats
from fl_plugin.vertical.split.layers import Coded

_SMALLEST = 1e-12


def row_distances(x: Floats, coded: Coded) -> Floats:
    """Return (rows, rows) distances of rows of a block; codes differ or do not."""
    squares = _squares(x[:, list(coded.numbers)])
    for place, _ in coded.codes:
        squares += 2.0 * (x[:, place][:, None] != x[:, place][None])
    return np.asarray(np.sqrt(squares))


def distance_correlation(apart: Floats, sent: Floats) -> tuple[float, Floats]:
    """Return the squared distance correlation and its slope by `sent`.

    Args:
        apart: (rows, rows) distances of the rows that are held.
        sent: (rows, units) activations.
    """
    rows = len(sent)
    between = np.sqrt(_squares(sent))
    held, given = _centred(apart), _centred(between)
    own = max(float(np.square(held).mean()), _SMALLEST)
    spread = max(float(np.square(given).mean()), _SMALLEST)
    root = np.sqrt(own * spread)
    value = float((held * given).mean() / root)
    by_distance = (held / root - value * given / spread) / rows**2
    share = by_distance / np.maximum(between, _SMALLEST)
    np.fill_diagonal(share, 0.0)
    slope = 2.0 * (share.sum(axis=1)[:, None] * sent - share @ sent)
    return value, np.asarray(slope)


def _squares(x: Floats) -> Floats:
    own = np.square(x).sum(axis=1)
    squares = np.maximum(own[:, None] + own[None] - 2.0 * (x @ x.T), 0.0)
    np.fill_diagonal(squares, 0.0)
    return np.asarray(squares)


def _centred(distances: Floats) -> Floats:
    means = distances.mean(axis=0)
    return np.asarray(distances - means[:, None] - means[None] + means.mean())
