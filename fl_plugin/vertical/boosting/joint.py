"""All rows at the label party while trees grow: answers to the horizontal loop.

`algorithms.boosting.boosting.boost` grows trees from summed histograms and does not
know where sums come from. Here one party has all gradients: its own columns it sums
itself, those of others come from `Peers`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fl_plugin.algorithms.boosting.answers import packing_for
from fl_plugin.algorithms.boosting.compiled import N_BINS, Sums
from fl_plugin.algorithms.boosting.grids import EXACT_BITS
from fl_plugin.algorithms.boosting.layout import Layout
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.boosting.questions import (
    BINS,
    COLUMN,
    MISSING_LEFT,
    Asked,
    read,
)
from fl_plugin.algorithms.boosting.splitting import FIELDS
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.boosting.parameters import MESSAGE_BITS
from fl_plugin.vertical.boosting.table import Places, Splits

Turns = Generator[Mapping[str, Arrays], Mapping[str, Arrays], "list[Array]"]
# The loop's grid holds sums of EXACT_BITS; ciphertexts hold fewer, with a sign.
COARSER = EXACT_BITS - (MESSAGE_BITS - 1)


class Peers(Protocol):
    """How sums and sides of rows come from other parties."""

    def sums(self, nodes: list["Numbers"]) -> Turns:
        """Return per node others' sums and counts, (kinds + 1, columns, N_BINS)."""

    def sides(self, asked: Mapping[str, tuple[Splits, list[Array]]]) -> Turns:
        """Return, per party and split in their order, which of its rows go left."""


@dataclass(frozen=True)
class Numbers:
    """What is to be summed over a node's rows.

    Args:
        rows: Which ones, (rows of the node,).
        kinds: Their numbers, (kinds, rows of the node) int64.
    """

    rows: Array
    kinds: Array

    @property
    def totals(self) -> Array:
        """Sums over all rows of the node, and how many there are: (kinds + 1,)."""
        return np.append(self.kinds.sum(axis=1), len(self.rows))


