"""The label party's half of a fit: it opens what is blinded, and shares the means."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Side, VerticalTask
from fl_plugin.vertical.glm.ciphertexts import Chunks, Key, Lock
from fl_plugin.vertical.glm.turns import (
    CLOSE,
    END,
    OPEN,
    POINT,
    SHARE,
    START,
    Terms,
    TurnWorker,
    features_of,
    place,
    point_of,
)


class LabelWorker(TurnWorker):
    """Knows the target and the keys that residuals are made under."""

    first: ClassVar[int] = START

    def __init__(self, task: VerticalTask, side: Side, terms: Terms) -> None:
        super().__init__(task, side, terms)
        y = side.block.y
        if y.shape != (task.rows,) or not np.isfinite(y).all():
            raise TrainingError(
                "A target is missing or infinite.",
                remedy="Filter such rows in the study.",
            )
        link = terms.link
        self._others = features_of(task)
        self._weights = balance(y) if terms.balanced else np.ones(len(y))
        self._level, self._unit = link.level(y)
        even = (y - self._level) / self._unit
        self._target = self._weights * link.target(even)
        self._offset = link.offset(even, self._weights)
        self._key: Key | None = None
        self._at = np.zeros(self.columns.size)

    def turn(self, told: int, question: Arrays) -> tuple[Arrays, Sequence[int]]:
        """Return the answer and which questions may follow."""
        if told == START:
            return self._start(), (OPEN,)
        if told == POINT:
            return self._point(question), (SHARE,)
        if told == SHARE:
            return self._share(question), (OPEN,)
        if told == OPEN:
            return self._open(question), (POINT, END)
        if told == END:
            self._at = point_of(question, self.columns.size)
            return self._units(), (CLOSE,)
        self._close(question)
        return {}, ()

    def _start(self) -> Arrays:
        """Send the encrypted target to the others, for its products."""
        self._key = Key.fresh(1, self.task.rows, self.side.draws)
        sent = self._to_all(self._encrypted(self._key, self._target))
        return {**sent, "own": self.columns.x @ self._target}

    def _point(self, question: Arrays) -> Arrays:
        """Begin a pass with the own part of z."""
        self.look()
        self._at = point_of(question, self.columns.size)
        z = self.terms.link.bounded(self._at @ self.columns.x + self._offset)
        self._key = Key.fresh(len(self._others), self.task.rows, self.side.draws)
        begun = self._encrypted(self._key, self.terms.link.begin(z))
        return self.sealed(self._others[0], begun)

    def _share(self, question: Arrays) -> Arrays:
        """Open the blinded pass, share out the means, multiply by the own columns."""
        last, link, rows = self._others[-1], self.terms.link, self.task.rows
        told = self.opened(question, last)
        lock = Lock.of(told.get("lock"), 1, rows, self.side.draws)
        key = self._taken()
        blinded = key.open(Chunks.of(told, "pass", key.chunks))
        share = self._weights * link.share(blinded)
        weighed, own = link.weigh(self.columns.x, share)
        others = lock.read(Chunks.of(told, "shares", lock.chunks))
        reach = link.reach * max(1.0, float(self._weights.max()))
        sums, masks = lock.products(others, weighed, reach)
        self._key = Key.fresh(1, rows, self.side.draws)
        shared = self._encrypted(self._key, share)
        return {
            **self._to_all(shared),  # before `sums`: channels count their messages
            "sums": self.side.channel.seal(last, sums.arrays("sums")),
            "own": own - masks,
            "penalty": self.columns.penalty @ self._at,
        }

    def _open(self, question: Arrays) -> Arrays:
        """Open the others' products; masks of theirs are still on them."""
        key, told = self._taken(), {}
        for peer in self._others:
            sums = Chunks.of(
                self.opened(question, peer), "sums", self.task.widths[peer]
            )
            told[place(self.task, "opened", peer)] = key.totals(sums)
        return told

    def _units(self) -> Arrays:
        return self._to_all({"unit": np.array([self._unit])})

    def _close(self, question: Arrays) -> None:
        """Put the model's intercept together."""
        own = self._unit * self.columns.coefficients(self._at)
        constant = self._at[-1] * self.columns.x[-1, 0]
        intercept = self._level + self._unit * (self._offset + constant)
        intercept -= float(own @ self.columns.mean)
        for peer in self._others:
            told = checked(self.opened(question, peer), "offset", (1,))
            intercept += float(told[0])
        unit = np.array([self._unit])
        whole = np.array([intercept])
        self.close({"coefficients": own, "intercept": whole, "unit": unit})

    def _encrypted(self, key: Key, values: Floats) -> dict[str, Array]:
        return {"lock": key.lock, **key.encrypt(values).arrays("rows")}

    def _to_all(self, arrays: Arrays) -> dict[str, Array]:
        sent: dict[str, Array] = {}
        for peer in self._others:
            sent |= self.sealed(peer, arrays)
        return sent

    def _taken(self) -> Key:
        """Return the key and forget it: a key is for one use."""
        key, self._key = self._key, None
        if key is None:
            raise AssertionError
        return key


def balance(y: Floats) -> Floats:
    """Return each row's weight n / (2 n_k), as scikit-learn's "balanced"."""
    counts = np.array([(y == 0.0).sum(), (y == 1.0).sum()], dtype=np.float64)
    if not counts.all():
        raise TrainingError(
            "All training rows are of one class.",
            remedy="Check the study's target and filters.",
        )
    return np.asarray((len(y) / (2.0 * counts))[y.astype(np.int64)])
