"""A party's half of a fit: its bottom net, its labels, or both."""

import numpy as np

from fl_plugin.algorithms.base import Block
from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.base import Side, VerticalWorker
from fl_plugin.vertical.split.blueprint import Blueprint
from fl_plugin.vertical.split.bottom import Bottom
from fl_plugin.vertical.split.keys import Secret
from fl_plugin.vertical.split.label import LabelEnd
from fl_plugin.vertical.split.wire import in_turn, numbered, packed, unpacked

COORDINATOR = "coordinator"
_BYTE = 255


class SplitWorker(VerticalWorker):
    """Answers for one party.

    Args:
        plan: Of the fit.
        side: The party's place.
    """

    def __init__(self, plan: Blueprint, side: Side) -> None:
        self._plan, self._side = plan, side
        self._bottom = Bottom(plan, side) if side.party in plan.holders else None
        self._labels_sent = False
        self._step = 0
        self._end: LabelEnd | None = None
        self._orders = plan.schedule.orders()
        if side.party != plan.task.label_party:
            return
        if side.block.y.shape != (plan.task.rows,):
            raise malformed("y")
        if not plan.shared:
            secret = Secret.of(plan.task.seed, f"{side.party} labels", side.block)
            seen = (slice(0, plan.joined),)
            noise = Secret.of(
                plan.task.seed, f"{side.party} noise", side.block, side.secret
            )
            self._end = LabelEnd(plan, side.block.y, secret, noise, seen)

    def answer(self, question: Arrays) -> Arrays:
        """Return activations, gradients of the end, or labels where they are shared."""
        if "labels" in question:
            return self._labels(question)
        if "top" in question:
            return self._gradient(question)
        if self._bottom is None:
            raise malformed("step")
        return self._bottom.answer(question)

    def _labels(self, question: Arrays) -> Arrays:
        own = self._side.party == self._plan.task.label_party
        if not own or not self._plan.shared or self._labels_sent:
            raise malformed("labels")
        in_turn(question, 0, {"labels"})
        self._labels_sent = True
        return {"labels": packed_labels(self._plan, self._side.block.y)}

    def _gradient(self, question: Arrays) -> Arrays:
        if self._end is None or self._step >= self._plan.schedule.steps:
            raise malformed("top")
        in_turn(question, self._step, {"top"})
        rows = self._orders.rows(self._step)
        precision = self._plan.precision
        shape = len(rows), self._plan.joined
        inputs = unpacked(question, "top", shape, precision)
        back = self._end.learn(self._step, rows, inputs)
        self._step += 1
        return {"gradient": packed(back, precision)}

    def part(self) -> Arrays:
        """Return this party's weights and nobody else's."""
        bottom = self._bottom.arrays() if self._bottom else {}
        return bottom | (self._end.arrays() if self._end else {})

    def figures(self) -> dict[str, float]:
        """Return losses and what attacks find; at a protected label party alone."""
        if self._end is None or self._step < self._plan.schedule.steps:
            return {}
        losses = list(self._end.losses.values())
        return {"loss_first": losses[0], "loss_last": losses[-1]} | self._end.figures()


def packed_labels(plan: Blueprint, y: Floats) -> Array:
    """Return shared labels as they are sent: a byte each where they are classes."""
    if _as_bytes(plan):
        return y.astype(np.uint8)
    return np.ascontiguousarray(y, dtype=np.float64)


def end_at_coordinator(plan: Blueprint, answer: Arrays) -> LabelEnd:
    """Return the end of the network where labels are shared, from the labels sent.

    Raises:
        MessageError: They are not as many, or not of the type that was asked for.
    """
    labels = answer.get("labels")
    kind = np.uint8 if _as_bytes(plan) else np.float64
    if labels is None or labels.dtype != kind or labels.shape != (plan.task.rows,):
        raise malformed("labels")
    if not np.isfinite(labels).all():
        raise malformed("labels")
    y = labels.astype(np.float64)
    block = Block(np.empty((0, len(y))), y)
    others = [p for p in plan.holders if p != plan.task.label_party]
    seen = tuple(plan.slice_of(party) for party in others)
    secret = Secret.of(plan.task.seed, COORDINATOR, block)
    return LabelEnd(plan, y, secret, secret, seen)


def asking_labels() -> dict[str, Array]:
    """Return the question for shared labels."""
    return numbered(0) | {"labels": np.array([1], dtype=np.int64)}


def _as_bytes(plan: Blueprint) -> bool:
    target = plan.task.target
    return target.kind in {"binary", "multiclass"} and len(target.classes) <= _BYTE
