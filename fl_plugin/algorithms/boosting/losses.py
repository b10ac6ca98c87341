"""What boosting minimises, with its derivatives and how large they can get.

The losses are scikit-learn's own compiled ones. Those of classification have a
derivative of at most 1 in every row. Those of a number or a count have none that is
known beforehand; there the parties first sum the squares of their rows' derivatives,
and by Cauchy and Schwarz no sum over any rows can be larger than the root of (how many
rows there are) times (the sum of squares). For squared errors that sum is twice the
loss, which is public anyway. Where classes are balanced, a row's loss and derivatives
are times the weight of its class (`class_weights.py`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn._loss.loss import (
    HalfBinomialLoss,
    HalfGammaLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
)

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.summand import Floats

NUMBERS = {
    "squared_error": HalfSquaredError,
    "poisson": HalfPoissonLoss,
    "gamma": HalfGammaLoss,
}
TWO = 2
# Weighed derivatives are held in float32, which may be this much larger.
HELD = 1.0 + 2.0**-20


@dataclass(frozen=True)
class Loss:
    """A loss.

    Args:
        name: As scikit-learn calls it.
        compiled: scikit-learn's object.
        trees: How many are grown at a time: one, or one for each of several classes.
        bounded: Whether a row's derivative is at most 1 and its second at most 1/4,
            times its weight.
        weights: What a row of each class counts; empty where all rows count alike.
    """

    name: str
    compiled: Any
    trees: int
    bounded: bool
    weights: tuple[float, ...] = ()

    @property
    def heaviest(self) -> float:
        """The largest derivative of any row, where it is bounded."""
        return max(self.weights) * HELD if self.weights else 1.0

    def weigh(self, y: Floats) -> Floats | None:
        """Return what each row counts, (rows,); None where all count alike."""
        if not self.weights:
            return None
        return np.asarray(np.array(self.weights)[y.astype(np.intp)])

    @property
    def constant_hessian(self) -> bool:
        """Whether every row's second derivative is 1."""
        return bool(self.compiled.constant_hessian)

    def start(self, sums: Floats, rows: int) -> Floats:
        """Return the raw prediction of the constant model, (trees,).

        Args:
            sums: Rows of each class, or the sum of the target, (1,).
            rows: How many rows.

        Raises:
            TrainingError: There are no rows, one class only, or targets out of range.
        """
        if rows == 0 or (self.bounded and np.count_nonzero(sums) < len(sums)):
            raise TrainingError(
                "A class of the target has no training rows.",
                remedy="Check the studies' row filters, or drop that class.",
            )
        means = np.asarray(sums, dtype=np.float64) / rows
        if self.weights:
            means *= self.weights
            means /= means.sum()
        if self.trees > 1:
            tiny = np.finfo(np.float64).eps
            shares = np.clip(means, tiny, 1.0 - tiny)
            return np.asarray(self.compiled.link.link(shares[None, :])[0])
        if not self.compiled.in_y_pred_range(means[-1:]):
            raise TrainingError(
                f"The mean of the target is not one that {self.name} can have.",
                remedy="Choose `loss: squared_error`, or check the target.",
            )
        return np.atleast_1d(self.compiled.fit_intercept_only(means[-1:]))


def loss_of(name: str, target: Target) -> Loss:
    """Return a loss by its name; "auto" takes what fits the target.

    Raises:
        ContractError: The loss is not one for this kind of target.
    """
    if target.kind == "binary" and name in {"auto", "log_loss"}:
        return Loss("log_loss", HalfBinomialLoss(), 1, bounded=True)
    if target.kind == "multiclass" and name in {"auto", "log_loss"}:
        many = len(target.classes)
        if many > TWO:
            compiled = HalfMultinomialLoss(n_classes=many)
            return Loss("log_loss", compiled, many, bounded=True)
        return Loss("log_loss", HalfBinomialLoss(), 1, bounded=True)
    if name == "auto":
        name = "poisson" if target.kind == "count" else "squared_error"
    if name not in NUMBERS or target.kind not in {"regression", "count"}:
        raise ContractError(
            f"The loss {name} is not one for a {target.kind} target.",
            remedy=f"Choose one of auto, {', '.join(NUMBERS)}.",
        )
    return Loss(name, NUMBERS[name](), 1, bounded=False)
