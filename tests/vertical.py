"""Vertical algorithms over parties in memory, by the bytes that a run would send."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fl_plugin import messages
from fl_plugin.algorithms.base import Block, DesignColumn
from fl_plugin.messages import Ask, Reply
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import (
    Asks,
    Channel,
    Replies,
    Side,
    VerticalAlgorithm,
    VerticalFitted,
    VerticalTask,
)


class OpenChannel(Channel):
    """A channel that hides nothing: what is sealed can be looked at in tests."""

    def seal(self, peer: str, arrays: Arrays) -> Array:  # noqa: ARG002
        """Return the bytes of a message."""
        told = Ask(kind="sealed", run="r", round=0, party="p", arrays=arrays)
        return np.frombuffer(messages.encode(told), dtype=np.uint8)

    def open(self, peer: str, sealed: Array) -> Arrays:  # noqa: ARG002
        """Return the arrays of a message."""
        return messages.decode(sealed.tobytes()).arrays


@dataclass(frozen=True)
class Sent:
    """One message as it went over the wire."""

    party: str
    up: bool
    arrays: Arrays
    size: int


@dataclass
class Wire:
    """Carries messages as bytes and keeps all of them."""

    sent: list[Sent] = field(default_factory=list)

    def carry(self, party: str, arrays: Arrays, *, up: bool) -> Arrays:
        """Return the arrays as the other side decodes them."""
        kind = Reply if up else Ask
        raw = messages.encode(
            kind(kind="step", run="r", round=0, party=party, arrays=arrays)
        )
        arrived = messages.decode(raw).arrays
        self.sent.append(Sent(party, up, arrived, len(raw)))
        return arrived

    def octets(self, party: str, *, up: bool) -> int:
        """Return how many bytes a party has sent, or got."""
        return sum(s.size for s in self.sent if s.party == party and s.up is up)


@dataclass(frozen=True)
class Fit:
    """A fit's parts: the coordinator's, and each party's own."""

    fitted: VerticalFitted
    parts: Mapping[str, Arrays]
    figures: Mapping[str, Mapping[str, float]]
    wire: Wire


def columns_for(block: Block, prefix: str) -> tuple[DesignColumn, ...]:
    """Return plain numeric columns named after their party."""
    names = [f"{prefix}_{i}" for i in range(block.x.shape[0])]
    return tuple(DesignColumn(name=name, feature=name) for name in names)


def sides(
    blocks: Mapping[str, Block],
    columns: Mapping[str, tuple[DesignColumn, ...]] | None = None,
    channel: Channel | None = None,
) -> dict[str, Side]:
    """Return every party's side."""
    return {
        party: Side(
            party=party,
            columns=columns[party] if columns else columns_for(block, party),
            block=block,
            channel=channel or OpenChannel(),
        )
        for party, block in blocks.items()
    }


def fit_over(
    algorithm: VerticalAlgorithm, task: VerticalTask, parties: Mapping[str, Side]
) -> Fit:
    """Fit over parties in memory."""
    wire = Wire()
    workers = {p: algorithm.worker(task, side) for p, side in parties.items()}
    rounds = algorithm.rounds(task)
    fitted = _drive(rounds, {p: w.answer for p, w in workers.items()}, wire)
    return Fit(
        fitted=fitted,
        parts={p: w.part() for p, w in workers.items()},
        figures={p: w.figures() for p, w in workers.items()},
        wire=wire,
    )


def score_over(
    algorithm: VerticalAlgorithm,
    task: VerticalTask,
    parties: Mapping[str, Side],
    fit: Fit,
) -> Floats:
    """Return the label party's predictions for rows in memory."""
    rows = next(iter(parties.values())).block.rows
    told = replace(task, rows=rows)
    scorers = {p: algorithm.scorer(told, s, fit.parts[p]) for p, s in parties.items()}
    rounds = algorithm.scoring(told, fit.fitted.part)
    _drive(rounds, {p: s.answer for p, s in scorers.items()}, fit.wire)
    found = scorers[task.label_party].predictions
    assert found is not None
    assert all(
        s.predictions is None for p, s in scorers.items() if p != task.label_party
    )
    return found


def _drive(rounds, answers, wire):
    try:
        asks: Asks = next(rounds)
        while True:
            replies: Replies = {
                party: wire.carry(
                    party,
                    answers[party](wire.carry(party, arrays, up=False)),
                    up=True,
                )
                for party, arrays in asks.to.items()
            }
            asks = rounds.send(replies)
    except StopIteration as end:
        return end.value
