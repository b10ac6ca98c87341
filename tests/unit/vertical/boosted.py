"""scikit-learn's boosting on joined rows, and the same columns cut into parties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.summand import Array, Floats
from fl_plugin.vertical.base import Side, VerticalTask
from fl_plugin.vertical.boosting.table import Splits
from fl_plugin.vertical.vertical_boosting import VerticalBoosting
from tests.unit.algorithms.pooled_trees import binned, columns_of
from tests.vertical import Fit, fit_over, sides

LABEL = "bank"
CATEGORIES = 7
OPTIONS: dict[str, Any] = {"max_iter": 6, "max_leaf_nodes": 12, "max_bins": 24}
FEW_ROWS: dict[str, Any] = {"sums_per_row": 10.0}  # as tests have


@dataclass(frozen=True)
class Joined:
    """Rows, and who has which of their columns.

    Args:
        x: (rows, columns), NaN for missing, codes for categories.
        y: As a design has it.
        target: Its kind.
        owners: Columns of each party.
        categorical: Which columns are codes.
    """

    x: Floats
    y: Floats
    target: Target
    owners: Mapping[str, tuple[int, ...]]
    categorical: tuple[bool, ...]

    def pooled(self, **options: Any) -> Any:
        """Return scikit-learn's estimator, fitted."""
        told = {**OPTIONS, **options}
        given = {
            "early_stopping": False,
            "random_state": 0,
            "categorical_features": list(self.categorical)
            if any(self.categorical)
            else None,
            **{
                k: v
                for k, v in told.items()
                if k not in {"mode", "growth", "sums_per_row"}
            },
        }
        if self.target.kind in {"binary", "multiclass"}:
            return HistGradientBoostingClassifier(**given).fit(self.x, self.y)
        loss = "poisson" if self.target.kind == "count" else "squared_error"
        made = HistGradientBoostingRegressor(**{"loss": loss, **given})
        return made.fit(self.x, self.y)

    def task(self) -> VerticalTask:
        """Return what all sides know."""
        return VerticalTask(
            target=self.target,
            widths={p: len(at) for p, at in self.owners.items()},
            label_party=LABEL,
            rows=len(self.y),
        )

    def sides(self, reference: Any, *, labelled: bool = True) -> dict[str, Side]:
        """Return every party's own columns, binned as the estimator bins them."""
        columns = columns_of(reference, self.x.shape[1])
        bins = binned(self.x, columns)
        blocks, own = {}, {}
        for party, at in self.owners.items():
            y = self.y if labelled and party == LABEL else np.zeros(0)
            blocks[party] = Block(np.ascontiguousarray(bins[list(at)]), y)
            own[party] = tuple(columns[i] for i in at)
        return sides(blocks, own)


def made(kind: str = "binary", rows: int = 1_200, *, gaps: bool = True) -> Joined:
    """Return rows of three parties; one has categories, values are missing."""
    draws = np.random.default_rng(7)
    x = draws.normal(size=(rows, 6)).round(2)
    x[:, 3] = draws.integers(0, 7, rows)
    z = x[:, 0] - x[:, 2] * x[:, 4] + np.isin(x[:, 3], (1, 4, 5)) + 0.3 * x[:, 5]
    if gaps:
        x[draws.random(rows) < 0.2, 1] = np.nan
        x[draws.random(rows) < 0.1, 4] = np.nan
    noise = draws.normal(size=rows)
    y = {
        "binary": (z + noise > 0).astype(float),
        "multiclass": np.digitize(z + noise, (-1.0, 1.0)).astype(float),
        "regression": z + noise,
        "count": draws.poisson(np.exp(np.clip(z, -3, 2))).astype(float),
    }[kind]
    classes = {"binary": (False, True), "multiclass": ("a", "b", "c")}.get(kind, ())
    return Joined(
        x=x,
        y=y,
        target=Target(kind=kind, classes=classes),
        owners={"bank": (0, 1), "shop": (2, 3), "telco": (4, 5)},
        categorical=(False, False, False, True, False, False),
    )


def fitted(rows: Joined, reference: Any, **options: Any) -> Fit:
    """Fit over the parties."""
    told = {**OPTIONS, **FEW_ROWS, **options}
    return fit_over(VerticalBoosting(**told), rows.task(), rows.sides(reference))


def predictions(rows: Joined, reference: Any) -> Floats:
    """Return the estimator's, as `Algorithm.predict` returns them."""
    if rows.target.kind == "binary":
        return np.asarray(reference.predict_proba(rows.x)[:, 1])
    if rows.target.kind == "multiclass":
        return np.asarray(reference.predict_proba(rows.x))
    return np.asarray(reference.predict(rows.x))


def trees(rows: Joined, fit: Fit) -> list[Any]:
    """Return the trees put together again, comparable with `pooled_trees`."""
    task, label = rows.task(), fit.parts[LABEL]
    found, begin = [], 0
    for size in label["sizes"].tolist():
        nodes: list[tuple[Any, ...]] = []
        for left, right, owner, number in label["shape"][begin : begin + size]:
            if left < 0:
                nodes.append(())
                continue
            party = task.parties[owner]
            splits = Splits.of(fit.parts[party], task.widths[party])
            column, last, missing, in_set = splits.numbers[number].tolist()
            inside = fit.parts[party]["maps"][column]  # what bins are called outside
            goes: int | frozenset[int] = int(np.flatnonzero(inside[:255] <= last)[-1])
            if in_set:
                members = _set(splits.members[number])
                goes = frozenset(b for b in range(CATEGORIES) if inside[b] in members)
            at = rows.owners[party][column]
            nodes.append((at, goes, missing, int(left), int(right)))
        found.append(_nested(nodes, 0))
        begin += size
    return found


def pooled_trees(reference: Any) -> list[Any]:
    """Return scikit-learn's trees as `trees` does."""
    mask = reference.is_categorical_
    order = np.arange(reference.n_features_in_)
    if mask is not None:
        order = np.argsort(~mask, kind="stable")
    return [
        _nested([_node(tree, node, order) for node in tree.nodes], 0)
        for group in reference._predictors
        for tree in group
    ]


def _node(tree: Any, node: Any, order: Array) -> tuple[Any, ...]:
    if node["is_leaf"]:
        return ()
    goes: Any = int(node["bin_threshold"])
    if node["is_categorical"]:
        goes = _set(tree.binned_left_cat_bitsets[node["bitset_idx"]])
    sides = (int(node["left"]), int(node["right"]))
    column = int(order[node["feature_idx"]])
    return (column, goes, int(node["missing_go_to_left"]), *sides)


def _nested(nodes: list[tuple[Any, ...]], at: int) -> Any:
    """Return a tree as nested tuples.

    A set of categories and the one of all others gain the same: which of the two goes
    left is up to the last bit, so the side of category 0 is put first.
    """
    if not nodes[at]:
        return "leaf"
    column, goes, missing, left, right = nodes[at]
    sides = [_nested(nodes, left), _nested(nodes, right)]
    if isinstance(goes, frozenset) and 0 not in goes:
        goes, missing = frozenset(range(CATEGORIES)) - goes, 1 - missing
        sides.reverse()
    return (column, goes, missing, *sides)


def _set(words: Array) -> frozenset[int]:
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
    return frozenset(np.flatnonzero(bits[:255]).tolist())
