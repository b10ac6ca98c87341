"""A feature party's half of a fit: it takes its part of z into a pass, and sums."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Side, VerticalTask
from fl_plugin.vertical.glm.blinds import Blind
from fl_plugin.vertical.glm.ciphertexts import Chunks, Key, Lock
from fl_plugin.vertical.glm.turns import (
    END,
    PASS,
    SUMS,
    TARGET,
    Terms,
    TurnWorker,
    bytes_of,
    features_of,
    place,
    point_of,
)


class FeatureWorker(TurnWorker):
    """Sees ciphertexts, blinds that its side drew, and its own coefficients."""

    first: ClassVar[int] = TARGET

    def __init__(self, task: VerticalTask, side: Side, terms: Terms) -> None:
        super().__init__(task, side, terms)
        line = features_of(task)
        self._place = line.index(side.party)
        self._line = line
        self._closes = side.party == line[-1]
        self._blind = _blind(task, side) if self._closes else None
        self._key: Key | None = None
        self._shares: Floats | None = None
        self._at = np.zeros(self.columns.size)

    def turn(self, told: int, question: Arrays) -> tuple[Arrays, Sequence[int]]:
        """Return the answer and which questions may follow."""
        if told == TARGET:
            return self._target(question), (PASS, END)
        if told == PASS:
            return self._pass(question), (SUMS,)
        if told == SUMS:
            return self._sums(question), (PASS, END)
        self._end(question)
        return self._offset(), ()

    def _target(self, question: Arrays) -> Arrays:
        """Multiply the encrypted target by the own columns."""
        told = self.opened(question, self.task.label_party)
        return self._products(told, self.columns.x, np.zeros(self.columns.size))

    def _pass(self, question: Arrays) -> Arrays:
        """Take the own part of z in; the last party closes the pass."""
        self.look()
        self._at = point_of(question, self.columns.size)
        before = self._line[self._place - 1] if self._place else self.task.label_party
        told = self.opened(question, before)
        z = self.terms.link.bounded(self._at @ self.columns.x)
        lock = self._lock(told, len(self._line))
        vectors = lock.read(Chunks.of(told, "rows", lock.chunks))
        if self._blind is not None:
            return self._closed(lock, vectors, z, self._blind.draw())
        passed = self.terms.link.take_in(lock, vectors, z)
        on = {"lock": told["lock"], **passed.arrays("rows")}
        return self.sealed(self._line[self._place + 1], on)

    def _closed(
        self, lock: Lock, vectors: Sequence[object], z: Floats, blind: Floats
    ) -> Arrays:
        """Close the pass for the label party; tell the others the shares."""
        passed, own = self.terms.link.close(lock, list(vectors), z, blind)
        self._shares = own
        self._key = Key.fresh(1, self.task.rows, self.side.draws)
        answer: dict[str, Array] = {}
        for peer in self._line[:-1]:
            answer |= self.sealed(peer, {"shares": own})
        told = {
            "lock": self._key.lock,
            **passed.arrays("pass"),
            **self._key.encrypt(own).arrays("shares"),
        }
        return answer | self.sealed(self.task.label_party, told)

    def _sums(self, question: Arrays) -> Arrays:
        """Multiply the means, out of both shares, by the own columns."""
        label = self.task.label_party
        told = self.opened(question, label)
        if self._closes:
            own = self._shares
        else:
            peer = self.opened(question, self._line[-1])
            own = checked(peer, "shares", (self.task.rows,))
        if own is None:
            raise malformed("shares")
        weighed, constant = self.terms.link.weigh(self.columns.x, own)
        answer = dict(self._products(told, weighed, constant))
        answer["penalty"] = self.columns.penalty @ self._at
        if self._key is not None:
            sealed = bytes_of(question, "sums")
            sums = Chunks.of(
                self.side.channel.open(label, sealed),
                "sums",
                self.task.widths[label] + 1,
            )
            answer[place(self.task, "opened", label)] = self._key.totals(sums)
        self._key = self._shares = None
        return answer

    def _products(self, told: Arrays, columns: Floats, constant: Floats) -> Arrays:
        """Return products under masks for the label party, and the masks' totals."""
        lock = self._lock(told, 1)
        vectors = lock.read(Chunks.of(told, "rows", lock.chunks))
        sums, masks = lock.products(vectors, columns, self.terms.link.reach)
        sent = self.sealed(self.task.label_party, sums.arrays("sums"))
        return {**sent, "own": constant - masks}

    def _lock(self, told: Arrays, products: int) -> Lock:
        rows, draws = self.task.rows, self.side.draws
        return Lock.of(told.get("lock"), products, rows, draws)

    def _end(self, question: Arrays) -> None:
        told = self.opened(question, self.task.label_party)
        unit = float(checked(told, "unit", (1,))[0])
        if not unit > 0.0:
            raise malformed("unit")
        self._at = point_of(question, self.columns.size)
        own = unit * self.columns.coefficients(self._at)
        self.close({"coefficients": own, "unit": np.array([unit])})

    def _offset(self) -> Arrays:
        """Tell the label party what centring the own columns does to the intercept."""
        offset = -float(self.part()["coefficients"] @ self.columns.mean)
        told = {"offset": np.array([offset])}
        return self.sealed(self.task.label_party, told)


def _blind(task: VerticalTask, side: Side) -> Blind:
    return Blind(task.rows, side.draws.stream("blinds"))
