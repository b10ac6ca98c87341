"""scikit-learn's boosting on pooled rows, and the same rows cut into parties."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Block, DesignColumn, Target, Task
from fl_plugin.summand import Array, Floats
from tests.federated import task_over

MISSING_BIN = 255
STRUCTURE = (
    "bin_threshold",
    "count",
    "depth",
    "is_categorical",
    "is_leaf",
    "left",
    "missing_go_to_left",
    "num_threshold",
    "right",
)


@dataclass(frozen=True)
class Pooled:
    """A fitted scikit-learn estimator with its rows, held by several parties.

    Args:
        reference: The estimator.
        x: Its rows, (rows, columns), NaN for missing, codes for categories.
        blocks: The same rows, binned as the estimator bins them, one per party.
        task: Over them.
    """

    reference: Any
    x: Floats
    blocks: tuple[Block, ...]
    task: Task


def columns_of(reference: Any, names: int) -> tuple[DesignColumn, ...]:
    """Return the estimator's bins in the order of the columns that it was given."""
    mapper = reference._bin_mapper
    categorical = reference.is_categorical_
    mask = np.zeros(names, dtype=bool) if categorical is None else categorical
    order = np.argsort(~mask, kind="stable").tolist()
    constraint = reference.monotonic_cst
    ways = np.zeros(names, dtype=int) if constraint is None else np.array(constraint)
    return tuple(
        DesignColumn(
            name=f"x{j}",
            feature=f"x{j}",
            categorical=bool(mask[j]),
            edges=None if mask[j] else mapper.bin_thresholds_[order.index(j)],
            bins=int(mapper.n_bins_non_missing_[order.index(j)]),
            monotonic=int(ways[j]),
        )
        for j in range(names)
    )


def binned(x: Floats, columns: tuple[DesignColumn, ...]) -> Array:
    """Return rows as bins, (columns, rows)."""
    bins = np.empty((x.shape[1], len(x)), dtype=np.uint8)
    for j, column in enumerate(columns):
        values = x[:, j]
        codes = (
            np.nan_to_num(values)
            if column.edges is None
            else np.searchsorted(column.edges, values, side="left")
        )
        bins[j] = np.where(np.isnan(values), MISSING_BIN, codes)
    return bins


def pooled(
    estimator: Any, x: Floats, y: Array, target: Target, parties: int = 3, **given: Any
) -> Pooled:
    """Fit the estimator to all rows; deal the rows, sorted by x0, to unequal parties.

    Args:
        estimator: Not fitted yet.
        x: Rows.
        y: Target, as the design has it.
        target: Its kind.
        parties: How many; the first gets the most rows.
        given: To the estimator's `fit`; `hashes` and `train` go to the parties.
    """
    hashes = given.pop("hashes", np.arange(len(y), dtype=np.uint64))
    train = given.pop("train", np.ones(len(y), dtype=bool))
    reference = estimator.fit(x[train], y[train], **given)
    columns = columns_of(reference, x.shape[1])
    bins = binned(x, columns)
    ends = (len(y) * np.linspace(0, 1, parties + 1)[1:-1] ** 0.7).astype(int)
    blocks = tuple(
        Block(np.ascontiguousarray(bins[:, at]), y[at].astype(float), hashes[at])
        for at in np.split(np.argsort(x[:, 0], kind="stable"), ends)
    )
    return Pooled(reference, x, blocks, task_over(blocks, target, columns=columns))


def structures(estimator: Any, names: int) -> list[dict[str, npt.NDArray[Any]]]:
    """Return what the trees are, apart from values: comparable with ==.

    Sets of categories, not of bins: the number of the missing bin depends on max_bins.
    """
    found = []
    for tree in (tree for group in estimator._predictors for tree in group):
        nodes = tree.nodes
        inner = nodes["is_leaf"] == 0
        mask = estimator._is_categorical_remapped
        columns = np.arange(names)
        if mask is not None and estimator._preprocessor is not None:
            columns = np.argsort(~estimator.is_categorical_, kind="stable")
        in_set = nodes["is_categorical"] == 1
        found.append(
            {name: nodes[name] for name in STRUCTURE}
            | {
                "column": np.where(inner, columns[nodes["feature_idx"]], -1),
                "raw": tree.raw_left_cat_bitsets[nodes["bitset_idx"][in_set]],
            }
        )
    return found


def unlike(reference: Any, estimator: Any, names: int) -> list[int]:
    """Return the numbers of the trees that differ in anything but values and gains."""
    pairs = zip(structures(reference, names), structures(estimator, names), strict=True)
    return [
        number
        for number, (one, other) in enumerate(pairs)
        if not all(np.array_equal(one[name], other[name]) for name in one)
    ]


def farthest(reference: Any, estimator: Any, field: str = "value") -> float:
    """Return the largest difference of a field of nodes between like trees."""
    return max(
        float(np.abs(one.nodes[field] - other.nodes[field]).max())
        for ours, theirs in zip(
            reference._predictors, estimator._predictors, strict=True
        )
        for one, other in zip(ours, theirs, strict=True)
    )
