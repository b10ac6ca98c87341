"""BFGS on gradients alone, for convex objectives whose value nobody knows.

Nocedal & Wright (2006), "Numerical Optimization", chapter 6. In place of the loss the
slope along a step decides on its length: along a line it grows in a convex objective,
so a step is too long where it has turned and become steeper than it was; the secant
says by how much. Every party's own columns are brought to even size beforehand
(`columns.py`), so the first curvature is near a multiple of 1. All steps are kept and
the curvature is built anew from them, its multiple taken from the latest.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats

FIRST = 0.5  # no first step is longer
STEEPEST = 0.9  # of the slope at the start: as much may be found at the end, turned
SHORTEST = 0.1
STALLED = 3  # looks without progress, near the end: rounding is all that is left
NEAR = 100.0  # tolerances


@dataclass(frozen=True)
class Found:
    """Where a search ended.

    Args:
        at: The point.
        step: The largest entry of the next step.
        gradient: There.
    """

    at: Floats
    step: float
    gradient: Floats


@dataclass
class Curvature:
    """What steps and the changes of the gradient along them tell of the inverse."""

    steps: list[tuple[Floats, Floats]] = field(default_factory=list)

    def add(self, moved: Floats, change: Floats) -> None:
        """Take in a step; one along which rounding hides the curvature is left out."""
        if moved @ change > 0.0:
            self.steps.append((moved, change))

    def move(self, gradient: Floats) -> Floats:
        """Return the next step: minus the inverse curvature times the gradient."""
        if not self.steps:
            length = float(np.linalg.norm(gradient))
            return -gradient * min(1.0, FIRST / max(length, FIRST))
        # The two loops of Nocedal & Wright, algorithm 7.4.
        rest, used = gradient.copy(), []
        for moved, change in reversed(self.steps):
            share = (moved @ rest) / (moved @ change)
            rest -= share * change
            used.append(share)
        moved, change = self.steps[-1]
        rest *= (moved @ change) / (change @ change)
        for (moved, change), share in zip(self.steps, reversed(used), strict=True):
            rest += moved * (share - (change @ rest) / (moved @ change))
        return -rest


Gradients = Generator[tuple[Floats, dict[str, float]], Floats, Found]


def minimise(size: int, tolerance: float, most: int, name: str) -> Gradients:
    """Yield points with figures for people; get each point's gradient.

    Args:
        size: Number of coordinates; the search starts at 0.
        tolerance: Stop when the next step moves none by more than this.
        most: Gradients that may be asked for.
        name: Of the algorithm, for errors.

    Raises:
        TrainingError: It did not end, nor come near an end.
    """
    at, curvature, asked = np.zeros(size), Curvature(), 1
    gradient = yield at, {}
    best, since = np.inf, 0
    while True:
        move = curvature.move(gradient)
        step = float(np.abs(move).max(initial=0.0))
        best, since = (step, 0) if step < best / 2.0 else (best, since + 1)
        stalled = since >= STALLED and step <= NEAR * tolerance
        if step <= tolerance or stalled:
            return Found(at, step, gradient)
        told = {"gradient_norm": float(np.linalg.norm(gradient)), "step": step}
        start, end = float(gradient @ move), np.inf
        length, reached = 1.0, gradient
        while end > -STEEPEST * start:
            if asked >= most:
                if step <= NEAR * tolerance:  # where rounding would have ended it
                    return Found(at, step, gradient)
                raise _lost(name, most)
            if np.isfinite(end):
                length *= max(start / (start - end), SHORTEST)
            reached = yield at + length * move, told
            asked += 1
            end = float(reached @ move)
        curvature.add(length * move, reached - gradient)
        at, gradient = at + length * move, reached


def _lost(name: str, most: int) -> TrainingError:
    return TrainingError(
        f"{name} did not converge in {most} rounds.",
        remedy="Scale the numeric features, or raise the penalty, the tolerance or "
        "max_rounds in the study; a tenth of the matched rows is the most rounds there "
        "are.",
    )
