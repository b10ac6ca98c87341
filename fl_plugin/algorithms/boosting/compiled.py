"""scikit-learn's compiled tree code: the one place that imports what is private there.

`sklearn.ensemble._hist_gradient_boosting` may change with any minor release; the
project pins 1.9, and tests/conformance/test_private_sklearn.py says what moved once it
did. The compiled code checks no index: whatever comes from a message must have been
checked before it gets here (`questions.py`, `trees.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble._hist_gradient_boosting._gradient_boosting import (
    _update_raw_predictions,
)
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper as BinMapper
from sklearn.ensemble._hist_gradient_boosting.common import (
    HISTOGRAM_DTYPE,
    PREDICTOR_RECORD_DTYPE,
)
from sklearn.ensemble._hist_gradient_boosting.histogram import HistogramBuilder
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.ensemble._hist_gradient_boosting.splitting import SplitInfo, Splitter

from fl_plugin.summand import Array, Floats

__all__ = ["HISTOGRAM_DTYPE", "PREDICTOR_RECORD_DTYPE", "BinMapper", "TreePredictor"]

N_BINS = 256
MISSING_BIN = N_BINS - 1
BITSET_WORDS = 8  # a set of bins is 256 bits, in words of 32
SMALLEST_HESSIAN = 1e-3  # scikit-learn's min_hessian_to_split, no option there either

Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True)
class SplitRules:
    """What a split may be; one entry per column, in the order of the columns.

    Args:
        bins: Bins that hold values, (columns,).
        missing: Whether training rows miss the value, (columns,).
        categorical: Whether bins have no order, (columns,).
        monotonic: 1, -1 or 0, (columns,).
        l2: Weight of the penalty on leaf values.
        smallest_leaf: Fewest rows of a leaf.
        constant_hessian: Whether every row's second derivative is 1.
    """

    bins: Array
    missing: Array
    categorical: Array
    monotonic: Array
    l2: float
    smallest_leaf: int
    constant_hessian: bool

    def over(self, x: Array) -> Any:
        """Return scikit-learn's `Splitter` for binned rows, (rows, columns) F order."""
        return Splitter(
            X_binned=x,
            n_bins_non_missing=self.bins.astype(np.uint32),
            missing_values_bin_idx=MISSING_BIN,
            has_missing_values=self.missing.astype(np.uint8),
            is_categorical=self.categorical.astype(np.uint8),
            monotonic_cst=self.monotonic.astype(np.int8),
            l2_regularization=self.l2,
            min_hessian_to_split=SMALLEST_HESSIAN,
            min_samples_leaf=self.smallest_leaf,
            min_gain_to_split=0.0,
            hessians_are_constant=self.constant_hessian,
            feature_fraction_per_split=1.0,
            rng=np.random.default_rng(0),  # draws nothing at a fraction of 1
            n_threads=1,
        )


def split_of(column: int, bins: int, *, left: bool, members: Array | None) -> SplitInfo:
    """Return a split to route rows by; what is only for finding one stays empty.

    Args:
        column: Whose bins decide.
        bins: The last bin that goes left.
        left: Whether missing values go left.
        members: Of a categorical column, the (8,) words of bins that go left.
    """
    words = None if members is None else members.astype(np.uint32)
    return SplitInfo(
        *(1.0, column, bins, left, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0.0),
        words is not None,
        np.zeros(BITSET_WORDS, dtype=np.uint32) if words is None else words,
    )


class Partition:
    """Which of one party's rows lie in which node of one tree.

    Args:
        x: Binned rows, (rows, columns), F order.
        rules: For the splitter; only its columns count here.
    """

    def __init__(self, x: Array, rules: SplitRules) -> None:
        self._splitter = rules.over(x)
        # Taken once: numpy needs long to understand a view of compiled code.
        self._rows = np.asarray(self._splitter.partition)
        self._spans = {0: (0, len(x))}

    @property
    def nodes(self) -> frozenset[int]:
        """The nodes that are not split."""
        return frozenset(self._spans)

    def has(self, node: int) -> bool:
        """Whether there is such a node, not split."""
        return node in self._spans

    def keep(self, rows: Array) -> None:
        """Leave out all rows but these, before anything is split."""
        self._rows[: len(rows)] = rows
        self._spans = {0: (0, len(rows))}

    def rows(self, node: int) -> Indices:
        """Return the positions of a node's rows, a view."""
        begin, end = self._spans[node]
        return self._rows[begin:end]

    def split(self, node: int, children: tuple[int, int], split: SplitInfo) -> None:
        """Send a node's rows left or right."""
        begin, end = self._spans.pop(node)
        middle = begin
        if end > begin:  # the compiled code takes the address of the first row
            middle += self._splitter.split_indices(split, self._rows[begin:end])[2]
        self._spans[children[0]] = (begin, middle)
        self._spans[children[1]] = (middle, end)

    def add(self, values: Mapping[int, float], raw: Floats) -> None:
        """Add each node's value to the predictions of its rows, (rows,) contiguous."""
        leaves = [
            SimpleNamespace(partition_start=begin, partition_stop=end, value=value)
            for (begin, end), value in (
                (self._spans[node], value) for node, value in values.items()
            )
        ]
        tree = SimpleNamespace(splitter=self._splitter, finalized_leaves=leaves)
        _update_raw_predictions(raw, tree, 1)


class Sums:
    """Histograms of one tree's gradients.

    Args:
        x: Binned rows, (rows, columns), F order.
        gradients: (rows,) float32.
        hessians: (rows,) float32; None if all of them are 1.
    """

    def __init__(self, x: Array, gradients: Singles, hessians: Singles | None) -> None:
        ones = np.ones(1, dtype=np.float32)
        self._columns = x.shape[1]
        self._builder: Any = None
        if len(x):  # it cannot be made for no rows
            # The builder keeps copies of the gradients: it serves one tree only.
            self._builder = HistogramBuilder(
                x,
                N_BINS,
                gradients,
                ones if hessians is None else hessians,
                hessians is None,
                1,
            )

    def over(self, rows: Indices, columns: Array | None = None) -> Array:
        """Return the (columns * 256,) HISTOGRAM_DTYPE sums over these rows.

        Args:
            rows: Positions.
            columns: Sum these only, and leave anything in the others' places.
        """
        if self._builder is None:
            return np.zeros(self._columns * N_BINS, dtype=HISTOGRAM_DTYPE)
        only = None if columns is None else columns.astype(np.uint32)
        # The array behind the view: numpy takes 0.1 ms to understand the view itself.
        made = self._builder.compute_histograms_brute(rows, only).base
        return np.asarray(made).reshape(-1)


def rest(parent: Array, part: Array) -> Array:
    """Return parent - part, written over the parent's histogram, (columns, 256)."""
    for name in ("sum_gradients", "sum_hessians", "count"):
        parent[name] -= part[name]
    return parent
