"""One tree, grown at the coordinator from summed histograms, best split first.

The result is the tree that scikit-learn's `TreeGrower` makes: the same heap, the same
order of pushes, the same stopping rules (Shi 2007, "Best-first decision tree
learning"). But each histogram costs a round, so `ahead` growth asks for many at once:
it plays the heap forward with a guess of what unseen nodes will be worth, and expands
every known node that gets its turn in this play. When the play meets no unknown node,
it is scikit-learn's own, and what was expanded in vain is left out of the tree. The
guess decides only how much is asked in vain, never what the tree is.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fl_plugin.algorithms.boosting.compiled import rest
from fl_plugin.algorithms.boosting.splitting import Finder, Node
from fl_plugin.summand import Array

# An unseen node is taken to be worth this share of its parent's gain. Measured: see
# docs/algorithms/hist_gradient_boosting_classifier.md.
GUESS = 0.8


@dataclass(eq=False, slots=True)
class _Unseen:
    """A child of a node that is not expanded yet, with a guessed gain."""

    gain: float

    def __lt__(self, other: "Node | _Unseen") -> bool:
        """Scikit-learn's order of the heap: the largest gain first."""
        return self.gain > other.gain


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a tree may get.

    Args:
        leaves: At most so many.
        depth: At most so many splits above a leaf; 0 for no limit.
        smallest_leaf: Fewest rows of a leaf.
        ahead: Whether to expand several nodes in a round.
    """

    leaves: int
    depth: int
    smallest_leaf: int
    ahead: bool


@dataclass
class Growth:
    """What one round does to a tree.

    Args:
        splits: Nodes to split, parents before children.
        wanted: Nodes whose histograms are needed.
    """

    splits: list[Node] = field(default_factory=list)
    wanted: list[Node] = field(default_factory=list)


class Tree:
    """A tree that grows.

    Args:
        finder: Finds the best split of a node.
        shape: How large it may get.
        histogram: Of the root, (columns, 256) HISTOGRAM_DTYPE.
    """

    def __init__(self, finder: Finder, shape: Shape, histogram: Array) -> None:
        self._finder = finder
        self.shape = shape
        self._next = 1
        self._waiting: list[tuple[Node, Node, Node]] = []
        self.root = _root(histogram, constant=finder.constant_hessian)
        self._look(self.root)

    def grow(self) -> Growth:
        """Return the next splits, and what must be known before the ones after them."""
        growth = Growth()
        while not growth.wanted:
            due = self._due()
            if not due:
                break
            for node, last in due:
                growth.splits.append(node)
                smaller = self._expand(node, last=last)
                if smaller is not None:
                    growth.wanted.append(smaller)
        return growth

    def learn(self, histograms: Sequence[Array]) -> None:
        """Take the histograms of the nodes that `grow` wanted, in that order."""
        for (parent, smaller, larger), known in zip(
            self._waiting, histograms, strict=True
        ):
            smaller.histogram = known
            if parent.histogram is not None:
                larger.histogram = rest(parent.histogram, known)
            parent.histogram = None
            self._look(smaller)
            self._look(larger)
        self._waiting = []

    def kept(self) -> tuple[Node, ...]:
        """Return the nodes that are split in the finished tree, in that order."""
        return tuple(node for node, _ in self._play(0.0) if isinstance(node, Node))

    def _due(self) -> list[tuple[Node, bool]]:
        """Return the nodes to expand now, and whether their children stay leaves."""
        unknown = []
        for node, leaves in self._play(GUESS if self.shape.ahead else 0.0):
            if isinstance(node, Node) and node.children is None:
                unknown.append((node, leaves == self.shape.leaves))
                if not self.shape.ahead:
                    break
        if len(unknown) == 1:
            return unknown
        # The children of the first may push the last out of its turn.
        return [(node, False) for node, _ in unknown]

    def _play(self, guess: float) -> Iterator[tuple[Node | _Unseen, int]]:
        """Yield nodes in the order of their splits, with the leaves there are then."""
        heap = [_in_heap(self.root)] if self.root.split else []
        leaves = 1
        while heap and leaves < self.shape.leaves:
            _, node = heapq.heappop(heap)
            leaves += 1
            yield node, leaves
            for child in _children(node, guess):
                heapq.heappush(heap, _in_heap(child))

    def _expand(self, node: Node, *, last: bool) -> Node | None:
        """Give a node its children; return the one whose histogram is needed."""
        left, right = self._finder.children(node, self._next)
        self._next += 2
        node.children = (left, right)
        deep = left.depth == self.shape.depth
        few = max(left.rows, right.rows) < 2 * self.shape.smallest_leaf
        if last or deep or few:
            node.histogram = None
            return None
        pair = (left, right) if left.rows < right.rows else (right, left)
        self._waiting.append((node, *pair))
        return pair[0]

    def _look(self, node: Node) -> None:
        if node.rows >= 2 * self.shape.smallest_leaf and node.histogram is not None:
            node.split = self._finder.find(node, node.histogram)
        if node.split is None:
            node.histogram = None  # a leaf's is never needed again


def _root(histogram: Array, *, constant: bool) -> Node:
    first = histogram[0]
    rows = int(first["count"].sum())
    hessian = float(rows) if constant else float(first["sum_hessians"].sum())
    gradient = float(first["sum_gradients"].sum())
    return Node(0, 0, rows, gradient, hessian, 0.0, histogram=histogram)


def _in_heap(node: Node | _Unseen) -> tuple[float, Node | _Unseen]:
    """Return what sorts as the node does: numbers alone are compared faster."""
    return -node.gain, node


def _children(node: Node | _Unseen, guess: float) -> list[Node | _Unseen]:
    if isinstance(node, Node) and node.children is not None:
        return [child for child in node.children if child.split is not None]
    return [_Unseen(guess * node.gain)] * 2 if guess else []
