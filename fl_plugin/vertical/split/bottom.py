"""A domain's own net: it answers with activations and learns from gradients."""

from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Side
from fl_plugin.vertical.split.blueprint import Blueprint, coded_of, rows_of
from fl_plugin.vertical.split.decorrelation import (
    distance_correlation,
    row_distances,
)
from fl_plugin.vertical.split.wire import in_turn, packed, unpacked


@dataclass
class Bottom:
    """One domain's half of a fit, as far as its columns go.

    Args:
        plan: Of the fit.
        side: The domain's place.
    """

    plan: Blueprint
    side: Side

    def __post_init__(self) -> None:
        """Make the net."""
        self._x = rows_of(self.side)
        if len(self._x) != self.plan.task.rows:
            raise malformed("x")
        self._coded = coded_of(self.side.columns)
        self.net = self.plan.bottom(self.side)
        self._orders = self.plan.schedule.orders()
        self._step = 0
        self._given = np.empty((0, 0))

    def answer(self, question: Arrays) -> dict[str, Array]:
        """Learn from the last batch's gradient; return the next one's activations.

        Raises:
            MessageError: The question is not the one that comes next.
        """
        begun = {"gradient"} if self._step else set[str]()
        in_turn(question, self._step, begun)
        if self._step > self.plan.schedule.steps:
            raise malformed("step")
        if self._step:
            shape = self._given.shape[0], self.plan.sizes.cut
            found = unpacked(question, "gradient", shape, self.plan.precision)
            self._learn(found)
        self._step += 1
        if self._step > self.plan.schedule.steps:
            return {}
        rows = self._orders.rows(self._step - 1)
        self._given = self.net.forward(self._x[rows], training=True)
        sent = self.plan.guard.release.sent(self._given)
        return {"cut": packed(sent, self.plan.precision)}

    def _learn(self, gradient: Floats) -> None:
        rows = len(gradient)
        slope = self.plan.guard.release.backward(self._given, gradient / rows)
        weight = self.plan.guard.decorrelate
        if weight:
            x = self._x[self._orders.rows(self._step - 1)]
            apart = row_distances(x, self._coded)
            slope = slope + weight * distance_correlation(apart, self._given)[1]
        self.net.backward(slope)
        self.net.learn()

    def arrays(self) -> dict[str, Floats]:
        """Return its own part of the model."""
        return {f"bottom.{name}": array for name, array in self.net.arrays().items()}
