"""Newton's method on sums over parties, for convex objectives.

The objective is a sum over rows of convex losses plus a diagonal quadratic penalty.
Loss, gradient and Hessian of the sum are the sums of the parties' own, so Newton's
iterates, and where they end, are those of the pooled rows. A step is halved until the
loss has fallen enough (Boyd & Vandenberghe 2004, "Convex Optimization", section 9.5.2).
Close to the optimum the Hessian hardly changes: it is then kept, and a round costs
its gradient only. How far the optimum can be is proven in `certificate.py`. A penalty
that is not smooth is no part of a `Point`: what it adds, and what it does to the step
and to the gradient, are methods of their own (proximal Newton).
"""

import math
from abc import abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fl_plugin.algorithms.base import (
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import malformed
from fl_plugin.algorithms.checks.options import at_least, positive
from fl_plugin.algorithms.linear_models.certificate import Point, certify, longest
from fl_plugin.algorithms.linear_models.questions import capped
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Arrays, Floats

ARMIJO = 1e-4
SMALLEST_STEP = 2.0**-30
# Below this share of the loss, a difference of two losses is rounding error.
LOSS_NOISE = 1e-12
# A gradient is rounded in float64 before it is encoded: to about this share of the
# largest curvature, a sum of as many terms of the same size.
FLOAT_NOISE = 2.0**-50
# The Hessian is kept while it provably changes by less than a factor exp(2).
STEADY = 2.0
# Less than this share of the largest eigenvalue, all columns scaled alike, is rounding.
SINGULAR = 1e-14


@dataclass(frozen=True, kw_only=True)
class NewtonAlgorithm(RowAlgorithm):
    """Base of the algorithms that are fitted by Newton's method.

    Args:
        tolerance: Stop when Newton's next step moves no coefficient by more than this,
            or by more than this share of it where it is above 1.
        max_rounds: Give up after this many exchanges.
    """

    # R for rows of norm 1.
    concordance: ClassVar[float] = 1.0
    tolerance: float = 1e-10
    max_rounds: int = 50

    def __post_init__(self) -> None:
        """Refuse a tolerance or a number of rounds that no fit can keep."""
        positive(self.name, "tolerance", self.tolerance)
        at_least(self.name, "max_rounds", self.max_rounds, 1)

    @abstractmethod
    def start(self, task: Task) -> Floats:
        """Return the first point to ask about."""

    @abstractmethod
    def penalty(self, task: Task) -> Floats:
        """Return the quadratic penalty's weight of every coefficient."""

    @abstractmethod
    def hessian(self, sums: Arrays, task: Task) -> Floats:
        """Return the Hessian of the summed losses out of an answer."""

    @abstractmethod
    def model(self, at: Floats, rounds: int, task: Task) -> Arrays:
        """Return the model's arrays."""

    def repeated(self, task: Task) -> float:  # noqa: ARG002
        """Return how often a row of the Hessian repeats a sent number, on average."""
        return 1.0

    def share(self, task: Task) -> float:  # noqa: ARG002
        """Return what a row's loss counts in the objective."""
        return 1.0

    def ask(self, at: Floats, here: Point | None, task: Task) -> dict[str, Array]:  # noqa: ARG002
        """Return the question about a point, `here` being the last accepted one."""
        return {"point": at}

    def move(self, here: Point) -> Floats:
        """Return the step to the lowest point of the quadratic model."""
        return newton_step(here)

    def added(self, at: Floats) -> float:  # noqa: ARG002
        """Return what a penalty that is not smooth adds to the objective."""
        return 0.0

    def left(self, here: Point) -> Floats:
        """Return the gradient of the whole objective, the smallest where many are."""
        return here.gradient

    def rounds(self, task: Task) -> Rounds:
        """Newton's method; a step is halved until the objective has fallen enough."""
        at = self.start(task)
        capped(len(at))
        here = self._point((yield from self._look(at, None, task)), None, task)
        asked, before = 1, math.inf
        while asked < self.max_rounds:
            move = self.move(here)
            step = float(np.abs(move).max(initial=0.0))
            if self._settled(here, move, shrinks=step < before / 2.0):
                return self._result(here, task, asked)
            curved = not self._steady(here, move, before, task)
            length = 1.0
            while True:
                look = self._look(here.at + length * move, here, task, curved=curved)
                tried = self._point((yield from look), here, task)
                asked += 1
                if self._fell_enough(here, tried, move, length):
                    break
                length /= 2.0
                if length < SMALLEST_STEP or asked >= self.max_rounds:
                    raise self._lost()
            here, before = tried, step
        raise self._lost()

    def _look(
        self, at: Floats, here: Point | None, task: Task, *, curved: bool = True
    ) -> Generator[Question, Arrays, tuple[Arrays, Arrays]]:
        """Ask about a point; return the question and its sums."""
        flag = np.array([int(curved)], dtype=np.int64)
        question = {**self.ask(at, here, task), "curved": flag}
        if here is None:
            return question, (yield Question(arrays=question))
        progress = {
            "loss": here.loss,
            "gradient_norm": float(np.linalg.norm(here.gradient)),
            "step": float(np.abs(at - here.at).max(initial=0.0)),
        }
        return question, (yield Question(arrays=question, progress=progress))

    def _steady(self, here: Point, move: Floats, before: float, task: Task) -> bool:
        """Return whether the Hessian can be kept at no cost in rounds.

        Newton's steps shrink quadratically, s' = C s^2; with a kept Hessian the one
        after is C^2 s^3, and from then on each by the same factor. The Hessian is kept
        where that ends the search, and where it provably changes little.
        """
        step = float(np.abs(move).max(initial=0.0))
        if not math.isfinite(before):
            return False
        fresh = here.curved_at is here.at
        expected = step**5 / before**4 if fresh else step**2 / before
        reach = float(np.linalg.norm(here.at + move - here.curved_at))
        return (
            expected < self.tolerance
            and longest(task) * self.concordance * reach <= STEADY
        )

    def _point(
        self, told: tuple[Arrays, Arrays], here: Point | None, task: Task
    ) -> Point:
        """Return the objective at a point; infinite where a party's sums overflowed."""
        question, sums = told
        at, expected = question["point"], self.answers(question, task)
        share, penalty = self.share(task), self.penalty(task)
        loss = share * float(sums["loss"][0]) + 0.5 * float(penalty @ at**2)
        if int(sums.get("overflow", np.zeros(1))[0]) > 0:
            loss = math.inf
        if "hessian" in sums:
            hessian = share * self.hessian(sums, task) + np.diag(penalty)
            rounding = share * task.parties * expected["hessian"].rounding
            rounding *= self.repeated(task)
            curved_at = at
        elif here is not None:
            hessian, rounding = here.hessian, here.hessian_noise
            curved_at = here.curved_at
        else:
            raise malformed("hessian")
        float_noise = FLOAT_NOISE * float(np.abs(hessian).max())
        return Point(
            at=at,
            loss=loss,
            gradient=share * sums["gradient"] + penalty * at,
            hessian=hessian,
            curved_at=curved_at,
            noise=share * task.parties * expected["gradient"].rounding + float_noise,
            hessian_noise=rounding,
        )

    def _settled(self, here: Point, move: Floats, *, shrinks: bool) -> bool:
        if (np.abs(move) <= self.tolerance * np.maximum(1.0, np.abs(here.at))).all():
            return True
        return not shrinks and bool((np.abs(self.left(here)) <= 16 * here.noise).all())

    def _fell_enough(
        self, here: Point, tried: Point, move: Floats, length: float
    ) -> bool:
        before = here.loss + self.added(here.at)
        slope = float(here.gradient @ move)
        slope += self.added(here.at + move) - self.added(here.at)
        allowed = LOSS_NOISE * abs(before)
        most = before + ARMIJO * length * slope + allowed
        return tried.loss + self.added(tried.at) <= most

    def _result(self, here: Point, task: Task, asked: int) -> Fitted:
        # Along the way to the optimum a convex penalty's gradient grows too: what is
        # proven of the smooth part's holds for the whole.
        at = replace(here, gradient=self.left(here))
        certificate = certify(at, longest(task) * self.concordance)
        unproven = "How far the pooled optimum can be could not be bounded."
        return Fitted(
            model=self.model(here.at, asked, task),
            rounds=asked,
            loss=here.loss + self.added(here.at),
            certificate=certificate,
            notes=() if certificate else (unproven,),
        )

    def _lost(self) -> TrainingError:
        return TrainingError(
            f"{self.name} did not converge in {self.max_rounds} rounds.",
            remedy="Scale the numeric features, or raise the penalty or max_rounds "
            "in the study.",
        )


def newton_step(here: Point) -> Floats:
    """Return Newton's step; columns are brought to one scale first.

    Raises:
        TrainingError: The Hessian is singular, so there is no single optimum.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.diag(here.hessian), 1e-300))
    even = here.hessian * scale * scale[:, None]
    values, vectors = np.linalg.eigh(even)
    if not values[0] > SINGULAR * values[-1]:
        raise TrainingError(
            "The columns repeat one another, or are of far too unlike size, so the "
            "rows do not decide on one model.",
            remedy="Scale the numeric features, raise the penalty in the study, or "
            "drop a feature.",
        )
    return np.asarray(
        -scale * (vectors @ ((vectors.T @ (scale * here.gradient)) / values))
    )
