"""Where each bin of each column stands in the flat arrays that parties send.

Only the bins that a column has are sent, and one for missing values: a yes/no column
takes 3 numbers, not 256. The coordinator looks at categorical columns first, because
scikit-learn does so and the first of two equal splits wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import MISSING_BIN, N_BINS
from fl_plugin.errors import ContractError
from fl_plugin.summand import Array

Places = Array | slice


@dataclass(frozen=True)
class Layout:
    """Places of bins.

    Args:
        order: The design's columns in the order in which splits are looked for.
        bins: Of each design column, bins that hold values.
        categorical: Of each design column, whether bins have no order.
        monotonic: Of each design column, 1, -1 or 0.
        present: Of each place of a (columns, 256) histogram, whether it is sent; a
            slice where all are.
        size: How many bins all columns have.
    """

    order: Array
    bins: Array
    categorical: Array
    monotonic: Array
    present: Places
    size: int

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.order)

    @property
    def in_order(self) -> bool:
        """Whether splits are looked for in the design's own order of columns."""
        return bool((np.diff(self.order) > 0).all())

    @property
    def missing(self) -> Array:
        """Places of the columns' missing bins among the numbers sent."""
        return np.cumsum(self.bins + 1) - 1


def layout_of(columns: Sequence[DesignColumn]) -> Layout:
    """Return where the bins of these columns stand.

    Raises:
        ContractError: A column has too many bins, or an order that it cannot keep.
    """
    return _layout_of(_Same(columns))


@dataclass(frozen=True, eq=False)
class _Same:
    """Columns that equal themselves only: every question of a fit asks for them."""

    columns: Sequence[DesignColumn]

    def __hash__(self) -> int:
        return id(self.columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.columns is self.columns


@lru_cache(maxsize=8)
def _layout_of(same: _Same) -> Layout:
    columns = same.columns
    for column in columns:
        _check(column)
    categorical = np.array([c.categorical for c in columns], dtype=bool)
    bins = np.array([max(c.bins, 1) for c in columns], dtype=np.int64)
    order = np.argsort(~categorical, kind="stable")
    present = np.arange(N_BINS) < bins[:, None]
    present[:, MISSING_BIN] = True
    return Layout(
        order=order,
        bins=bins,
        categorical=categorical,
        monotonic=np.array([c.monotonic for c in columns], dtype=np.int64),
        present=slice(None) if present.all() else present.reshape(-1),
        size=int((bins + 1).sum()),
    )


def _check(column: DesignColumn) -> None:
    if not 0 <= column.bins <= MISSING_BIN:
        raise ContractError(
            f"Column {column.name} has more than {MISSING_BIN} bins.",
            remedy="Lower max_bins, or group the column's rare categories.",
        )
    if column.categorical and column.monotonic:
        raise ContractError(
            f"Column {column.name} has no order, so nothing can rise with it.",
            remedy="Remove `monotonic` from it in the study.",
        )
    edges = column.edges
    if not column.categorical and len(() if edges is None else edges) != max(
        column.bins - 1, 0
    ):
        raise ContractError(
            f"Column {column.name} has bins without edges.",
            remedy="Prepare the study's features as bins.",
        )
