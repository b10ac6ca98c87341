"""Scoring: owners tell, per split, which rows go left; the label party follows trees.

An owner learns nothing of the paths: it answers for all rows and all of its splits.
"""

import numpy as np

from fl_plugin.algorithms.base import Target
from fl_plugin.algorithms.boosting.losses import Loss
from fl_plugin.algorithms.checks.arrays import malformed, whole_number
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Scorer, Side, VerticalTask
from fl_plugin.vertical.boosting import release
from fl_plugin.vertical.boosting.features import maps_in
from fl_plugin.vertical.boosting.table import Splits, require_bins
from fl_plugin.vertical.boosting.trees import Trees
from fl_plugin.vertical.boosting.turns import (
    SCORE,
    Listener,
    Speaker,
    Talk,
    array_of,
    number,
    out_of_order,
    peers_of,
)

MOST_BYTES = 2**27  # of one answer


def chunk_of(rows: int) -> int:
    """Return how many splits are answered at once."""
    return max(1, MOST_BYTES // -(-rows // 8))


class _Sides:
    """A party's splits over rows to score."""

    def __init__(self, task: VerticalTask, side: Side, part: Arrays) -> None:
        width = len(side.columns)
        require_bins(side.block.x, side.columns, task.rows)
        self.splits = Splits.of(part, width)
        self._x = release.applied(maps_in(part, width), side.block.x)

    def bits(self, begin: int, end: int) -> Array:
        """Return which rows go left at some splits, packed: (splits, bytes)."""
        left = [self.splits.left(i, self._x) for i in range(begin, end)]
        return np.packbits(np.stack(left), axis=1, bitorder="little")


class FeatureScorer(Scorer):
    """Answers for each of its splits once, in order."""

    def __init__(self, task: VerticalTask, side: Side, part: Arrays) -> None:
        self._sides = _Sides(task, side, part)
        self._listener = Listener(task, side)
        self._chunk, self._told = chunk_of(task.rows), 0

    def answer(self, question: Arrays) -> Arrays:
        """Return which rows go left at the next splits."""
        kind, told = self._listener.opened(question)
        count = len(self._sides.splits.numbers)
        begin = whole_number(told, "begin")
        if kind != SCORE or begin != self._told or begin >= count:
            raise out_of_order()
        self._told = min(begin + self._chunk, count)
        return self._listener.sealed({"left": self._sides.bits(begin, self._told)})

    @property
    def predictions(self) -> Floats | None:
        """None: they stay with the label party."""
        return None


class LabelScorer(Scorer):
    """Follows the trees with what the owners of splits say."""

    def __init__(
        self, task: VerticalTask, side: Side, part: Arrays, loss: Loss
    ) -> None:
        self._task, self._loss = task, loss
        self._trees = Trees.of(part, task, loss)
        self._sides = _Sides(task, side, part)
        self._needed = self._trees.needed(task)
        if self._needed[side.party] > len(self._sides.splits.numbers):
            raise malformed("splits")
        if any(n and not task.widths[p] for p, n in self._needed.items()):
            raise malformed("shape")
        self._party = side.party
        self._speaker: Speaker[Floats] = Speaker(task, side, self._talk())

    def answer(self, question: Arrays) -> Arrays:
        """Return what to ask the others, sealed for each."""
        return self._speaker.answer(question)

    @property
    def predictions(self) -> Floats | None:
        """Once all is answered: (rows,), or (rows, classes)."""
        return self._speaker.result

    def _talk(self) -> Talk[Floats]:
        rows = self._task.rows
        chunk, width = chunk_of(rows), -(-rows // 8)
        found: dict[str, list[Array]] = {p: [] for p in peers_of(self._task)}
        begin = 0
        while True:
            asked = [p for p in found if begin < self._needed[p]]
            if not asked:
                break
            told = yield {
                p: {"kind": number(SCORE), "begin": number(begin)} for p in asked
            }
            for p in asked:
                size = min(chunk, self._needed[p] - begin)
                left = told[p].get("left")
                if left is None or left.ndim != 2 or len(left) < size:  # noqa: PLR2004
                    raise malformed("left")
                array_of(told[p], "left", np.uint8, (len(left), width))
                found[p].append(left[:size])
            begin += chunk
        sides = {
            self._task.parties.index(p): np.concatenate(bits)
            for p, bits in found.items()
            if bits
        }
        if self._needed[self._party]:
            own = self._sides.bits(0, self._needed[self._party])
            sides[self._task.parties.index(self._party)] = own
        return linked(self._trees.raw(sides, rows), self._loss, self._task.target)


def linked(raw: Floats, loss: Loss, target: Target) -> Floats:
    """Return predictions as `Algorithm.predict` does."""
    if not loss.bounded:
        return np.asarray(loss.compiled.link.inverse(raw[:, 0]))
    one = np.ascontiguousarray(raw[:, 0]) if loss.trees == 1 else raw
    chances = np.asarray(loss.compiled.predict_proba(one), dtype=np.float64)
    return chances[:, 1] if target.kind == "binary" else chances
