"""Vertical fits over parties in memory, for benches that compare what they are given.

Every message is encoded and decoded as in a run, and its bytes are counted; none is
kept. What parties say to each other is not encrypted here: it would be as long, but for
some ten bytes.
"""

import os
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench.usage import peak_mb
from fl_plugin import messages
from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.messages import Ask, Reply
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import (
    Asks,
    Channel,
    Replies,
    Scorer,
    Side,
    VerticalAlgorithm,
    VerticalTask,
    VerticalWorker,
)

End = TypeVar("End")
NO_TARGET = np.zeros(0)


class PlainChannel(Channel):
    """Carries what parties say to each other as it is."""

    def seal(self, peer: str, arrays: Arrays) -> Array:  # noqa: ARG002
        """Return the bytes of a message."""
        told = Ask(kind="sealed", run="r", round=0, party="p", arrays=arrays)
        return np.frombuffer(messages.encode(told), dtype=np.uint8)

    def open(self, peer: str, sealed: Array) -> Arrays:  # noqa: ARG002
        """Return the arrays of a message."""
        return messages.decode(sealed.tobytes()).arrays


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows for training and for judging, columns apart.

    Args:
        x: Standardised columns (columns, rows) by party.
        y: (rows,) 0 or 1; the label party's.
        unseen: (rows,) whether a row is for judging.
        label_party: Who has the target; it may have no columns.
    """

    x: Mapping[str, Floats]
    y: Floats
    unseen: npt.NDArray[np.bool_]
    label_party: str

    @property
    def judged(self) -> Floats:
        """The target of the rows for judging."""
        return self.y[self.unseen]

    def only(self, parties: Sequence[str]) -> "Split":
        """Return the columns of these parties, and the label party's target."""
        none = np.empty((0, len(self.y)))
        x = {self.label_party: none} | {p: self.x[p] for p in parties}
        return replace(self, x=x)

    def joined(self) -> "Split":
        """Return all columns at the label party: what one place would learn from."""
        return replace(self, x={self.label_party: np.concatenate([*self.x.values()])})

    def sides(self, rows: npt.NDArray[np.bool_], *, told: bool) -> dict[str, Side]:
        """Return every party's side; `told` gives the label party its target."""
        return {party: self._side(party, rows, told=told) for party in self.x}

    def _side(self, party: str, rows: npt.NDArray[np.bool_], *, told: bool) -> Side:
        x = self.x[party]
        names = [f"{party}_{i}" for i in range(len(x))]
        y = self.y[rows] if told and party == self.label_party else NO_TARGET
        return Side(
            party=party,
            columns=tuple(DesignColumn(name=n, feature=n) for n in names),
            block=Block(np.ascontiguousarray(x[:, rows]), y),
            channel=PlainChannel(),
        )


@dataclass(kw_only=True)
class Sent:
    """Bytes by party and direction.

    Args:
        up: To the coordinator.
        down: From it.
    """

    up: Counter[str] = field(default_factory=Counter)
    down: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All bytes."""
        return self.up.total() + self.down.total()


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One fit and what it cost.

    Args:
        scores: Of the rows for judging, as the label party has them.
        sent: Of the fit alone.
        seconds: CPU seconds of all parties' and the coordinator's fit, one thread.
        peak: Megabytes of the process until now.
        label: The label party's half.
    """

    scores: Floats
    sent: Sent
    seconds: float
    peak: float
    label: VerticalWorker

    @property
    def attacks(self) -> dict[str, float]:
        """What attacks find that a label party that protects labels tries itself."""
        told = self.label.figures()
        return {name: value for name, value in told.items() if "attack" in name}


def standardised(columns: Floats, unseen: npt.NDArray[np.bool_]) -> Floats:
    """Return columns (columns, rows) by mean and deviation of the training rows."""
    seen = columns[:, ~unseen]
    spread = seen.std(axis=1, keepdims=True)
    shifted = columns - seen.mean(axis=1, keepdims=True)
    return np.asarray(shifted / np.where(spread > 0, spread, 1.0))


def fit(algorithm: VerticalAlgorithm, split: Split, labels: str, seed: int) -> Fitted:
    """Fit on the training rows and score the others."""
    task = VerticalTask(
        target=Target(),
        widths={party: len(x) for party, x in split.x.items()},
        label_party=split.label_party,
        rows=int((~split.unseen).sum()),
        labels=labels,
        seed=seed,
    )
    sides, sent = split.sides(~split.unseen, told=True), Sent()
    begun = time.process_time()
    workers = {p: algorithm.worker(task, side) for p, side in sides.items()}
    fitted = _drive(algorithm.rounds(task), workers, sent)
    seconds = time.process_time() - begun
    unseen = split.sides(split.unseen, told=False)
    told = replace(task, rows=int(split.unseen.sum()))
    parts = {p: worker.part() for p, worker in workers.items()}
    scorers = {p: algorithm.scorer(told, s, parts[p]) for p, s in unseen.items()}
    _drive(algorithm.scoring(told, fitted.part), scorers, Sent())
    scores = scorers[split.label_party].predictions
    assert scores is not None
    return Fitted(
        scores=scores,
        sent=sent,
        seconds=seconds,
        peak=peak_mb(os.getpid()),
        label=workers[split.label_party],
    )


def _drive(
    rounds: Generator[Asks, Replies, End],
    parties: Mapping[str, VerticalWorker] | Mapping[str, Scorer],
    sent: Sent,
) -> End:
    """Ask whom the coordinator asks, until it has what it wants."""
    try:
        asks = next(rounds)
        while True:
            asks = rounds.send(
                {p: _asked(p, parties[p], given, sent) for p, given in asks.to.items()}
            )
    except StopIteration as end:
        done: End = end.value
        return done


def _asked(
    party: str, half: VerticalWorker | Scorer, given: Arrays, sent: Sent
) -> Arrays:
    down = messages.encode(
        Ask(kind="step", run="r", round=0, party=party, arrays=given)
    )
    sent.down[party] += len(down)
    answer = half.answer(messages.decode(down).arrays)
    up = messages.encode(
        Reply(kind="step", run="r", round=0, party=party, arrays=answer)
    )
    sent.up[party] += len(up)
    return messages.decode(up).arrays
