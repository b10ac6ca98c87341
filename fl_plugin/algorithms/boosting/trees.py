"""Finished trees as plain arrays, and back as scikit-learn's `TreePredictor`s.

All trees stand behind one another, each in the order in which scikit-learn numbers
nodes: a node, its left side, its right side. Prediction follows child indexes without
looking; so arrays are checked completely before a predictor is made of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.algorithms.boosting.compiled import (
    BITSET_WORDS,
    PREDICTOR_RECORD_DTYPE,
    TreePredictor,
)
from fl_plugin.algorithms.boosting.growth import Tree
from fl_plugin.algorithms.boosting.layout import layout_of
from fl_plugin.algorithms.boosting.splitting import Node
from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays

MOST_TREES = 1 << 16
MOST_NODES = 1 << 24
WORD = 32
# Columns of `nodes` and of `numbers`.
LEFT, RIGHT, COLUMN, BINS, MISSING_LEFT, MEMBERS, DEPTH, ROWS = range(8)
VALUE, GAIN = range(2)
NO = -1  # no child, no column, no set of bins
KINDS = {
    "sizes": (np.int64, ()),
    "nodes": (np.int64, (8,)),
    "numbers": (np.float64, (2,)),
    "members": (np.int64, (BITSET_WORDS,)),
}


def flat(tree: Tree, rate: float) -> dict[str, Array]:
    """Return a finished tree: `nodes` (n, 8), `numbers` (n, 2), `members` (m, 8).

    Leaves carry their value times the learning rate, as scikit-learn's do.
    """
    kept = tree.kept()
    full = len(kept) + 1 == tree.shape.leaves
    # scikit-learn does not look for splits of the last two leaves.
    unlooked = set(kept[-1].children or ()) if full else set()
    nodes: list[list[int]] = []
    numbers: list[list[float]] = []
    members: list[Array] = []
    stack: list[tuple[Node, int, int]] = [(tree.root, NO, NO)]
    splits = set(kept)
    while stack:
        node, parent, side = stack.pop()
        if parent != NO:
            nodes[parent][side] = len(nodes)
        inner = node in splits
        gain = NO if node in unlooked else node.gain
        numbers.append([node.value * (1.0 if inner else rate), gain])
        nodes.append(_row(node, inner=inner, sets=len(members)))
        if inner and node.split is not None and node.children is not None:
            if node.split.members is not None:
                members.append(node.split.members.astype(np.int64))
            left, right = node.children
            here = len(nodes) - 1
            stack += [(right, here, RIGHT), (left, here, LEFT)]
    return {
        "nodes": np.array(nodes, dtype=np.int64),
        "numbers": np.array(numbers, dtype=np.float64),
        "members": np.array(members, dtype=np.int64).reshape(-1, BITSET_WORDS),
    }


def _row(node: Node, *, inner: bool, sets: int) -> list[int]:
    split = node.split
    if not inner or split is None:
        return [NO, NO, NO, 0, 0, NO, node.depth, node.rows]
    at = NO if split.members is None else sets
    left = int(split.missing_left)
    return [NO, NO, split.column, split.bins, left, at, node.depth, node.rows]


def joined(trees: Sequence[Arrays]) -> dict[str, Array]:
    """Return many trees behind one another, with `sizes` (trees,): nodes of each."""
    parts = {
        name: [tree[name] for tree in trees] for name in ("nodes", "numbers", "members")
    }
    shapes = {"nodes": 8, "numbers": 2, "members": BITSET_WORDS}
    return {
        "sizes": np.array([len(nodes) for nodes in parts["nodes"]], dtype=np.int64),
        **{
            name: np.concatenate(arrays).reshape(-1, shapes[name])
            for name, arrays in parts.items()
        },
    }


def predictors(model: Arrays, columns: Sequence[DesignColumn]) -> list[TreePredictor]:
    """Return scikit-learn's predictors.

    Raises:
        MessageError: The arrays are not whole trees over these columns.
    """
    for name, (kind, shape) in KINDS.items():
        array = model.get(name)
        right = (
            array is not None and array.dtype == kind and array.ndim == 1 + len(shape)
        )
        if array is None or not right or array.shape[1:] != shape:
            raise malformed(name)
    sizes = model["sizes"]
    if len(sizes) > MOST_TREES or len(model["nodes"]) > MOST_NODES:
        raise malformed("sizes")
    if not (sizes >= 1).all() or int(sizes.sum()) != len(model["nodes"]):
        raise malformed("sizes")
    checked = _Checked(model, columns)
    return list(checked.predictors())


@dataclass(frozen=True)
class _Checked:
    """Trees that are checked as a whole, then cut apart."""

    model: Arrays
    columns: Sequence[DesignColumn]

    def predictors(self) -> Iterator[TreePredictor]:
        """Yield one predictor per tree."""
        self._check_fields()
        self._check_links()
        records = self._records()
        ends = np.cumsum(self.model["sizes"])
        sets = np.cumsum(self.model["nodes"][:, MEMBERS] >= 0)
        begin = used = 0
        for end in ends.tolist():
            until = int(sets[end - 1])
            binned = self.model["members"][used:until].astype(np.uint32)
            raw = binned & self._known(self.model["nodes"][begin:end])
            yield TreePredictor(records[begin:end].copy(), binned, raw)
            begin, used = end, until

    def _known(self, nodes: Array) -> Array:
        """Return, per set of bins, the bins of its column that hold categories."""
        words = _filled(layout_of(self.columns).bins)
        known: Array = words[nodes[nodes[:, MEMBERS] >= 0, COLUMN]]
        return known

    def _check_fields(self) -> None:
        nodes, layout = self.model["nodes"], layout_of(self.columns)
        if not (np.abs(self.model["numbers"]) <= np.finfo(np.float64).max).all():
            raise malformed("numbers")
        inner = nodes[:, LEFT] != NO
        split = nodes[inner]
        column = split[:, COLUMN]
        if not ((column >= 0) & (column < layout.columns)).all():
            raise malformed("nodes")
        categorical = layout.categorical[column]
        members = self.model["members"]
        right = [
            (nodes[~inner][:, [RIGHT, COLUMN, MEMBERS]] == NO).all(),
            (nodes[~inner][:, [BINS, MISSING_LEFT]] == 0).all(),
            ((split[:, BINS] >= 0) & (split[:, BINS] < layout.bins[column])).all(),
            np.isin(split[:, MISSING_LEFT], (0, 1)).all(),
            ((split[:, MEMBERS] >= 0) == categorical).all(),
            ((nodes[:, ROWS] >= 0) & (nodes[:, ROWS] < 1 << WORD)).all(),
            int(categorical.sum()) == len(members),
            ((members >= 0) & (members < 1 << WORD)).all(),
        ]
        if not all(right):
            raise malformed("nodes")

    def _check_links(self) -> None:
        """A left child is the next node; a right one is later; all have one parent."""
        nodes, sizes = self.model["nodes"], self.model["sizes"]
        place = np.arange(len(nodes))
        begins = np.repeat(np.cumsum(sizes) - sizes, sizes)
        inner = nodes[:, LEFT] != NO
        left, right = (nodes[inner, side] for side in (LEFT, RIGHT))
        own = (place - begins)[inner]
        size = np.repeat(sizes, sizes)[inner]
        if not ((left == own + 1) & (right > left) & (right < size)).all():
            raise malformed("nodes")
        children = np.concatenate([left, right]) + np.tile(begins[inner], 2)
        expected = np.setdiff1d(place, begins)
        if not np.array_equal(np.sort(children), expected):
            raise malformed("nodes")
        depth = nodes[:, DEPTH]
        parents = np.tile(place[inner], 2)
        deeper = (depth[children] == depth[parents] + 1).all()
        sets = nodes[nodes[:, MEMBERS] >= 0]
        in_order = self._places_of_sets()
        if not (deeper and (depth[begins] == 0).all()):
            raise malformed("nodes")
        if not np.array_equal(sets[:, MEMBERS], in_order):
            raise malformed("nodes")

    def _places_of_sets(self) -> Array:
        """Return, per node with a set, its place among its tree's sets."""
        nodes, sizes = self.model["nodes"], self.model["sizes"]
        has = nodes[:, MEMBERS] >= 0
        before: Array = np.cumsum(has) - has
        begins = np.cumsum(sizes) - sizes
        places: Array = before - np.repeat(before[begins], sizes)
        return places[has]

    def _records(self) -> Array:
        nodes, numbers = self.model["nodes"], self.model["numbers"]
        inner = nodes[:, LEFT] != NO
        records = np.zeros(len(nodes), dtype=PREDICTOR_RECORD_DTYPE)
        records["value"], records["gain"] = numbers[:, VALUE], numbers[:, GAIN]
        records["count"], records["depth"] = nodes[:, ROWS], nodes[:, DEPTH]
        records["is_leaf"] = ~inner
        split = nodes[inner]
        for name, column in (
            ("left", LEFT),
            ("right", RIGHT),
            ("feature_idx", COLUMN),
            ("bin_threshold", BINS),
            ("missing_go_to_left", MISSING_LEFT),
        ):
            records[name][inner] = split[:, column]
        records["is_categorical"][inner] = split[:, MEMBERS] >= 0
        records["bitset_idx"][inner] = np.maximum(split[:, MEMBERS], 0)
        records["num_threshold"][inner] = self._thresholds(split)
        return records

    def _thresholds(self, split: Array) -> Array:
        """Return the raw value up to which rows go left: infinite for the last bin."""
        layout = layout_of(self.columns)
        edges = np.full((layout.columns, int(layout.bins.max(initial=1))), np.inf)
        for j, column in enumerate(self.columns):
            if column.categorical:
                edges[j] = 0.0  # scikit-learn leaves it so: the set decides
            elif column.edges is not None:
                edges[j, : len(column.edges)] = column.edges
        return edges[split[:, COLUMN], split[:, BINS]]