@dataclass
class Joint:
    """Rows in matched order.

    Args:
        places: Whose columns are where.
        layout: Of all columns.
        loss: What is minimised.
        party: The label party.
        x: Its own bins, (columns, rows) uint8.
        y: The target.
        counts: Rows of every bin of all columns, (columns, N_BINS).
        peers: The other parties.
    """

    places: Places
    layout: Layout
    loss: Loss
    party: str
    x: Array
    y: Floats
    counts: Array
    peers: Peers
    _nodes: list[dict[int, Array]] = field(default_factory=list)
    _sums: list[Sums | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make room for predictions and derivatives."""
        shape = (len(self.y), self.loss.trees)
        self._raw = np.zeros(shape, order="F")
        self._gradients = np.empty(shape, dtype=np.float32, order="F")
        self._hessians = np.ones(shape, dtype=np.float32, order="F")
        self._by_row = np.asfortranarray(self.x.T)

    def answer(
        self, question: Arrays
    ) -> Generator[Mapping[str, Arrays], Mapping[str, Arrays], Arrays]:
        """Apply what is told, return the sums that are asked for."""
        asked = read(question, self.layout, self.loss.trees)
        if asked.opens:
            return self._open()
        yield from self._split(asked)
        self._predict(asked)
        scores = {"scores": self._scores()} if asked.scores else {}
        if asked.plants:
            self._plant(asked.grid)
        if not len(asked.wanted):
            return scores
        return {**scores, **(yield from self._histograms(asked))}

    def _open(self) -> Arrays:
        targets = np.array([self.y.sum()])
        if self.loss.bounded:
            classes = self.y.astype(np.int64)
            targets = np.bincount(classes, minlength=max(self.loss.trees, 2))
        return {
            "counts": self.counts.reshape(-1)[self.layout.present],
            "rows": np.array([len(self.y), 0]),
            "targets": targets.astype(np.float64),
        }

    def _split(
        self, asked: Asked
    ) -> Generator[Mapping[str, Arrays], Mapping[str, Arrays], None]:
        """Part nodes; a node that a split of the same question makes waits for it."""
        pending = list(range(len(asked.splits)))
        while pending:
            ready = [i for i in pending if self._has(*asked.splits[i, :2].tolist())]
            if not ready:
                raise AssertionError  # the loop's own splits name its own nodes
            pending = [i for i in pending if i not in ready]
            yield from self._part(asked, ready)

    def _has(self, tree: int, node: int) -> bool:
        return node in self._nodes[tree]

    def _part(
        self, asked: Asked, ready: list[int]
    ) -> Generator[Mapping[str, Arrays], Mapping[str, Arrays], None]:
        owned: dict[str, list[int]] = {}
        for i in ready:
            party, _ = self.places.owner(int(asked.splits[i, COLUMN]))
            owned.setdefault(party, []).append(i)
        order, lefts = [], []
        mine = owned.pop(self.party, [])
        own = said(asked.splits[mine], asked.members[mine], self.places, self.layout)
        for k, i in enumerate(mine):
            tree, node = asked.splits[i, :2].tolist()
            order.append(i)
            lefts.append(own.left(k, self.x[:, self._nodes[tree][node]]))
        if owned:
            questions = {
                party: (
                    said(asked.splits[at], asked.members[at], self.places, self.layout),
                    [self._nodes[t][n] for t, n in asked.splits[at, :2].tolist()],
                )
                for party, at in owned.items()
            }
            lefts += yield from self.peers.sides(questions)
            order += [i for at in owned.values() for i in at]
        for i, goes in zip(order, lefts, strict=True):
            tree, node, left, right = asked.splits[i, :4].tolist()
            rows = self._nodes[tree].pop(node)
            self._nodes[tree][left] = rows[goes]
            self._nodes[tree][right] = rows[~goes]

    def _predict(self, asked: Asked) -> None:
        if len(asked.start):
            self._raw[:] = asked.start
        for (tree, node), value in zip(
            asked.leaves.tolist(), asked.values.tolist(), strict=True
        ):
            self._raw[self._nodes[tree][node], tree] += value

    def _derive(self) -> None:
        alone = self.loss.trees == 1
        gradients = self._gradients[:, 0] if alone else self._gradients
        if self.loss.constant_hessian:
            self.loss.compiled.gradient(
                y_true=self.y, raw_prediction=self._raw, gradient_out=gradients
            )
            return
        self.loss.compiled.gradient_hessian(
            y_true=self.y,
            raw_prediction=self._raw,
            gradient_out=gradients,
            hessian_out=self._hessians[:, 0] if alone else self._hessians,
        )

    def _scores(self) -> Floats:
        self._derive()
        loss = self.loss.compiled.loss(y_true=self.y, raw_prediction=self._raw).sum()
        squares = [
            float(np.square(d, dtype=np.float64).sum())
            for d in (self._gradients, self._hessians)
        ]
        return np.array([loss, 0.0, *squares])

    def _plant(self, grid: Array) -> None:
        """Begin new trees: round derivatives to what ciphertexts hold the sums of."""
        self._derive()
        parts = [(self._gradients, int(grid[0]))]
        if not self.loss.constant_hessian:
            parts.append((self._hessians, int(grid[1])))
        for numbers, exponent in parts:
            np.multiply(numbers, np.float32(2.0 ** (exponent - COARSER)), out=numbers)
            # Towards 0 where only the loop's own bounds say how large a sum may get.
            (np.rint if self.loss.bounded else np.trunc)(numbers, out=numbers)
        everyone = np.arange(len(self.y), dtype=np.uint32)
        self._nodes = [{0: everyone} for _ in range(self.loss.trees)]
        constant = self.loss.constant_hessian
        self._sums = [
            Sums(
                self._by_row,
                self._gradients[:, t],
                None if constant else self._hessians[:, t],
            )
            if len(self.x)
            else None
            for t in range(self.loss.trees)
        ]

    def _histograms(
        self, asked: Asked
    ) -> Generator[Mapping[str, Arrays], Mapping[str, Arrays], Arrays]:
        wanted = asked.wanted.tolist()
        packing = packing_for(asked, self.loss, 1)
        kinds = [f for f in FIELDS if f in packing.bounds]
        others = yield from self.peers.sums([self._numbers(*node) for node in wanted])
        shape = (len(wanted), self.layout.size)
        fields = np.empty((len(kinds), *shape), dtype=np.int64)
        for i, (tree, node) in enumerate(wanted):
            whole = others[i]
            self._own(whole, tree, node, kinds)
            for field_, name in zip(fields, packing.bounds, strict=True):
                flat = whole[kinds.index(name)].reshape(-1)[self.layout.present]
                field_[i] = flat if name == "counts" else flat << COARSER
        words = np.empty((len(packing.words), *shape), dtype=np.int64)
        packing.pack(fields, words)
        return {"sums": words}

    def _numbers(self, tree: int, node: int) -> Numbers:
        rows = self._nodes[tree][node]
        kinds = [self._gradients[rows, tree]]
        if not self.loss.constant_hessian:
            kinds.append(self._hessians[rows, tree])
        return Numbers(rows, np.stack(kinds).astype(np.int64))

    def _own(self, whole: Array, tree: int, node: int, fields: list[str]) -> None:
        sums = self._sums[tree]
        if sums is None:
            return
        made = sums.over(self._nodes[tree][node]).reshape(-1, N_BINS)
        begin = self.places.begins[self.party]
        for k, name in enumerate(fields):
            whole[k, begin : begin + len(self.x)] = made[FIELDS[name]]


def said(splits: Array, members: Array, places: Places, layout: Layout) -> Splits:
    """Return splits of one party's columns as they are said to it.

    Args:
        splits: As the loop asks for them, (splits, 7).
        members: Their sets, (splits, 8).
        places: Whose columns are where.
        layout: Of all columns.
    """
    numbers = np.zeros((len(splits), 4), dtype=np.int64)
    for row, split in zip(numbers, splits, strict=True):
        _, local = places.owner(int(split[COLUMN]))
        in_set = int(layout.categorical[split[COLUMN]])
        row[:] = (local, split[BINS], split[MISSING_LEFT], in_set)
    return Splits(numbers, members)
