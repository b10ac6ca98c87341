"""scikit-learn's fitted forests around finished trees, and back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import NODE_DTYPE, Tree

from fl_plugin.algorithms.base import Block, DesignColumn, Task
from fl_plugin.algorithms.boosting.compiled import (
    BITSET_WORDS,
    MISSING_BIN,
    TreePredictor,
)
from fl_plugin.algorithms.boosting.trees import (
    BINS,
    COLUMN,
    DEPTH,
    LEFT,
    MISSING_LEFT,
    NO,
    RIGHT,
    ROWS,
    malformed,
    predictors,
)
from fl_plugin.summand import Array, Arrays, Floats

UNDEFINED = -2  # scikit-learn's column and threshold of a leaf
COPIES, IMPURITY = range(2)  # columns of `numbers`


def fitted(model: Arrays, task: Task, options: dict[str, Any]) -> Any:
    """Return the forest; it takes raw values, NaN for missing, codes of categories.

    Args:
        model: Arrays of `forest.grow`.
        task: What it was learned for.
        options: Of scikit-learn's estimator.

    Raises:
        MessageError: The arrays are not such a model.
    """
    classes = classes_of(task)
    _checked(model, task)
    trees = [_tree(part, task, classes) for part in _parts(model)]
    facts: dict[str, Any] = {"n_features_in_": task.width, "n_outputs_": 1}
    one: Any = DecisionTreeClassifier if classes else DecisionTreeRegressor
    whole: Any = RandomForestClassifier if classes else RandomForestRegressor
    if classes:
        facts["n_classes_"] = classes
    forest = whole(n_estimators=len(trees), random_state=task.seed, **options)
    forest.__dict__.update(facts)
    kept = {name: options[name] for name in ("min_samples_leaf", "max_depth")}
    forest.estimator_ = one()
    forest.estimators_ = []
    for tree in trees:
        single = one(max_features=options["max_features"], **kept)
        single.__dict__.update(facts | {"tree_": tree, "max_features_": task.width})
        if classes:
            single.classes_ = np.arange(classes, dtype=np.float64)
        forest.estimators_.append(single)
    if classes:
        forest.classes_ = np.array(task.target.classes)
    return forest


def arrays_from(estimator: Any) -> dict[str, Array]:
    """Return the arrays that `fitted` makes this forest from."""
    parts = [_arrays(single.tree_) for single in estimator.estimators_]
    return {
        "sizes": np.array([len(part["nodes"]) for part in parts], dtype=np.int64),
        **{
            name: np.concatenate([part[name] for part in parts])
            for name in ("nodes", "numbers", "values", "thresholds")
        },
    }


def predicted(model: Arrays, task: Task, block: Block) -> Floats:
    """Return predictions for binned rows, as the forest gives for raw ones.

    Raises:
        MessageError: The arrays are not such a model, or the rows are not binned.
    """
    if block.x.dtype != np.uint8 or block.x.shape[0] != task.width:
        raise malformed("x")
    x = np.ascontiguousarray(block.x.T)
    by_class = _checked(model, task)
    means = np.empty((block.rows, len(by_class)))
    for k, trees in enumerate(by_class):
        total = np.zeros(block.rows)
        for tree in trees:
            total += tree.predict_binned(x, MISSING_BIN, 1)
        means[:, k] = total / len(trees)
    if task.target.kind == "multiclass":
        return means
    return means[:, -1].copy()


def classes_of(task: Task) -> int:
    """Return how many classes there are; 0 for a number."""
    several = task.target.kind in {"binary", "multiclass"}
    return len(task.target.classes) if several else 0


def thresholds_of(nodes: Array, columns: Sequence[DesignColumn]) -> Floats:
    """Return the raw value up to which rows go left, (nodes,); -2 of a leaf.

    scikit-learn's forests compare float32 values with float64 thresholds: an edge whose
    float32 is larger is replaced by that, so a value on an edge stays on its side. The
    threshold is infinite where all but missing values go left.
    """
    found = np.full(len(nodes), float(UNDEFINED))
    split = nodes[:, LEFT] != NO
    found[split] = _edges(columns)[nodes[split, COLUMN], nodes[split, BINS]]
    return found


def _edges(columns: Sequence[DesignColumn]) -> Floats:
    most = max((c.bins for c in columns), default=1)
    edges = np.full((len(columns), max(most, 1)), np.inf)
    for j, column in enumerate(columns):
        between = np.arange(max(column.bins - 1, 0)) + 0.5  # codes of categories
        known = between if column.edges is None else column.edges
        edges[j, : len(known)] = np.maximum(known, np.asarray(known, dtype=np.float32))
    return edges


def _with_bins(model: Arrays, task: Task) -> Array:
    """Return the nodes with the bins that their thresholds are the edges of.

    Raises:
        MessageError: A threshold is no edge of its column.
    """
    nodes, thresholds = model["nodes"].copy(), model["thresholds"]
    inner = np.flatnonzero(nodes[:, LEFT] != NO)
    columns = nodes[inner, COLUMN]
    if not ((columns >= 0) & (columns < task.width)).all():
        raise malformed("nodes")
    edges = _edges(task.columns)
    for column in np.unique(columns):
        at = inner[columns == column]
        bins = np.searchsorted(edges[column], thresholds[at])
        bins = np.minimum(bins, edges.shape[1] - 1)
        if not np.array_equal(edges[column][bins], thresholds[at]):
            raise malformed("thresholds")
        nodes[at, BINS] = bins
    return nodes


def _checked(model: Arrays, task: Task) -> list[list[TreePredictor]]:
    """Return predictors for each class, made of arrays that are whole trees.

    Raises:
        MessageError: They are not.
    """
    nodes, sizes = model.get("nodes"), model.get("sizes")
    if nodes is None or nodes.dtype != np.int64 or nodes.shape[1:] != (8,):
        raise malformed("nodes")
    if sizes is None or sizes.size == 0:
        raise malformed("sizes")
    several = max(classes_of(task), 1)
    for name, shape in (("values", (several,)), ("numbers", (2,)), ("thresholds", ())):
        array = model.get(name)
        if array is None or array.dtype != np.float64:
            raise malformed(name)
        if array.shape != (len(nodes), *shape) or np.isnan(array).any():
            raise malformed(name)
    values, numbers = model["values"], model["numbers"]
    nodes = _with_bins(model, task)
    largest = np.finfo(np.float64).max
    if not ((np.abs(numbers) <= largest).all() and (numbers >= 0).all()):
        raise malformed("numbers")
    # Categories are numbers here.
    columns = [replace(c, categorical=False, edges=None) for c in task.columns]
    numeric = [replace(c, edges=np.zeros(max(c.bins - 1, 0))) for c in columns]
    none = np.zeros((0, BITSET_WORDS), dtype=np.int64)
    shared = {"sizes": sizes, "nodes": nodes, "members": none}
    zeros = np.zeros(len(nodes))
    return [
        predictors(
            {**shared, "numbers": np.column_stack([values[:, k], zeros])}, numeric
        )
        for k in range(several)
    ]


def _parts(model: Arrays) -> list[dict[str, Array]]:
    ends = np.cumsum(model["sizes"])[:-1]
    names = ("nodes", "numbers", "values", "thresholds")
    cut = [np.split(model[name], ends) for name in names]
    return [dict(zip(names, of, strict=True)) for of in zip(*cut, strict=True)]


def _tree(part: Arrays, task: Task, classes: int) -> Tree:
    nodes, numbers = part["nodes"], part["numbers"]
    inner = nodes[:, LEFT] != NO
    records = np.zeros(len(nodes), dtype=NODE_DTYPE)
    records["left_child"], records["right_child"] = nodes[:, LEFT], nodes[:, RIGHT]
    records["feature"] = np.where(inner, nodes[:, COLUMN], UNDEFINED)
    records["threshold"] = part["thresholds"]
    records["impurity"] = numbers[:, IMPURITY]
    records["n_node_samples"] = nodes[:, ROWS]
    records["weighted_n_node_samples"] = numbers[:, COPIES]
    records["missing_go_to_left"] = nodes[:, MISSING_LEFT]
    tree = Tree(task.width, np.array([max(classes, 1)], dtype=np.intp), 1)
    tree.__setstate__(
        {
            "max_depth": int(nodes[:, DEPTH].max()),
            "node_count": len(nodes),
            "nodes": records,
            "values": np.ascontiguousarray(part["values"][:, None, :]),
        }
    )
    return tree


def _arrays(tree: Tree) -> dict[str, Array]:
    records = tree.__getstate__()["nodes"]
    inner = records["left_child"] != NO
    nodes = np.full((len(records), 8), NO, dtype=np.int64)
    nodes[:, LEFT], nodes[:, RIGHT] = records["left_child"], records["right_child"]
    nodes[inner, COLUMN] = records["feature"][inner]
    nodes[:, MISSING_LEFT] = np.where(inner, records["missing_go_to_left"], 0)
    nodes[:, ROWS] = records["n_node_samples"]
    nodes[:, [BINS, DEPTH]] = 0
    for at in np.flatnonzero(inner):
        for side in (LEFT, RIGHT):
            nodes[nodes[at, side], DEPTH] = nodes[at, DEPTH] + 1
    return {
        "nodes": nodes,
        "numbers": np.column_stack(
            [records["weighted_n_node_samples"], records["impurity"]]
        ),
        "values": tree.value[:, 0, :].copy(),
        "thresholds": records["threshold"].copy(),
    }
