"""Predictions of rows that were not trained on; every party needs its part again."""

import numpy as np

from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Asks, Scorer, ScoringRounds, Side
from fl_plugin.vertical.split.blueprint import Blueprint, rows_of
from fl_plugin.vertical.split.label import named, restored_end
from fl_plugin.vertical.split.top import joined
from fl_plugin.vertical.split.wire import in_turn, numbered, packed, unpacked

_CHUNK = 4_096  # rows of a message


def chunks(rows: int) -> list[slice]:
    """Return which rows each step scores."""
    ends = range(0, rows, _CHUNK)
    return [slice(begin, min(begin + _CHUNK, rows)) for begin in ends]


class SplitScorer(Scorer):
    """A party's half of scoring.

    Args:
        plan: With the number of rows to score.
        side: The party's place.
        part: What it kept.
    """

    def __init__(self, plan: Blueprint, side: Side, part: Arrays) -> None:
        self._plan = plan
        self._chunks = chunks(plan.task.rows)
        self._cut, self._scored = 0, 0
        self._found: list[Floats] = []
        self._labels = side.party == plan.task.label_party
        self._holder = side.party in plan.holders
        if self._holder:
            self._x = rows_of(side)
            if len(self._x) != plan.task.rows:
                raise malformed("x")
            self._net = plan.bottom(side)
            self._net.restore(named(part, "bottom"))
        if self._labels and not plan.shared:
            self._end, self._goal = restored_end(plan, part)

    def answer(self, question: Arrays) -> Arrays:
        """Return activations, or take what predictions are made from."""
        if "top" in question or "scores" in question:
            return self._score(question)
        if not self._holder or self._cut >= len(self._chunks):
            raise malformed("step")
        in_turn(question, self._cut, set())
        given = self._net.forward(self._x[self._chunks[self._cut]], training=False)
        self._cut += 1
        sent = self._plan.guard.release.sent(given)
        return {"cut": packed(sent, self._plan.precision)}

    def _score(self, question: Arrays) -> Arrays:
        name = "scores" if self._plan.shared else "top"
        if not self._labels or self._scored >= len(self._chunks):
            raise malformed(name)
        in_turn(question, self._scored, {name})
        part = self._chunks[self._scored]
        rows = part.stop - part.start
        if self._plan.shared:
            found = checked(question, "scores", shape_of(self._plan, rows))
        else:
            shape = rows, self._plan.joined
            inputs = unpacked(question, "top", shape, self._plan.precision)
            found = self._goal.predicted(self._end.forward(inputs, training=False))
        self._found.append(np.array(found))
        self._scored += 1
        return {}

    @property
    def predictions(self) -> Floats | None:
        """Return them once all rows are scored, at the label party."""
        if not self._labels or self._scored < len(self._chunks):
            return None
        if not self._found:
            return np.zeros(shape_of(self._plan, 0))
        return np.concatenate(self._found)


def shape_of(plan: Blueprint, rows: int) -> tuple[int, ...]:
    """Return the shape of predictions."""
    return (rows, plan.outputs) if plan.task.target.kind == "multiclass" else (rows,)


def score(plan: Blueprint, part: Arrays) -> ScoringRounds:
    """The coordinator's half: join, and hand on, or predict where labels are shared."""
    owner = plan.task.label_party
    if plan.shared:
        net, goal = restored_end(plan, part)
    else:
        net, goal = plan.middle(), None
        net.restore(named(part, "top"))
    for step, chunk in enumerate(chunks(plan.task.rows)):
        replies = yield Asks(to={party: numbered(step) for party in plan.holders})
        inputs = joined(plan, replies, chunk.stop - chunk.start)
        given = net.forward(inputs, training=False)
        told: dict[str, Array] = numbered(step)
        if goal is not None:
            told["scores"] = goal.predicted(given)
        else:
            told["top"] = packed(given, plan.precision)
        yield Asks(to={owner: told})
