"""Columns that a feature adds to a design: its categories, and that it is missing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Category
from fl_plugin.preparation.edges import quartiles
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.preparation.spread import robust_scales

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """How a categorical feature's codes become places of a design.

    Args:
        name: The feature.
        categories: All of them.
        places: (categories + 1,): place of each code among the outputs; the last entry
            is that of a missing or unknown value (code -1), itself -1 where it has
            none.
        infrequent: Codes of the categories that share the last place.
        splits: Per place, whether some training rows take it, but not all; true where
            they were not counted.
    """

    name: str
    categories: tuple[Category, ...]
    places: Counts
    infrequent: tuple[int, ...]
    splits: tuple[bool, ...]

    @classmethod
    def of(
        cls, feature: Feature, counts: Counts | None, rows: int, recipe: Recipe
    ) -> "Vocabulary":
        """Return scikit-learn's places: the frequent in order, then the rest in one."""
        categories = feature.categories or ()
        rare = np.zeros(len(categories), dtype=np.bool_)
        if recipe.min_count is not None and counts is not None:
            rare = counts < recipe.min_count
        places = np.cumsum(~rare) - 1
        places[rare] = last = int((~rare).sum())
        # A one-hot encoder takes what it does not know for infrequent, if it can.
        unknown = last if rare.any() and recipe.categorical == "onehot" else -1
        places = np.append(places, unknown)
        splits = [True] * (int(places[:-1].max()) + 1)
        if counts is not None:
            each = np.append(counts, rows - counts.sum())
            taken = np.bincount(places + 1, weights=each, minlength=len(splits) + 1)
            splits = ((taken > 0) & (taken < rows))[1:].tolist()
        return cls(
            name=feature.name,
            categories=categories,
            places=places.astype(np.int64),
            infrequent=tuple(np.flatnonzero(rare).tolist()),
            splits=tuple(splits),
        )

    @property
    def width(self) -> int:
        """How many places there are."""
        return len(self.splits)

    def names(self) -> list[str]:
        """Return a name for each place."""
        names = [
            f"{self.name} = {category}"
            for code, category in enumerate(self.categories)
            if code not in self.infrequent
        ]
        return names + [f"{self.name} = (infrequent)"] * bool(self.infrequent)


@dataclass(frozen=True)
class Indicator:
    """A column that says that a numeric feature is missing, scaled as numbers are.

    Args:
        number: Index of the numeric feature.
        center: Subtracted from 0 or 1.
        scale: Divided by then.
    """

    number: int
    center: float
    scale: float

    @property
    def values(self) -> tuple[float, float]:
        """What the column holds where the value is there, and where it is missing."""
        return (0.0 - self.center) / self.scale, (1.0 - self.center) / self.scale


def indicators(present: Counts, rows: int, recipe: Recipe) -> tuple[Indicator, ...]:
    """Return one for each feature that is missing somewhere, as scikit-learn does."""
    if not recipe.indicators:
        return ()
    found = np.flatnonzero(present < rows).tolist()
    return tuple(_indicator(i, int(present[i]), rows, recipe.numeric) for i in found)


def _indicator(number: int, present: int, rows: int, numeric: str) -> Indicator:
    share = (rows - present) / rows
    if numeric == "standard":
        return Indicator(number, share, float(np.sqrt(share * (1.0 - share))))
    if numeric == "robust":
        # Order statistics of so many zeros and then ones.
        middle = ((rows + 1) // 2 > present) / 2 + (rows // 2 + 1 > present) / 2
        low, high = quartiles(lambda ranks: (ranks > present).astype(np.float64), rows)
        scale = robust_scales(np.array([low]), np.array([high]))
        return Indicator(number, float(middle), float(scale[0]))
    return Indicator(number, 0.0, 1.0)
