"""What the coordinator asks the parties while trees grow, and the check of it.

One kind of question serves all: first splits are applied, then the values of finished
trees are added to the predictions, then new trees are begun, then histograms are
summed. An opponent may have written a question, and compiled code reads what it names:
`read` lets through only indexes that exist and numbers that are finite.
"""

from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.boosting.compiled import BITSET_WORDS, MISSING_BIN
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays

MOST_NODES = 1 << 20  # of one tree
MOST_WANTED = 1 << 12  # histograms in one answer
MOST_NUMBERS = 1 << 26  # in one answer
FINEST = 100  # bits of the grid after the binary point, and before it
LARGEST_SUM = 2**62
LARGEST_VALUE = 1e100
# Columns of `splits`.
TREE, NODE, LEFT, RIGHT, COLUMN, BINS, MISSING_LEFT = range(7)


def _none(*shape: int, kind: type = np.int64) -> Array:
    return np.zeros((0, *shape), dtype=kind)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question.

    Args:
        opens: Whether it is the first one, which only asks how many rows there are.
        splits: Per split: tree, node, its two children, column, last bin that goes
            left, whether missing values go left.
        members: Per split the (8,) words of a categorical column's bins that go left.
        leaves: Per leaf of the finished trees: tree, node.
        values: Per leaf what is added to the predictions of its rows.
        start: Predictions before the first tree, (trees,); else empty.
        plants: Whether new trees begin.
        grid: Bits after the binary point of gradients and of hessians, (2,).
        bounds: Largest sums of a bin's gradients, hessians and counts on the grid.
        wanted: Per histogram: tree, node.
        scores: Whether loss and squared gradients are asked for.
    """

    opens: bool = False
    splits: Array = field(default_factory=lambda: _none(7))
    members: Array = field(default_factory=lambda: _none(BITSET_WORDS))
    leaves: Array = field(default_factory=lambda: _none(2))
    values: Array = field(default_factory=lambda: _none(kind=np.float64))
    start: Array = field(default_factory=lambda: _none(kind=np.float64))
    plants: bool = False
    grid: Array = field(default_factory=lambda: np.zeros(2, dtype=np.int64))
    bounds: Array = field(default_factory=lambda: np.ones(3, dtype=np.int64))
    wanted: Array = field(default_factory=lambda: _none(2))
    scores: bool = False

    def arrays(self) -> dict[str, Array]:
        """Return the question as it is sent."""
        return {
            "flags": np.array([self.opens, self.plants, self.scores], dtype=np.int64),
            **{name: getattr(self, name) for name in SHAPES},
        }


# Name: (type, shape; None where any length goes).
SHAPES: dict[str, tuple[type, tuple[int | None, ...]]] = {
    "splits": (np.int64, (None, 7)),
    "members": (np.int64, (None, BITSET_WORDS)),
    "leaves": (np.int64, (None, 2)),
    "values": (np.float64, (None,)),
    "start": (np.float64, (None,)),
    "grid": (np.int64, (2,)),
    "bounds": (np.int64, (3,)),
    "wanted": (np.int64, (None, 2)),
}


def read(question: Arrays, layout: Layout, trees: int) -> Asked:
    """Return a question whose every index exists.

    Which nodes there are only the party's worker knows: it checks them.

    Raises:
        MessageError: The question is not one of ours.
    """
    if set(question) != {"flags", *SHAPES}:
        raise malformed("flags")
    _require(_fits(question["flags"], np.int64, (3,)), "flags")
    flags = question["flags"].tolist()
    _require(all(flag in {0, 1} for flag in flags), "flags")
    for name, (kind, shape) in SHAPES.items():
        _require(_fits(question[name], kind, shape), name)
    asked = Asked(
        opens=bool(flags[0]),
        plants=bool(flags[1]),
        scores=bool(flags[2]),
        **{name: question[name] for name in SHAPES},
    )
    _check_splits(asked, layout, trees)
    _check_leaves(asked, trees)
    _check_sums(asked, layout, trees)
    return asked


def _check_splits(asked: Asked, layout: Layout, trees: int) -> None:
    splits, members = asked.splits, asked.members
    _require(len(splits) == len(members) <= MOST_NODES, "splits")
    if not len(splits):
        return
    ends = (trees, MOST_NODES, MOST_NODES, MOST_NODES, layout.columns, MISSING_BIN, 2)
    _within(splits, np.array(ends, dtype=np.uint64), "splits")
    _within(splits[:, BINS], layout.bins[splits[:, COLUMN]], "splits")
    # Children are new nodes, next to one another.
    _require(bool((splits[:, RIGHT] == splits[:, LEFT] + 1).all()), "splits")
    _within(members, 1 << 32, "members")


def _check_leaves(asked: Asked, trees: int) -> None:
    _require(len(asked.leaves) == len(asked.values) <= trees * MOST_NODES, "leaves")
    _require(len(asked.start) in {0, trees}, "start")
    if len(asked.leaves):
        _within(asked.leaves, np.array((trees, MOST_NODES), dtype=np.uint64), "leaves")
        _finite(asked.values, "values")
    if len(asked.start):
        _finite(asked.start, "start")


def _check_sums(asked: Asked, layout: Layout, trees: int) -> None:
    _require(all(-FINEST <= e <= FINEST for e in asked.grid.tolist()), "grid")
    _require(all(1 <= b <= LARGEST_SUM for b in asked.bounds.tolist()), "bounds")
    _require(len(asked.wanted) <= MOST_WANTED, "wanted")
    _require(len(asked.wanted) * layout.size <= MOST_NUMBERS, "wanted")
    if len(asked.wanted):
        _within(asked.wanted, np.array((trees, MOST_NODES), dtype=np.uint64), "wanted")


def _fits(array: Array, kind: type, shape: tuple[int | None, ...]) -> bool:
    if array.dtype != kind or array.ndim != len(shape):
        return False
    # Only the first axis may be of any length.
    return array.shape[1:] == shape[1:] and shape[0] in {None, len(array)}


def _within(numbers: Array, end: int | Array, name: str) -> None:
    # A negative number is huge without its sign.
    _require(bool((numbers.view(np.uint64) < end).all()), name)


def _finite(numbers: Array, name: str) -> None:
    _require(bool((np.abs(numbers) <= LARGEST_VALUE).all()), name)  # NaN fails too


def _require(right: bool | np.bool_, name: str) -> None:  # noqa: FBT001 - an assertion
    if not right:
        raise malformed(name)


def malformed(name: str) -> MessageError:
    """Return the error for an array that no coordinator of ours sends."""
    return MessageError(
        f"A question's array {name} is missing, misshapen or out of range.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
