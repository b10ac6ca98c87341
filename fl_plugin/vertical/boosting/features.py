"""A feature party's half: it adds up what it cannot read, by bins it does not show."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.algorithms.boosting.compiled import N_BINS
from fl_plugin.algorithms.checks.arrays import malformed, whole_number
from fl_plugin.errors import MessageError
from fl_plugin.summand import Array, Arrays
from fl_plugin.vertical.base import Side, VerticalTask, VerticalWorker
from fl_plugin.vertical.boosting import release
from fl_plugin.vertical.boosting.adding import Adder, counted, dense
from fl_plugin.vertical.boosting.lattice import Public, hint_of
from fl_plugin.vertical.boosting.parameters import DEGREE, SEED
from fl_plugin.vertical.boosting.table import Splits, facts, require_bins
from fl_plugin.vertical.boosting.turns import (
    CLOSE,
    HINT,
    OPEN,
    RELEASE,
    SIDES,
    SUMS,
    Listener,
    array_of,
    out_of_order,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a feature party answers at most.

    Args:
        strict: Whether its bins stay with it.
        words: Encrypted vectors that it adds up over a whole fit.
        splits: Splits whose sides it tells, over a whole fit.
        smallest_side: Fewest rows on either side of a split.
        smallest_bin: Fewest rows of a bin that others can tell from its neighbours.
    """

    strict: bool
    words: int
    splits: int
    smallest_side: int
    smallest_bin: int


@dataclass
class _Secret:
    """What hides the party's bins: it never leaves."""

    public: Public
    own: list[Array] = field(default_factory=list)
    adder: Adder | None = None


class FeatureWorker(VerticalWorker):
    """Answers OPEN, then HINT for every column and SUMS, SIDES; or RELEASE; CLOSE."""

    def __init__(self, task: VerticalTask, side: Side, limits: Limits) -> None:
        require_bins(side.block.x, side.columns, task.rows)
        self._x, self._columns, self._rows = side.block.x, side.columns, task.rows
        self._limits = limits
        self._listener = Listener(task, side)
        self._due: Sequence[int] = (OPEN,)
        self._maps = release.identity(len(side.columns))
        self._secret: _Secret | None = None
        self._source = side.draws.stream("lattice")
        self._summed = self._sided = 0
        self._part: Arrays | None = None

    def answer(self, question: Arrays) -> Arrays:
        """Return what the party answers, sealed for the label party."""
        due, self._due = self._due, ()  # of a question that fails nothing follows
        if not due:
            raise out_of_order()
        kind, told = self._listener.opened(question)
        if kind not in due:
            raise out_of_order()
        turns = {
            OPEN: self._open,
            HINT: self._hint,
            SUMS: self._sums,
            SIDES: self._sides,
            RELEASE: self._release,
            CLOSE: self._close,
        }
        answer, self._due = turns[kind](told)
        return self._listener.sealed(answer)

    def part(self) -> Arrays:
        """Return the party's splits, and how it calls bins outside."""
        if self._part is None:
            raise out_of_order()
        return self._part

    def _open(self, asked: Arrays) -> tuple[Arrays, Sequence[int]]:
        self._maps = release.maps_of(
            self._x, self._columns, self._limits.smallest_bin, self._source
        )
        self._x = release.applied(self._maps, self._x)
        self._columns = release.released_columns(self._columns, self._maps)
        if not self._limits.strict:
            return {"columns": facts(self._columns)}, (RELEASE,)
        seed = array_of(asked, "seed", np.uint8, (SEED,)).tobytes()
        self._secret = _Secret(Public.of(seed, self._rows))
        told = facts(self._columns)
        return {"columns": told, "counts": counted(self._x, told[:, 0])}, (HINT,)

    def _hint(self, told: Arrays) -> tuple[Arrays, Sequence[int]]:
        """Return what opens sums over the next column's bins."""
        secret = self._secret
        if secret is None or whole_number(told, "column") != len(secret.own):
            raise malformed("column")
        at = len(secret.own)
        bins = int(facts(self._columns)[at, 0])
        column = dense(self._x[at], bins)
        hint, own = hint_of(secret.public, column, bins + 1, self._source)
        secret.own.append(own)
        if len(secret.own) < len(self._columns):
            return {"hint": hint}, (HINT,)
        all_bins = facts(self._columns)[:, 0]
        secret.adder = Adder.of(self._x, all_bins, np.concatenate(secret.own))
        return {"hint": hint}, (SUMS, SIDES, CLOSE)

    def _sums(self, told: Arrays) -> tuple[Arrays, Sequence[int]]:
        words = array_of(told, "words", np.uint64, (self._rows + DEGREE, None))
        count = words.shape[1]
        self._summed += count
        if self._secret is None or self._secret.adder is None or not count:
            raise out_of_order()
        if self._summed > self._limits.words:
            raise _too_many("sums")
        return {"sums": self._secret.adder.add(words, self._source)}, (
            SUMS,
            SIDES,
            CLOSE,
        )

    def _sides(self, told: Arrays) -> tuple[Arrays, Sequence[int]]:
        """Return which of a node's rows go left, for each split."""
        splits = Splits.of(told, len(self._columns))
        shape = (len(splits.numbers), -(-self._rows // 8))
        nodes = array_of(told, "rows", np.uint8, shape)
        self._sided += len(nodes)
        if not len(nodes):
            raise malformed("splits")
        if self._sided > self._limits.splits:
            raise _too_many("splits")
        answer = []
        for split, bits in enumerate(nodes):
            unpacked = np.unpackbits(bits, count=self._rows, bitorder="little")
            rows = np.flatnonzero(unpacked)
            goes = splits.left(split, self._x[:, rows])
            if min(goes.sum(), (~goes).sum()) < self._limits.smallest_side:
                raise MessageError(
                    "A split was asked for that leaves fewer rows on a side than the "
                    "study allows.",
                    remedy="Ask the label domain why; nothing was answered.",
                )
            answer.append(np.packbits(goes, bitorder="little"))
        return {"left": np.concatenate(answer)}, (SUMS, SIDES, CLOSE)

    def _release(self, _: Arrays) -> tuple[Arrays, Sequence[int]]:
        return {"columns": facts(self._columns), "bins": self._x}, (CLOSE,)

    def _close(self, told: Arrays) -> tuple[Arrays, Sequence[int]]:
        splits = Splits.of(told, len(self._columns))
        if len(splits.numbers) > self._limits.splits:
            raise malformed("splits")
        self._part = {**splits.arrays(), "maps": self._maps}
        return {}, ()


def maps_in(part: Arrays, width: int) -> Array:
    """Return how a party calls its bins outside.

    Raises:
        MessageError: The part does not say.
    """
    return array_of(part, "maps", np.uint8, (width, N_BINS))


def _too_many(what: str) -> MessageError:
    return MessageError(
        f"A label domain asked for more {what} than the study's trees can need.",
        remedy="Ask the label domain why; nothing was answered.",
    )
