"""What a private booster asks, as arrays; and the check of what was asked."""

from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.private.additive.features import CELLS, COARSE
from fl_plugin.summand import Array, Arrays, Floats

COUNT, MAINS, SCAN, BOTH = range(4)
MOST_PAIRS = 435  # 30 features with each other
FARTHEST = 64.0  # of one entry of a table, in log-odds


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question: the model so far, and what is to be summed.

    Args:
        kind: COUNT rows per cell, MAINS: residuals per bin of every feature, SCAN:
            residuals per cell of candidate pairs, BOTH: of features and chosen pairs.
        start: The model's intercept.
        mains: (features, 255), what each cell of each feature adds to the log-odds.
        places: (features, 255), the bin of each cell, below 255.
        coarse: (features, 255), its bin within a pair, below 8.
        pairs: (pairs, 2), two different features each.
        tables: (pairs, 64), what each bin of each pair adds.
    """

    kind: int
    start: float
    mains: Floats
    places: Array
    coarse: Array
    pairs: Array
    tables: Floats

    def arrays(self) -> dict[str, Array]:
        """Return what is sent."""
        return {
            "kind": np.array([self.kind], dtype=np.int64),
            "start": np.array([self.start]),
            "mains": self.mains,
            "places": self.places,
            "coarse": self.coarse,
            "pairs": self.pairs,
            "tables": self.tables,
        }


def read(question: Arrays, features: int) -> Asked:
    """Return the question; an opponent may have written it.

    Raises:
        MessageError: An array is missing, misshapen or out of range.
    """
    told = question.get("pairs")
    if told is None or told.ndim != 2 or len(told) > MOST_PAIRS:  # noqa: PLR2004
        raise malformed("pairs")
    pairs = _whole(question, "pairs", (len(told), 2), features)
    if (pairs[:, 0] == pairs[:, 1]).any():
        raise malformed("pairs")
    kind = int(_whole(question, "kind", (1,), BOTH + 1)[0])
    if kind in {SCAN, BOTH} and not len(pairs):
        raise malformed("pairs")
    return Asked(
        kind=kind,
        start=float(_near(question, "start", (1,))[0]),
        mains=_near(question, "mains", (features, CELLS)),
        places=_whole(question, "places", (features, CELLS), CELLS),
        coarse=_whole(question, "coarse", (features, CELLS), COARSE),
        pairs=pairs,
        tables=_near(question, "tables", (len(pairs), COARSE**2)),
    )


def _near(question: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    array = checked(question, name, shape)
    if np.abs(array).max(initial=0.0) > FARTHEST:
        raise malformed(name)
    return array


def _whole(question: Arrays, name: str, shape: tuple[int, ...], end: int) -> Array:
    array = question.get(name)
    if array is None or array.dtype != np.int64 or array.shape != shape:
        raise malformed(name)
    if array.size and not (array.min() >= 0 and array.max() < end):
        raise malformed(name)
    return array
