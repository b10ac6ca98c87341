"""What an algorithm is: a party's step over rows, a coordinator's update over sums.

The two halves never meet: `step` sees rows and returns arrays, `update` sees arrays
summed over all parties and returns the next state. Neither knows of privacy, engines
or files. The bounds on the summed arrays are public, so that fixed point cannot
overflow and a party can prove its part before it is masked.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import ContractError

Floats = npt.NDArray[np.float64]
Sums = Mapping[str, Floats]


@dataclass(frozen=True)
class Design:
    """One party's rows, prepared.

    Args:
        x: Features, one row of this array per feature: (features, rows).
        y: Target, (rows,); 0 or 1 for a binary one.
    """

    x: Floats
    y: Floats


@dataclass(frozen=True, kw_only=True)
class Iterate:
    """Where a fit stands; `point` is what the parties are asked about next.

    `loss`, `gradient_norm` and `step_length` (the largest change of a coefficient that
    comes next) describe the last accepted point.
    """

    point: Floats
    asked: int = 0
    finished: bool = False
    converged: bool = False
    loss: float = math.inf
    gradient_norm: float = math.inf
    step_length: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What came out: a linear predictor and how sure we are of it.

    Args:
        coefficients: (features,), in the order of the design.
        intercept: The constant.
        loss: Penalised objective at the solution.
        gradient_norm: Euclidean norm of its gradient there.
        smallest_eigenvalue: Of its Hessian there.
        distance_bound: How far, in Euclidean norm, the optimum of the same objective
            over all parties' rows pooled can be from these coefficients.
        rounds: Exchanges used.
    """

    coefficients: Floats
    intercept: float
    loss: float
    gradient_norm: float
    smallest_eigenvalue: float
    distance_bound: float
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Algorithm(ABC):
    """Base class; a subclass in this room, one per file, is found by its `name`."""

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    target: ClassVar[str]  # binary
    sees: ClassVar[str]  # "sum": compatible with masks
    exact: ClassVar[str]  # what it equals, in words
    leaves: ClassVar[str]  # what leaves a domain, in words

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the algorithm with these parameters.

        Raises:
            ContractError: A parameter is unknown, or of the wrong kind.
        """
        known = {f.name: f.type for f in fields(cls)}
        for name, value in parameters.items():
            if name not in known:
                raise ContractError(
                    f"{cls.name} has no parameter {name}.",
                    remedy=f"It has {', '.join(sorted(known))}.",
                )
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ContractError(
                    f"{name} of {cls.name} must be a number.",
                    remedy=f"See `fl algorithms show {cls.name}`.",
                )
        return cls(**parameters)

    def parameters(self) -> dict[str, float]:
        """Return every parameter with its value."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @abstractmethod
    def start(self, features: int) -> Iterate:
        """Return the first state for a design of this many features."""

    @abstractmethod
    def step(self, point: Floats, design: Design) -> dict[str, Floats]:
        """A party's part: what its rows contribute at `point`. Adds over parties."""

    @abstractmethod
    def bounds(self, point: Floats, rows: int) -> dict[str, float]:
        """Return, for each array of `step`, the largest size its total can have.

        Holds for features of mean square at most 1 over the `rows` training rows of
        all parties together, which the preparation guarantees.
        """

    @abstractmethod
    def scores(self, point: Floats, design: Design) -> Floats:
        """Return (rows,): the probability of a true target at `point`."""

    @abstractmethod
    def update(self, state: Iterate, sums: Sums) -> Iterate:
        """The coordinator's part: the next state, from the summed arrays."""

    @abstractmethod
    def result(self, state: Iterate, resolution: float) -> Fitted:
        """Return the fit; `resolution` bounds the rounding error of each summed entry.

        Raises:
            TrainingError: The fit did not converge.
        """


def solve(
    algorithm: Algorithm, features: int, total: Callable[[Floats], Sums]
) -> Fitted:
    """Run an algorithm to its end where the sums are at hand: one party, alone."""
    state = algorithm.start(features)
    while not state.finished:
        state = algorithm.update(state, total(state.point))
    return algorithm.result(state, 0.0)