def arrays_of(trees: Sequence[TreePredictor]) -> dict[str, Array]:
    """Return the arrays that `predictors` makes these predictors from."""
    return joined([_flat_of(tree) for tree in trees])


def _flat_of(tree: TreePredictor) -> dict[str, Array]:
    records = tree.nodes
    inner = records["is_leaf"] == 0
    nodes = np.zeros((len(records), 8), dtype=np.int64)
    for column, name, absent in (
        (LEFT, "left", NO),
        (RIGHT, "right", NO),
        (COLUMN, "feature_idx", NO),
        (BINS, "bin_threshold", 0),
        (MISSING_LEFT, "missing_go_to_left", 0),
    ):
        nodes[:, column] = np.where(inner, records[name].astype(np.int64), absent)
    in_set = inner & (records["is_categorical"] == 1)
    nodes[:, MEMBERS] = np.where(in_set, records["bitset_idx"].astype(np.int64), NO)
    nodes[:, DEPTH], nodes[:, ROWS] = records["depth"], records["count"]
    return {
        "nodes": nodes,
        "numbers": np.column_stack([records["value"], records["gain"]]),
        "members": tree.binned_left_cat_bitsets.astype(np.int64),
    }


def _filled(bins: Array) -> Array:
    """Return per column the (8,) words whose first `bins` bits are set."""
    bits = np.arange(BITSET_WORDS * WORD) < bins[:, None]
    words = np.packbits(bits, axis=1, bitorder="little").view("<u4")
    return words.astype(np.uint32)


def malformed(name: str) -> MessageError:
    """Return the error for arrays that are no trees."""
    return MessageError(
        f"A model's array {name} is missing, misshapen or out of range.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
