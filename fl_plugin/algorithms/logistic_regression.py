"""Exact federated logistic regression: Newton's method on summed derivatives.

Minimises  sum_i log(1 + exp(-s_i z_i)) + l2/2 |w|^2,  z = w x + b,  s = +-1,  the
objective of scikit-learn's `LogisticRegression(C=1/l2)` on the pooled rows; b is not
penalised. Loss, gradient and Hessian are sums over rows, hence over parties: adding
the parties' parts gives exactly what the pooled rows would give, so the minimiser is
the same. Newton with step halving: Boyd & Vandenberghe (2004), section 9.5.

What leaves a domain per round, masked: 1 + (p+1) + (p+1)(p+2)/2 numbers.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.base import (
    Algorithm,
    Design,
    Fitted,
    Floats,
    Iterate,
    Sums,
)
from fl_plugin.errors import TrainingError

# Blocks of this many rows stay in a core's second-level cache.
BATCH = 4_096
ARMIJO = 1e-4
SMALLEST_STEP = 2.0**-20
# Below this share of the loss, a difference of two losses is rounding error.
LOSS_NOISE = 1e-12


@dataclass(frozen=True, kw_only=True)
class NewtonState(Iterate):
    """The accepted point with its derivatives, and the step that is being tried."""

    accepted: Floats | None = None
    gradient: Floats | None = None
    hessian: Floats | None = None
    direction: Floats | None = None
    length: float = 1.0


@dataclass(frozen=True, kw_only=True)
class LogisticRegression(Algorithm):
    """Binary logistic regression with an L2 penalty.

    Args:
        l2: Weight of the penalty, 1/C of scikit-learn; above 0.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "logistic_regression"
    title: ClassVar[str] = "Logistic regression, exact (Newton on summed derivatives)"
    paper: ClassVar[str] = "Boyd & Vandenberghe (2004), section 9.5"
    target: ClassVar[str] = "binary"
    sees: ClassVar[str] = "sum"
    exact: ClassVar[str] = (
        "scikit-learn's LogisticRegression(C=1/l2) on the pooled rows, to the last "
        "digits of the solver's tolerance"
    )
    leaves: ClassVar[str] = (
        "per round, summed over the domain's training rows: the loss, its gradient "
        "and its Hessian, as masked fixed-point integers"
    )
    l2: float = 1.0
    tolerance: float = 1e-10
    max_rounds: int = 50

    def start(self, features: int) -> NewtonState:
        """Begin at zero."""
        return NewtonState(point=np.zeros(features + 1))

    def step(self, point: Floats, design: Design) -> dict[str, Floats]:
        """Loss (1,), gradient (p+1,) and upper triangle of the Hessian at `point`."""
        features, rows = design.x.shape
        loss = 0.0
        gradient = np.zeros(features + 1)
        hessian = np.zeros((features + 1, features + 1))
        block = np.empty((features + 1, min(BATCH, max(rows, 1))))
        for begin in range(0, rows, BATCH):
            x = design.x[:, begin : begin + BATCH]
            y = design.y[begin : begin + BATCH]
            z = point[:-1] @ x + point[-1]
            small = np.exp(-np.abs(z))  # never overflows
            loss += float((np.log1p(small) + np.maximum(z, 0.0) - z * y).sum())
            chance = np.where(z >= 0, 1.0, small) / (1.0 + small)
            residual = chance - y
            gradient[:-1] += x @ residual
            gradient[-1] += residual.sum()
            # A block times its own transpose lets BLAS do half the work (syrk).
            root = np.sqrt(chance * (1.0 - chance))
            scaled = block[:, : x.shape[1]]
            np.multiply(x, root, out=scaled[:-1])
            scaled[-1] = root
            hessian += scaled @ scaled.T
        return {
            "loss": np.array([loss]),
            "gradient": gradient,
            "hessian": hessian[np.triu_indices(features + 1)],
        }

    def bounds(self, point: Floats, rows: int) -> dict[str, float]:
        """Cauchy-Schwarz: with mean squares of at most 1, sums of |x_j x_k| are <= n.

        |z| sums to at most n |point|_1; the residual is at most 1 and the curvature
        at most 1/4. A factor 2 leaves room for the rounding of the moments.
        """
        total = 2.0 * max(rows, 1)
        return {
            "loss": total * (1.0 + float(np.abs(point).sum())),
            "gradient": total,
            "hessian": total / 2.0,
        }

    def scores(self, point: Floats, design: Design) -> Floats:
        """The logistic function of the linear predictor."""
        z = point[:-1] @ design.x + point[-1]
        small = np.exp(-np.abs(z))
        chances: Floats = np.where(z >= 0, 1.0, small) / (1.0 + small)
        return chances

    def update(self, state: Iterate, sums: Sums) -> NewtonState:
        """Accept the point if the loss fell enough, else halve the step."""
        if not isinstance(state, NewtonState):
            raise TypeError
        penalty = np.append(np.full(len(state.point) - 1, self.l2), 0.0)
        loss = float(sums["loss"][0]) + 0.5 * float(penalty @ state.point**2)
        asked = state.asked + 1
        if not self._fell_enough(state, loss) and state.length > SMALLEST_STEP:
            return self._shorter(state, asked)
        gradient = sums["gradient"] + penalty * state.point
        hessian = _full(sums["hessian"], len(state.point)) + np.diag(penalty)
        direction = np.asarray(-np.linalg.solve(hessian, gradient), np.float64)
        # Newton's step is, to first order, the distance that is left.
        converged = bool(np.abs(direction).max() < self.tolerance)
        return NewtonState(
            point=state.point if converged else state.point + direction,
            asked=asked,
            finished=converged or asked >= self.max_rounds,
            converged=converged,
            accepted=state.point,
            loss=loss,
            gradient_norm=float(np.linalg.norm(gradient)),
            step_length=float(np.abs(direction).max()),
            gradient=gradient,
            hessian=hessian,
            direction=direction,
        )

    def result(self, state: Iterate, resolution: float) -> Fitted:
        """Return the coefficients with a certificate of their distance to the optimum.

        The objective is self-concordant-like (Bach 2010, "Self-concordant analysis
        for logistic regression", Proposition 1): close to the optimum its curvature is
        at least half the final Hessian's smallest eigenvalue, so the distance is at
        most 2 |gradient| / eigenvalue. Rounding of the sums is added to the gradient.
        """
        if (
            not isinstance(state, NewtonState)
            or not state.converged
            or state.accepted is None
            or state.gradient is None
            or state.hessian is None
        ):
            raise TrainingError(
                f"{self.name} did not converge in {self.max_rounds} rounds.",
                remedy="Raise max_rounds or l2 in the study.",
            )
        smallest = float(np.linalg.eigvalsh(state.hessian)[0])
        norm = float(np.linalg.norm(state.gradient))
        rounding = resolution * np.sqrt(len(state.accepted))
        return Fitted(
            coefficients=state.accepted[:-1].copy(),
            intercept=float(state.accepted[-1]),
            loss=state.loss,
            gradient_norm=norm,
            smallest_eigenvalue=smallest,
            distance_bound=float(2.0 * (norm + rounding) / smallest),
            rounds=state.asked,
        )

    def _fell_enough(self, state: NewtonState, loss: float) -> bool:
        if state.gradient is None or state.direction is None:
            return True
        slope = float(state.gradient @ state.direction)
        allowed = LOSS_NOISE * abs(state.loss)
        return loss <= state.loss + ARMIJO * state.length * slope + allowed

    def _shorter(self, state: NewtonState, asked: int) -> NewtonState:
        if state.accepted is None or state.direction is None:
            raise TypeError
        length = state.length / 2.0
        return replace(
            state,
            point=state.accepted + length * state.direction,
            length=length,
            asked=asked,
            finished=asked >= self.max_rounds,
        )


def _full(triangle: Floats, size: int) -> Floats:
    """Return the symmetric matrix of which `triangle` is the upper half."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = triangle
    return matrix + np.triu(matrix, 1).T
