"""BFGS on gradients alone, for convex objectives whose value nobody knows.

Nocedal & Wright (2006), "Numerical Optimization", chapter 6. In place of the loss the
slope along a step decides on its length: along a line it grows in a convex objective,
so a step is right where the slope there is near 0 (a strong Wolfe condition), and the
secant says by how much it was not. Every party's own columns are brought to even size
beforehand (`columns.py`), so the first curvature is near a multiple of 1.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.summand import Floats

SLOPE = 0.9  # of the slope at the start that may be left
LONGEST = 10.0
STALLED = 4  # looks without progress, near the end: rounding is all that is left
CLOSE_TO = 100.0  # tolerances


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


Gradients = Generator[tuple[Floats, dict[str, float]], Floats | None, Found]


def minimise(size: int, tolerance: float, most: int, name: str) -> Gradients:
    """Yield points; get each one's gradient, or None where there is none.

    Args:
        size: Number of coordinates; the search starts at 0.
        tolerance: Stop when the next step moves none by more than this.
        most: Gradients that may be asked for.
        name: Of the algorithm, for errors.

    Raises:
        TrainingError: It did not end, or there is no gradient at the start.
    """
    at, inverse, best, since = np.zeros(size), np.eye(size), np.inf, 0
    gradient = yield at, {}
    asked, fresh = 1, True
    if gradient is None:
        raise _lost(name, most)
    while True:
        move = -inverse @ gradient
        step = float(np.abs(move).max(initial=0.0))
        best, since = (step, 0) if step < best / 2.0 else (best, since + 1)
        stalled = since >= STALLED and step <= CLOSE_TO * tolerance
        if step <= tolerance or stalled:
            return Found(at, step, gradient)
        length, told = 1.0, _progress(gradient, step)
        while True:
            if asked >= most:
                raise _lost(name, most)
            reached = yield at + length * move, told
            asked += 1
            start = float(gradient @ move)
            end = np.inf if reached is None else float(reached @ move)
            if reached is not None and abs(end) <= SLOPE * abs(start):
                break
            length *= _factor(start, end)
        moved, change = length * move, reached - gradient
        if fresh:
            inverse *= (moved @ change) / (change @ change)
            fresh = False
        inverse = _updated(inverse, moved, change)
        at, gradient = at + moved, reached


def _factor(start: float, end: float) -> float:
    """Return by how much a step should be longer, by the secant of its slopes."""
    if not np.isfinite(end):
        return 0.25
    rise = end - start
    return LONGEST if rise <= -start / LONGEST else max(-start / rise, 1.0 / LONGEST)


def _updated(inverse: Floats, moved: Floats, change: Floats) -> Floats:
    """Return the inverse curvature after a step along which it was measured."""
    along = float(moved @ change)
    if not along > 0.0:  # rounding, at the end
        return inverse
    left = np.eye(len(moved)) - np.outer(moved, change) / along
    return np.asarray(left @ inverse @ left.T + np.outer(moved, moved) / along)


def _progress(gradient: Floats, step: float) -> dict[str, float]:
    return {"gradient_norm": float(np.linalg.norm(gradient)), "step": step}


def _lost(name: str, most: int) -> TrainingError:
    return TrainingError(
        f"{name} did not converge in {most} rounds.",
        remedy="Scale the numeric features, or raise the penalty or max_rounds in the "
        "study.",
    )
