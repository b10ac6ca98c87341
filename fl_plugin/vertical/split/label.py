"""The end of the network: the last layers, the loss, and what is sent back from it.

It stands at the label party where labels are protected, at the coordinator where they
are shared.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.summand import Array, Arrays, Floats
from fl_plugin.vertical.split.attacks import Evidence
from fl_plugin.vertical.split.blueprint import Blueprint, drawn
from fl_plugin.vertical.split.defences import NOISY_LABELS
from fl_plugin.vertical.split.goals import SQUARES, Goal, encoded
from fl_plugin.vertical.split.keys import CHOICE, NOISE, Secret
from fl_plugin.vertical.split.net import Net

_TRUE, _NOISY = 0, 1  # which of the two heads a draw is for
_ATTACK = 1


@dataclass
class Head:
    """Last layers that learn one set of targets.

    Args:
        net: The layers.
        goal: Its loss.
        targets: (rows, outputs).
        weights: (rows,), 1 in the mean.
    """

    net: Net
    goal: Goal
    targets: Floats
    weights: Floats

    def learn(self, rows: Array, inputs: Floats) -> tuple[float, Floats]:
        """Take one step; return the loss and each row's gradient (rows, inputs)."""
        z = self.net.forward(inputs, training=True)
        losses, slope = self.goal.losses(z, self.targets[rows])
        weights = self.weights[rows]
        back = self.net.backward(slope * weights[:, None] / len(rows))
        self.net.learn()
        return float((losses * weights).sum()), back * len(rows)


@dataclass
class LabelEnd:
    """The labels, one head that learns them, and one that learns noisy ones.

    Args:
        plan: Of the fit.
        y: (rows,) target.
        secret: For its draws; nobody without the labels has it.
        noise: For noise; nobody but the label party has it, labels or not.
        slices: Which of its inputs each opponent sees.
    """

    plan: Blueprint
    y: Floats
    secret: Secret
    noise: Secret
    slices: tuple[slice, ...]
    losses: dict[int, float] = field(default_factory=dict)  # by epoch, mean of a row

    def __post_init__(self) -> None:
        """Make the heads."""
        task, defence = self.plan.task, self.plan.guard.defence
        targets = encoded(self.y, task.target)
        weights = self.plan.balance.weights(
            self.y, task.target, self.secret.rng(CHOICE)
        )
        goal = Goal.of(task.target.kind, targets, weights)
        net = self.plan.end(drawn(self.secret, _TRUE))
        self._head = Head(net, goal, targets, weights)
        self._noisy = self._second(targets) if defence.name == NOISY_LABELS else None
        self._positive = self.y == 1.0
        binary = task.target.kind == "binary"
        self._evidence = Evidence(
            self._positive, self.slices if binary else (), self.plan.schedule.epochs
        )

    def _second(self, targets: Floats) -> Head:
        """Return the head whose gradients are sent: it has never seen a true label.

        It learns by squared error and counts all rows alike: a weight that depends on
        a label would show it.
        """
        noise = self.plan.guard.defence.noise
        kind = self.plan.task.target.kind
        unit = targets.std() if kind in {SQUARES, "count"} else 1.0
        # Of every strength anew: two multiples of the same draws give labels away.
        strength = int(np.float64(noise).view(np.uint64))
        draws = self.noise.rng(NOISE, _NOISY, strength).standard_normal(targets.shape)
        noisy = targets + noise * unit * draws
        even = np.ones(len(targets))
        net = self.plan.end(drawn(self.noise, _NOISY))
        return Head(net, Goal.of(SQUARES, noisy, even), noisy, even)

    def learn(self, step: int, rows: Array, inputs: Floats) -> Floats:
        """Take one step; return the gradients that may be sent (rows, inputs)."""
        loss, back = self._head.learn(rows, inputs)
        if self._noisy is not None:
            back = self._noisy.learn(rows, inputs)[1]
        positive = self._positive[rows]
        back = self.plan.guard.defence.gradients(back, positive, self._drawn(back))
        epoch = self.plan.schedule.epoch(step)
        if self.slices and self.plan.task.target.kind == "binary":
            self._evidence.keep(rows, epoch, back, inputs)
        self.losses[epoch] = self.losses.get(epoch, 0.0) + loss / len(self.y)
        return back

    def _drawn(self, back: Floats) -> np.random.Generator:
        """Return the draws for these gradients, and for these alone.

        A run with other options, or other columns elsewhere, has others: were the
        draws the same, they would cancel in the difference of both runs' gradients.
        """
        told = hashlib.sha256(np.ascontiguousarray(back).data).digest()
        return self.noise.rng(NOISE, *np.frombuffer(told, dtype="<u4").tolist())

    def figures(self) -> dict[str, float]:
        """Return what attacks on all that was sent would find."""
        return self._evidence.figures(self.secret.rng(NOISE, _ATTACK, _ATTACK))

    def arrays(self) -> dict[str, Floats]:
        """Return the head that predicts; the other is thrown away."""
        found = {f"label.{n}": a for n, a in self._head.net.arrays().items()}
        return found | self._head.goal.arrays()


def restored_end(plan: Blueprint, part: Arrays) -> tuple[Net, Goal]:
    """Return the predicting head of a part.

    Raises:
        MessageError: The part is of another network.
    """
    net = plan.end(drawn(Secret.public(0)))
    net.restore(named(part, "label"))
    return net, Goal.restored(plan.task.target, part)


def named(part: Arrays, net: str) -> dict[str, Array]:
    """Return the arrays of one net out of a part."""
    return {
        name.removeprefix(f"{net}."): array
        for name, array in part.items()
        if name.startswith(f"{net}.")
    }
