"""A party's own columns, brought to even size in directions that only it knows.

Columns are centred and multiplied by T, where T T' is the inverse of

    (h X'X + penalty) / rows,

the curvature of the party's own coefficients for rows of curvature h, and T's
directions are turned at random. The fit then goes on in coordinates v with w = T v.
That has two uses. Newton-like steps need no second derivatives of a party's own
columns. And whoever sees v, and sums over rows of products with these columns, cannot
tell what a single column, a rare category's for instance, has to do with it. Columns
that repeat one another leave the curvature singular: T T' is then its pseudo-inverse.
"""

import os
from dataclasses import dataclass

import numpy as np

from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Floats

NULL = 1e-10  # of the largest eigenvalue: columns that vary less repeat one another
_SEED = 32  # bytes


@dataclass(frozen=True)
class Columns:
    """A party's columns for a fit.

    Args:
        x: Turned columns, then a constant one at the label party: (size, rows).
        turn: T, (columns, columns).
        mean: Of the columns as they were, (columns,).
        penalty: Gradient of the penalty by v is this times v: (size, size).
    """

    x: Floats
    turn: Floats
    mean: Floats
    penalty: Floats

    @classmethod
    def of(
        cls,
        x: Floats,
        curvature: float,
        penalty: float,
        *,
        constant: bool,
        source: RandomBytes = os.urandom,
    ) -> "Columns":
        """Return the columns turned.

        Args:
            x: (columns, rows).
            curvature: h, about that of a row's loss.
            penalty: Weight of half the squared coefficients beside the rows' losses.
            constant: Whether a column of ones follows, which is not penalised.
            source: Where the directions are drawn from.
        """
        width, rows = x.shape
        mean = x.mean(axis=1)
        centred = x - mean[:, None]
        bent = (curvature * (centred @ centred.T) + penalty * np.eye(width)) / rows
        turn = _turn(bent, source)
        size = width + int(constant)
        made = np.ones((size, rows))
        made[:width] = turn.T @ centred
        weight = np.zeros((size, size))
        weight[:width, :width] = penalty * (turn.T @ turn)
        if constant:
            made[-1] /= np.sqrt(curvature)
        return cls(x=made, turn=turn, mean=mean, penalty=weight)

    @property
    def size(self) -> int:
        """How many coefficients the party has in a fit."""
        return len(self.x)

    def coefficients(self, point: Floats) -> Floats:
        """Return the coefficients of the columns as they were, (columns,)."""
        return np.asarray(self.turn @ point[: len(self.mean)])


def _turn(bent: Floats, source: RandomBytes) -> Floats:
    """Return T; it is 0 in directions that the rows do not decide on.

    The search begins at 0 and so never leaves the others: of all coefficients that fit
    alike the shortest are found, as scikit-learn finds them.
    """
    values, vectors = np.linalg.eigh(bent)
    known = values > NULL * max(values.max(initial=0.0), np.finfo(float).tiny)
    scales = np.where(known, 1.0 / np.sqrt(np.where(known, values, 1.0)), 0.0)
    draws = np.random.default_rng(int.from_bytes(source(_SEED)))
    turned, upper = np.linalg.qr(draws.normal(size=bent.shape))
    return np.asarray((vectors * scales) @ turned * np.sign(np.diag(upper)))
