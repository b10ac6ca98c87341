"""What the last layer's numbers mean: losses, their slopes, and predictions."""

from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import Target
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats

SQUARES = "regression"  # the kind that learns by squared error
_MOST_LOG = 50.0  # a rate above e^50 is no count
_SMALLEST = 1e-12


def outputs_of(target: Target) -> int:
    """Return how many numbers the last layer gives."""
    return len(target.classes) if target.kind == "multiclass" else 1


def encoded(y: Floats, target: Target) -> Floats:
    """Return the target as (rows, outputs): the number itself, or one column a class.

    Raises:
        TrainingError: The values are none of such a target, or all the same.
    """
    most = len(target.classes) - 1
    classes = target.kind in {"binary", "multiclass"}
    if not np.isfinite(y).all() or (y.min(initial=0.0) < 0 and target.kind != SQUARES):
        raise _unlearnable("has values that its kind does not allow")
    if classes and ((y > most) | (y != np.floor(y))).any():
        raise _unlearnable("has values that are no class of the contract")
    if not len(y) or (y == y[0]).all():
        raise _unlearnable("has one value only")
    if target.kind != "multiclass":
        return y[:, None].astype(np.float64)
    return np.asarray(y[:, None] == np.arange(len(target.classes)), dtype=np.float64)


@dataclass(frozen=True)
class Goal:
    """A loss, and the constants that make the first outputs those of the mean.

    Args:
        kind: "binary", "multiclass", "count", or "regression" for squared error.
        shift: (outputs,) added to the net's outputs; of a regression, subtracted
            from the target.
        scale: (outputs,) that a regression's target is divided by; else 1.
    """

    kind: str
    shift: Floats
    scale: Floats

    @classmethod
    def of(cls, kind: str, targets: Floats, weights: Floats) -> "Goal":
        """Return the goal of a training set: (rows, outputs) and (rows,) weights."""
        mean = np.average(targets, axis=0, weights=weights)
        one = np.ones_like(mean)
        if kind == SQUARES:
            spread = np.average(np.square(targets - mean), axis=0, weights=weights)
            return cls(kind, mean, np.sqrt(np.maximum(spread, _SMALLEST)))
        mean = np.maximum(mean, _SMALLEST)
        if kind == "binary":
            return cls(kind, np.log(mean / np.maximum(1.0 - mean, _SMALLEST)), one)
        return cls(kind, np.log(mean), one)

    def losses(self, z: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """Return each row's loss (rows,) and its slope by `z` (rows, outputs)."""
        if self.kind == SQUARES:
            apart = z - (targets - self.shift) / self.scale
            return 0.5 * np.square(apart).sum(axis=1), apart
        z = z + self.shift
        if self.kind == "count":
            rate = np.exp(np.minimum(z, _MOST_LOG))
            return (rate - targets * z)[:, 0], rate - targets
        if self.kind == "binary":
            small = np.exp(-np.abs(z))  # never overflows
            chance = np.where(z >= 0, 1.0, small) / (1.0 + small)
            losses = np.log1p(small) + np.maximum(z, 0.0) - z * targets
            return losses[:, 0], chance - targets
        chances = _softmax(z)
        found = -(targets * np.log(np.maximum(chances, np.finfo(float).tiny)))
        return found.sum(axis=1), chances - targets

    def predicted(self, z: Floats) -> Floats:
        """Return predictions as `Algorithm.predict` does."""
        if self.kind == SQUARES:
            return np.asarray((z * self.scale + self.shift)[:, 0])
        z = z + self.shift
        if self.kind == "multiclass":
            return _softmax(z)
        if self.kind == "count":
            return np.asarray(np.exp(np.minimum(z, _MOST_LOG))[:, 0])
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -500.0, 500.0)))[:, 0])

    def arrays(self) -> dict[str, Floats]:
        """Return the constants."""
        return {"goal.shift": self.shift, "goal.scale": self.scale}

    @classmethod
    def restored(cls, target: Target, arrays: Arrays) -> "Goal":
        """Return the goal of a part.

        Raises:
            MessageError: The constants are missing or out of range.
        """
        shape = (outputs_of(target),)
        scale = checked(arrays, "goal.scale", shape)
        if not (scale > 0).all():
            raise malformed("goal.scale")
        return cls(target.kind, checked(arrays, "goal.shift", shape), scale)


def _softmax(z: Floats) -> Floats:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _unlearnable(why: str) -> TrainingError:
    return TrainingError(
        f"The target of the matched rows {why}.",
        remedy="Look at the label product, and at what its keys match.",
    )
