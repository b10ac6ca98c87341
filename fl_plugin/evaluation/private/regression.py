"""Judging a predicted number, with noise: errors within the target's bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fl_plugin.errors import ContractError
from fl_plugin.evaluation.base import EvaluationSpec
from fl_plugin.evaluation.private.base import (
    GRID,
    Figures,
    PrivateEvaluation,
    root,
    snapped,
    steps_of,
)
from fl_plugin.release import Release
from fl_plugin.summand import Arrays, Floats

ROWS, SQUARED, ABSOLUTE, ERROR, TARGET, TARGET_SQUARED = range(6)


@dataclass(frozen=True)
class PrivateRegressionEvaluation(PrivateEvaluation):
    """Squared and absolute errors, and the target's own moments.

    Targets and predictions outside the target's bounds count as the nearer bound. Six
    numbers of at most 1 per row: it moves the sums by sqrt(6) at most.
    """

    kind: ClassVar[str] = "regression"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("mse", "rmse", "mae"), (0.0, math.inf)),
        **dict.fromkeys(("r2", "explained_variance"), (-math.inf, 1.0)),
    }

    def releases(self) -> Mapping[str, Release]:
        """Return what the six sums tell."""
        most = float(max(self.spec.rows, 1))
        release = Release(shape=(6,), bound=most, sensitivity=math.sqrt(6.0), share=1.0)
        return {"moments": release}

    def sums(self, predictions: Floats, y: Floats) -> dict[str, Floats]:
        """Return `moments`: rows, error^2, |error|, error, target, target^2.

        Errors are over the width of the bounds, targets within -1 to 1.
        """
        low, high = ends_of(self.spec)
        guessed, actual = (steps_of(v, low, high) for v in (predictions, y))
        error = (guessed - actual) / GRID
        target = 2.0 * actual / GRID - 1.0
        found = [np.ones(len(y)), error**2, np.abs(error), error, target, target**2]
        return {"moments": np.array([snapped(part).sum() for part in found])}

    def rows(self, totals: Arrays) -> float:
        """Return the first sum."""
        return float(totals["moments"][ROWS])

    def figures(self, totals: Arrays) -> Figures:
        """Return the errors in the target's own unit."""
        names = ("mse", "rmse", "mae", "r2", "explained_variance", "bias")
        sums = totals["moments"]
        if sums[ROWS] < 1.0:
            return dict.fromkeys(names)
        low, high = ends_of(self.spec)
        width = high - low
        mean = [float(part) / float(sums[ROWS]) for part in sums]
        square, bias = mean[SQUARED], mean[ERROR]
        # A target's half unit is a width's: its variance is in quarters.
        spread = (mean[TARGET_SQUARED] - mean[TARGET] ** 2) / 4.0
        left = None if spread <= 0 else square / spread
        scatter = None if spread <= 0 else (square - bias**2) / spread
        return {
            "mse": square * width**2,
            "rmse": root(square) * width,
            "mae": mean[ABSOLUTE] * width,
            "r2": None if left is None else 1.0 - left,
            "explained_variance": None if scatter is None else 1.0 - scatter,
            "bias": bias * width,
        }


def ends_of(spec: EvaluationSpec) -> tuple[float, float]:
    """Return the target's bounds.

    Raises:
        ContractError: There are none.
    """
    if spec.range is None:
        raise ContractError(
            "The target has no bounds, so noise for its errors has no size.",
            remedy="Ask the domains' stewards to add `bounds: [low, high]` to it.",
        )
    return spec.range
