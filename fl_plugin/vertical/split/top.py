"""The coordinator's half: join what domains send, pass it on, send gradients back.

An exchange with a domain carries the gradient of one batch there and the activation of
the next batch back, so there is one exchange a batch, and one more with the label
party where labels are protected.
"""

from collections.abc import Mapping

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats
from fl_plugin.vertical.base import Asks, Replies, Rounds, VerticalFitted
from fl_plugin.vertical.split.blueprint import Blueprint
from fl_plugin.vertical.split.guarantees import guarantees
from fl_plugin.vertical.split.label import LabelEnd
from fl_plugin.vertical.split.party import asking_labels, end_at_coordinator
from fl_plugin.vertical.split.wire import BYTES, numbered, packed, unpacked


def fit_shared(plan: Blueprint) -> Rounds:
    """Labels are shared: the loss is here, and backpropagation begins here."""
    owner = plan.task.label_party
    replies = yield Asks(to={owner: asking_labels()})
    end = end_at_coordinator(plan, replies[owner])
    orders = plan.schedule.orders()
    replies = yield Asks(to=_begin(plan))
    for step in range(plan.schedule.steps):
        rows = orders.rows(step)
        inputs = joined(plan, replies, len(rows))
        back = end.learn(step, rows, inputs)
        replies = yield Asks(
            to=_returned(plan, step, back), progress=_of(plan, step, end)
        )
    loss = end.losses[plan.schedule.epochs - 1]
    if not np.isfinite(loss):
        raise _diverged()
    return VerticalFitted(
        part=end.arrays(),
        rounds=plan.schedule.steps + 2,
        loss=loss,
        notes=guarantees(plan),
        figures=_traffic(plan) | end.figures(),
    )


def fit_protected(plan: Blueprint) -> Rounds:
    """Labels are protected: the middle is here, the loss at the label party."""
    owner = plan.task.label_party
    net = plan.middle()
    orders = plan.schedule.orders()
    replies = yield Asks(to=_begin(plan))
    for step in range(plan.schedule.steps):
        rows = len(orders.rows(step))
        given = net.forward(joined(plan, replies, rows), training=True)
        if not np.isfinite(given).all():
            raise _diverged()
        told = numbered(step) | {"top": packed(given, plan.precision)}
        answer = (yield Asks(to={owner: told}, progress=_of(plan, step)))[owner]
        slope = unpacked(answer, "gradient", given.shape, plan.precision)
        back = net.backward(slope / rows) * rows
        net.learn()
        replies = yield Asks(to=_returned(plan, step, back))
    part = {f"top.{name}": array for name, array in net.arrays().items()}
    return VerticalFitted(
        part=part,
        rounds=2 * plan.schedule.steps + 1,
        notes=guarantees(plan),
        figures=_traffic(plan),
    )


def joined(plan: Blueprint, replies: Replies, rows: int) -> Floats:
    """Return the domains' activations side by side.

    Raises:
        MessageError: One is missing, misshapen or not finite.
    """
    shape = rows, plan.sizes.cut
    parts = [unpacked(replies[p], "cut", shape, plan.precision) for p in plan.holders]
    return np.concatenate(parts, axis=1)


def _begin(plan: Blueprint) -> Mapping[str, Arrays]:
    return {party: numbered(0) for party in plan.holders}


def _returned(plan: Blueprint, step: int, back: Floats) -> Mapping[str, Arrays]:
    return {
        party: {
            **numbered(step + 1),
            "gradient": packed(back[:, plan.slice_of(party)], plan.precision),
        }
        for party in plan.holders
    }


def _of(plan: Blueprint, step: int, end: LabelEnd | None = None) -> dict[str, float]:
    """Return progress; where labels are protected no loss is known here."""
    epoch = plan.schedule.epoch(step)
    found = {"step": float(step + 1), "epoch": float(epoch + 1)}
    if end is not None and epoch:
        found["loss"] = end.losses[epoch - 1]
    return found


def _traffic(plan: Blueprint) -> dict[str, float]:
    """Return bytes of activations and gradients, headers left out."""
    rows, size = plan.task.rows, BYTES[plan.precision]
    cut = float(rows * plan.sizes.cut * size)
    found = {
        "bytes_up_per_domain_and_epoch": cut,
        "bytes_down_per_domain_and_epoch": cut,
    }
    if not plan.shared:
        handed = float(rows * plan.joined * size)
        found["bytes_label_party_each_way_and_epoch"] = handed
    return found


def _diverged() -> TrainingError:
    return TrainingError(
        "The split network's numbers grew beyond all bounds.",
        remedy="Lower `learning_rate`, or standardise the features.",
    )
