"""Newton's method on noisy sums, for private generalised linear models.

A fixed number of rounds; each adds noise to the gradient and to the Hessian of

    sum_i l(z_i, y_i) + l2/2 |w|^2,    z = w x + b,

and takes one step, with the Hessian's eigenvalues raised to the size of its noise so
that no direction is trusted that the noise has made up (Ganesh, Haghifam, Steinke &
Thakurta 2023, "Faster Differentially Private Convex Optimization via Second-Order
Methods", arXiv:2305.13209, algorithm 2: noise in both, curvature modified).

A row's part of the gradient is residual * (x, 1) and of the Hessian weight * (x, 1)
(x, 1)'. Rows are clipped to a norm, residual and weight are bounded by the loss:
that bounds what one row can do. All factors are multiples of powers of two and z is
looked up in a table, so sums over rows are exact in any order.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import (
    BATCH,
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.algorithms.private.releases import (
    PrivateAlgorithm,
    Release,
    clipped,
    snapped,
)
from fl_plugin.summand import Arrays, Floats

POINT_GRID = 2.0**14  # a coefficient is a multiple of 1 / POINT_GRID
RESIDUAL_GRID = 2.0**14
WEIGHT_GRID = 2.0**8
FARTHEST = 2.0**10  # no coefficient of a column within -1 to 1 is larger
LONGEST = 16.0  # of one step: a noisy start must not be thrown out of the table
Z_GRID, Z_END = 2**9, 32


@dataclass(frozen=True, kw_only=True)
class PrivateNewton(PrivateAlgorithm, RowAlgorithm):
    """Base of the private generalised linear models.

    Args:
        l2: Weight of the penalty on the summed loss; the intercept is free.
        steps: How many noisy steps are taken.
        norm: Longer rows are shortened to this Euclidean norm.
        curvature: Share of the budget that goes to the Hessian.
    """

    l2: float = 1.0
    steps: int = 5
    norm: float = 2.0
    curvature: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        within(self.name, "l2", self.l2, (0.0, 1e9))
        within(self.name, "steps", self.steps, (1, 50))
        within(self.name, "norm", self.norm, (0.125, 64.0))
        within(self.name, "curvature", self.curvature, (0.01, 0.99))

    @property
    @abstractmethod
    def highest(self) -> tuple[float, float]:
        """Largest absolute residual, and largest weight, of any row."""

    @abstractmethod
    def means(self, z: Floats) -> Floats:
        """Return the expected target at each z."""

    @abstractmethod
    def weights(self, z: Floats) -> Floats:
        """Return the second derivative of the loss by z."""

    @abstractmethod
    def observed(self, y: Floats) -> Floats:
        """Return the target, clipped to what it may be."""

    def step(self, question: Arrays, task: Task, design: Design) -> dict[str, Floats]:
        """Gradient (p+1,) and upper triangle of the Hessian, in units of `highest`."""
        point = snapped(_point(question, task), POINT_GRID)
        table = self._table()
        size = task.width + 1
        gradient, hessian = np.zeros(size), np.zeros((size, size))
        for block in design.blocks(BATCH):
            x = np.vstack([clipped(block.x, self.norm), np.ones(block.rows)])
            # Whole multiples of one power of two: BLAS rounds nothing.
            at = np.clip(np.rint(point @ x * Z_GRID), -Z_END * Z_GRID, Z_END * Z_GRID)
            place = at.astype(np.int64) + Z_END * Z_GRID
            residual = (table[0][place] - self.observed(block.y)) / self.highest[0]
            gradient += x @ snapped(np.clip(residual, -1.0, 1.0), RESIDUAL_GRID)
            hessian += (x * table[1][place]) @ x.T
        return {"gradient": gradient, "hessian": triangle(hessian)}

    def releases(self, question: Arrays, task: Task) -> Mapping[str, Release]:
        """A row moves the gradient by its norm, the Hessian by the norm's square."""
        _point(question, task)
        longest = np.sqrt(self.norm**2 + 1.0)  # with the intercept's 1
        size = task.width + 1
        rows = float(max(task.rows, 1))  # all columns lie within -1 to 1
        return {
            "gradient": Release(
                shape=(size,),
                bound=rows,
                sensitivity=float(longest),
                share=(1.0 - self.curvature) / self.steps,
            ),
            "hessian": Release(
                shape=(half_size(size),),
                bound=rows,
                sensitivity=float(longest**2),
                share=self.curvature / self.steps,
            ),
        }

    def rounds(self, task: Task) -> Rounds:
        """Take the fixed number of steps from zero."""
        point = np.zeros(task.width + 1)
        progress: dict[str, float] = {}
        for _ in range(self.steps):
            sums = yield Question(arrays={"point": point}, progress=progress)
            direction = self._direction(point, sums, task)
            length = float(np.linalg.norm(direction))
            direction *= min(1.0, LONGEST / max(length, LONGEST))
            point = np.clip(point + direction, -FARTHEST, FARTHEST)
            progress = {"step": length}
        return Fitted(
            model={
                "coefficients": point[None, :-1].copy(),
                "intercept": point[-1:].copy(),
                "iterations": np.array([self.steps], dtype=np.int64),
            },
            rounds=self.steps,
            notes=("Noise for differential privacy is in every coefficient.",),
        )

    def _direction(self, point: Floats, sums: Arrays, task: Task) -> Floats:
        """Newton's step, with eigenvalues no smaller than their noise."""
        residual, weight = self.highest
        penalty = np.append(np.full(task.width, self.l2), 0.0)
        gradient = sums["gradient"] * residual + penalty * point
        hessian = full(sums["hessian"], task.width + 1) * weight
        noise = self.releases({"point": point}, task)["hessian"].noise(task) * weight
        # The largest eigenvalue of such noise is about 2 sqrt(size) times its scale.
        floor = noise * np.sqrt(task.width + 1.0)
        values, vectors = np.linalg.eigh(hessian + np.diag(penalty))
        steady = np.maximum(values, max(floor, 1e-9 * abs(float(values[-1])), 1e-9))
        return np.asarray(-vectors @ ((vectors.T @ gradient) / steady))

    def _table(self) -> tuple[Floats, Floats]:
        """Means and weights at every z that is looked up; no row is in it."""
        z = np.arange(-Z_END * Z_GRID, Z_END * Z_GRID + 1) / Z_GRID
        weight = np.clip(self.weights(z) / self.highest[1], 0.0, 1.0)
        return self.means(z), snapped(weight, WEIGHT_GRID)


def _point(question: Arrays, task: Task) -> Floats:
    point = checked(question, "point", (task.width + 1,))
    if np.abs(point).max(initial=0.0) > FARTHEST:
        raise malformed("point")
    return point
