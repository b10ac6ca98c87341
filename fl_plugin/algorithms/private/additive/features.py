"""Features as cells that no row has chosen, and cells as bins.

A numeric column lies within -1 to 1 (its contract's bounds) and is cut into 255 cells
of equal width; the one-hot columns of a categorical feature are one cell each, and one
for none of them. Bins are runs of cells; noisy counts decide which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.errors import ContractError
from fl_plugin.summand import Array, Floats

CELLS = 255
COARSE = 8  # bins of a feature within a pair
_HALF = 128  # cells on either side of 0; the last two are one
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of the study.

    Args:
        columns: Its columns of the design.
    """

    columns: tuple[int, ...]

    @property
    def numeric(self) -> bool:
        """Whether its cells have an order."""
        return len(self.columns) == 1

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return CELLS if self.numeric else len(self.columns) + 1


def features_of(columns: Sequence[DesignColumn]) -> tuple[Feature, ...]:
    """Return the features that a matrix design's columns come from, in order.

    Raises:
        ContractError: A feature has too many categories, or must be monotonic.
    """
    found = []
    for name, places in groupby(range(len(columns)), lambda j: columns[j].feature):
        feature = Feature(columns=tuple(places))
        if feature.cells > CELLS or any(columns[j].monotonic for j in feature.columns):
            raise ContractError(
                f"{name} has more than {CELLS - 1} categories, or is to be monotonic, "
                "which private boosting does not offer.",
                remedy="Group its rare categories; remove `monotonic` in the study.",
            )
        found.append(feature)
    return tuple(found)


def codes_of(features: Sequence[Feature], x: Floats) -> Codes:
    """Return each row's cell of each feature, (features, rows).

    Multiplying by a power of two is exact, so a cell depends on its value alone.
    """
    codes = np.empty((len(features), x.shape[1]), dtype=np.uint8)
    for feature, row in zip(features, codes, strict=True):
        values = x[list(feature.columns)]
        if feature.numeric:
            inside = np.clip(np.nan_to_num(values[0]), -1.0, 1.0)
            row[:] = np.minimum(np.floor(inside * _HALF) + _HALF, CELLS - 1)
        else:
            held = values > 0.5  # noqa: PLR2004 - between 0 and 1
            row[:] = np.where(held.any(axis=0), held.argmax(axis=0), len(values))
    return codes


def edged(columns: Sequence[DesignColumn]) -> tuple[DesignColumn, ...]:
    """Return the columns with the cells' edges, as a tree's thresholds need them."""
    features = features_of(columns)
    numeric = {f.columns[0] for f in features if f.numeric}
    # A value on an edge belongs to the cell above; a tree sends it left up to `edge`.
    cells = np.nextafter((np.arange(1, CELLS) - _HALF) / _HALF, -np.inf)
    half = np.array([0.5])
    return tuple(
        replace(
            column,
            categorical=False,
            edges=cells if j in numeric else half,
            bins=CELLS if j in numeric else 2,
        )
        for j, column in enumerate(columns)
    )


def bins_of(features: Sequence[Feature], counts: Floats, bins: int) -> Array:
    """Return the bin of each cell, (features, 255): about equally many rows in each.

    Args:
        features: In order.
        counts: (features, 255), noisy: below 0 where there are hardly any rows.
        bins: Of a numeric feature, at most.
    """
    places = np.tile(np.arange(CELLS), (len(features), 1))
    for j, feature in enumerate(features):
        if feature.numeric:
            places[j] = _even(counts[j], bins)
        else:
            places[j] = np.minimum(places[j], feature.cells - 1)
    return places


def coarse_of(features: Sequence[Feature], places: Array, bins: int) -> Array:
    """Return the bin of each cell within a pair, (features, 255), below 8."""
    coarse = places * COARSE // bins
    for j, feature in enumerate(features):
        if not feature.numeric:
            coarse[j] = places[j]
    return np.asarray(np.minimum(coarse, COARSE - 1))


def _even(counts: Floats, bins: int) -> Array:
    kept = np.maximum(counts, 0.0)
    total = float(kept.sum())
    if total <= 0.0:
        kept, total = np.ones(CELLS), float(CELLS)
    share = (np.cumsum(kept) - kept / 2.0) / total
    return np.minimum((share * bins).astype(np.int64), bins - 1)
