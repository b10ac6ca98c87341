"""Finished trees, taken apart: shape and values stay here, splits go to owners."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.boosting import trees
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.boosting.table import Places, Splits
from fl_plugin.vertical.boosting.turns import array_of

LEFT, RIGHT, OWNER, SPLIT = range(4)
LEAF = -1


def apart(
    model: Arrays, places: Places, task: VerticalTask
) -> tuple[dict[str, Array], dict[str, Splits]]:
    """Return the label party's arrays of a model, and the splits of every party.

    Args:
        model: As `boosting.boost` returns it, over the columns of all parties.
        places: Whose columns are where.
        task: Of the fit.
    """
    nodes = model["nodes"]
    shape = np.full((len(nodes), 4), LEAF, dtype=np.int64)
    shape[:, [LEFT, RIGHT]] = nodes[:, [trees.LEFT, trees.RIGHT]]
    numbers: dict[str, list[list[int]]] = {p: [] for p in task.parties}
    members: dict[str, list[Array]] = {p: [] for p in task.parties}
    none = np.zeros(model["members"].shape[1], dtype=np.int64)
    used = 0
    for at in np.flatnonzero(nodes[:, trees.LEFT] != trees.NO).tolist():
        node = nodes[at]
        party, local = places.owner(int(node[trees.COLUMN]))
        in_set = int(node[trees.MEMBERS] != trees.NO)
        shape[at, [OWNER, SPLIT]] = task.parties.index(party), len(numbers[party])
        last, missing = int(node[trees.BINS]), int(node[trees.MISSING_LEFT])
        numbers[party].append([local, last, missing, in_set])
        # Sets stand in the order of the nodes that they belong to.
        members[party].append(model["members"][used] if in_set else none)
        used += in_set
    splits = {
        p: Splits(
            np.array(numbers[p], dtype=np.int64).reshape(-1, 4),
            np.array(members[p], dtype=np.int64).reshape(-1, len(none)),
        )
        for p in task.parties
    }
    own = {
        "sizes": model["sizes"],
        "shape": shape,
        "values": model["numbers"][:, trees.VALUE].copy(),
        "start": model["start"],
    }
    return own, splits


@dataclass(frozen=True)
class Trees:
    """Trees whose splits are elsewhere.

    Args:
        sizes: Nodes of each tree.
        shape: Per node its left and right side, the party that splits it and the
            party's number of that split; (nodes, 4), LEAF where there is none.
        values: What a leaf adds, (nodes,).
        start: Prediction before the first tree, (trees of an iteration,).
    """

    sizes: Array
    shape: Array
    values: Floats
    start: Floats

    @classmethod
    def of(cls, part: Arrays, task: VerticalTask, loss: Loss) -> "Trees":
        """Return the trees of a label party's part.

        Raises:
            MessageError: It holds none.
        """
        sizes = array_of(part, "sizes", np.int64, (None,))
        if not (sizes > 0).all() or len(sizes) % loss.trees:
            raise malformed("sizes")
        count = int(sizes.sum())
        shape = array_of(part, "shape", np.int64, (count, 4))
        inner = shape[:, LEFT] != LEAF
        sides = shape[inner][:, [LEFT, RIGHT]]
        limits = np.repeat(sizes, sizes)[inner]
        places = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        # Sides come later, so that following them ends.
        if not ((sides > places[inner, None]) & (sides < limits[:, None])).all():
            raise malformed("shape")
        owners = shape[inner, OWNER]
        if not ((owners >= 0) & (owners < len(task.parties))).all():
            raise malformed("shape")
        if not (shape[inner, SPLIT] >= 0).all():
            raise malformed("shape")
        values = checked(part, "values", (count,))
        return cls(sizes, shape, values, checked(part, "start", (loss.trees,)))

    def needed(self, task: VerticalTask) -> dict[str, int]:
        """Return how many splits each party must have."""
        return {
            party: int(self.shape[self.shape[:, OWNER] == i, SPLIT].max(initial=-1)) + 1
            for i, party in enumerate(task.parties)
        }

    def raw(self, left: Mapping[int, Array], rows: int) -> Floats:
        """Return predictions before the link, (rows, trees of an iteration).

        Args:
            left: Per party's place, its splits' rows that go left as packed bits:
                (splits, bytes).
            rows: How many.
        """
        several = len(self.start)
        found = np.tile(self.start, (rows, 1)).astype(np.float64)
        begin = 0
        for i, size in enumerate(self.sizes.tolist()):
            self._add(found[:, i % several], begin, size, left)
            begin += size
        return found

    def _add(
        self, raw: Floats, begin: int, size: int, left: Mapping[int, Array]
    ) -> None:
        inside: dict[int, Array] = {0: np.arange(len(raw))}
        for node in range(size):
            rows = inside.pop(node)
            sides = self.shape[begin + node]
            if sides[LEFT] == LEAF:
                raw[rows] += self.values[begin + node]
                continue
            bits = left[int(sides[OWNER])][sides[SPLIT]]
            goes = (bits[rows >> 3] >> (rows & 7).astype(np.uint8) & 1).astype(bool)
            inside[int(sides[LEFT])] = rows[goes]
            inside[int(sides[RIGHT])] = rows[~goes]
