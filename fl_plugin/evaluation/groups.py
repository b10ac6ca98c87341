"""Figures by group of a protected column, and what must not be shown of them.

A group of few rows is suppressed. A single suppressed group could be had by taking
the others from the whole, which is public; so further groups go with it until at
least two are suppressed that together are no small cell either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.interval import Interval

Codes = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """One group; None where too few rows stand behind a figure.

    Args:
        share: Of all rows; None for a group that is suppressed as a whole.
        figures: By name.
        intervals: By figure, its 95 % interval for another sample.
        classes: With several classes, the figures of each class against the rest.
    """

    share: float | None
    figures: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    classes: tuple[Mapping[str, float | None], ...] = ()


@dataclass(frozen=True, kw_only=True)
class GroupTable:
    """The groups of one protected column.

    Args:
        rows: One for each category, in order; then, if there are any, the rows whose
            category is not known, for which `unknown` is set.
        figures: Greatest differences between the groups shown, unknown ones apart;
            None where fewer than two are shown.
        unknown: Whether the last of `rows` is about rows of no known category.
    """

    rows: tuple[GroupRow, ...]
    figures: Mapping[str, float | None]
    unknown: bool = False

    @property
    def suppressed(self) -> int:
        """How many groups are not shown at all."""
        return sum(row.share is None for row in self.rows)


def slots(codes: Codes, size: int, rows: int) -> Codes:
    """Return the place of each row's group; unknown ones come last, at `size`.

    Raises:
        TrainingError: There is not one code for each row, or a code is out of range.
    """
    fits = codes.shape == (rows,) and codes.dtype == np.int64
    if not fits or (rows and not -1 <= codes.min() <= codes.max() < size):
        raise TrainingError(
            "The codes of a protected column do not belong to the rows.",
            remedy="Give one code below the column's number of categories for each "
            "row, -1 where it is unknown.",
        )
    return np.where(codes < 0, size, codes)


def slots_of(groups: Sequence[Codes], sizes: Sequence[int], rows: int) -> list[Codes]:
    """Return the places of the rows' groups for each protected column.

    Raises:
        TrainingError: There are not as many columns as agreed, or a code is wrong.
    """
    if len(groups) != len(sizes):
        raise TrainingError(
            "The protected columns are not those of the evaluation.",
            remedy="Give the codes of every protected column, in order.",
        )
    return [slots(c, size, rows) for c, size in zip(groups, sizes, strict=True)]


def hidden(cells: Counts, min_cell: int, also: Mask | None = None) -> Mask:
    """Return which groups must not be spoken of.

    Args:
        cells: (groups, cells): how many rows stand in each cell of each group. The
            sums over the groups are taken to be public.
        min_cell: Fewer rows than this in any cell hide its group; 1 hides none.
        also: Groups that are hidden whatever their cells hold.
    """
    smallest = cells.min(axis=1)
    found: Mask = smallest < (min_cell if min_cell > 1 else 0)
    if also is not None:
        found |= also
    while found.any() and not found.all():
        safe = (cells[found].sum(axis=0) >= min_cell).all()
        if safe and np.count_nonzero(found) > 1:
            break
        visible = np.where(found, np.iinfo(np.int64).max, smallest)
        found[int(visible.argmin())] = True
    return found


def kept(rows: Counts) -> int:
    """Return how many groups a table has: the last, unknown, only if it has rows."""
    return rows.size if rows[-1] else rows.size - 1


def spread_of(values: Sequence[float | None]) -> float | None:
    """Return greatest less least of the known values; None for fewer than two."""
    known = [v for v in values if v is not None]
    return max(known) - min(known) if len(known) > 1 else None


def least_over_greatest(values: Sequence[float | None]) -> float | None:
    """Return least over greatest of the known values; None where it is undefined."""
    known = [v for v in values if v is not None]
    return min(known) / max(known) if len(known) > 1 and max(known) > 0 else None
