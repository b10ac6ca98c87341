"""What models of one linear predictor z = w x + b share: a pass over rows, its sums.

A model is a loss of z and y. Its first two derivatives by z, r and h, give

    loss = sum l(z, y),   gradient = sum r (x, 1),   Hessian = sum h (x, 1)(x, 1)',

where l, r and h of a row may be multiplied by a weight.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import BATCH, Design, Task
from fl_plugin.algorithms.geometry.symmetric import full, triangle
from fl_plugin.algorithms.linear_models.newton import NewtonAlgorithm
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class GeneralisedLinearModel(NewtonAlgorithm):
    """Base of the models of one linear predictor, fitted by Newton's method."""

    @abstractmethod
    def curves(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its first and second derivative by z.

        Raises:
            TrainingError: A target is one that the model does not know.
        """

    def weights(self, y: Floats, task: Task) -> Floats | float:  # noqa: ARG002
        """Return what each row counts, (rows,), or all of them alike."""
        return 1.0

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Loss (1,), gradient (p+1,) and, where asked, the Hessian's upper triangle."""
        point = question["point"]
        curved = bool(question["curved"][0])
        size = task.width + 1
        loss, gradient, hessian = 0.0, np.zeros(size), np.zeros((size, size))
        room = np.empty((size, BATCH))
        for block in design.blocks(BATCH):
            more, first, second = self.curves(point[:-1] @ block.x + point[-1], block.y)
            weight = self.weights(block.y, task)
            loss += float((weight * more).sum())
            first = weight * first
            gradient[:-1] += block.x @ first
            gradient[-1] += first.sum()
            if curved:
                # A block times its own transpose lets BLAS do half the work (syrk).
                root = np.sqrt(weight * second)
                scaled = room[:, : block.rows]
                np.multiply(block.x, root, out=scaled[:-1])
                scaled[-1] = root
                hessian += scaled @ scaled.T
        sums = {"loss": np.array([loss]), "gradient": gradient}
        return sums | {"hessian": triangle(hessian)} if curved else sums

    def hessian(self, sums: Arrays, task: Task) -> Floats:
        """Return the Hessian of the summed losses out of an answer."""
        return full(sums["hessian"], task.width + 1)

    def model(self, at: Floats, rounds: int, task: Task) -> Arrays:  # noqa: ARG002
        """Return `coefficients` (p,), `intercept` (1,) and `iterations` (1,)."""
        return {
            "coefficients": at[:-1].copy(),
            "intercept": at[-1:].copy(),
            "iterations": np.array([rounds], dtype=np.int64),
        }
