"""Judging an expected count, with noise: deviances and errors up to the ceiling."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from fl_plugin.evaluation.private.base import (
    GRID,
    Figures,
    PrivateEvaluation,
    over,
    root,
    snapped,
    steps_of,
)
from fl_plugin.evaluation.private.regression import ends_of
from fl_plugin.release import Release
from fl_plugin.summand import Array, Arrays, Floats

ROWS, DEVIANCE, SQUARED, ABSOLUTE, OBSERVED, EXPECTED, LOGS = range(7)


@dataclass(frozen=True)
class PrivateCountEvaluation(PrivateEvaluation):
    """Mean Poisson deviance, the share of it explained, errors, observed/expected.

    Counts and expectations above the ceiling count as the ceiling, and a row's deviance
    as twice the ceiling at most, which is that of expecting the ceiling and seeing
    none. Seven numbers of at most 1 per row: it moves the sums by sqrt(7) at most.
    """

    kind: ClassVar[str] = "count"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(
            ("poisson_deviance", "mae", "rmse", "observed_expected"), (0.0, math.inf)
        ),
        "d2": (-math.inf, 1.0),
    }

    def releases(self) -> Mapping[str, Release]:
        """Return what the seven sums tell."""
        most = float(max(self.spec.rows, 1))
        release = Release(shape=(7,), bound=most, sensitivity=math.sqrt(7.0), share=1.0)
        return {"moments": release}

    def sums(self, predictions: Floats, y: Floats) -> dict[str, Floats]:
        """Return `moments`: rows, deviance, error^2, |error|, count, expected, y log y.

        All over the ceiling, the deviance over twice the ceiling.
        """
        ceiling = self._ceiling()
        guessed, actual = (
            steps_of(v, 0.0, ceiling).astype(np.int64) for v in (predictions, y)
        )
        logs = _logarithms(ceiling)
        z, m = actual / GRID, np.maximum(guessed, 1) / GRID
        # y log(y/m) - y + m, over the ceiling; the logarithms are multiples already.
        deviance = z * (logs[actual] - logs[np.maximum(guessed, 1)]) - z + m
        error = (guessed - actual) / GRID
        parts = [np.ones(len(y)), deviance, error**2, np.abs(error), z]
        parts += [guessed / GRID, z * logs[actual] / _most(ceiling)]
        return {"moments": np.array([snapped(part).sum() for part in parts])}

    def rows(self, totals: Arrays) -> float:
        """Return the first sum."""
        return float(totals["moments"][ROWS])

    def figures(self, totals: Arrays) -> Figures:
        """Return the deviance and the errors, per row."""
        names = ("poisson_deviance", "d2", "mae", "rmse", "observed_expected")
        sums = totals["moments"]
        if sums[ROWS] < 1.0:
            return dict.fromkeys(names)
        ceiling = self._ceiling()
        mean = [float(part) / float(sums[ROWS]) for part in sums]
        deviance = 2.0 * ceiling * mean[DEVIANCE]
        observed, expected = (ceiling * mean[i] for i in (OBSERVED, EXPECTED))
        null = 0.0
        if observed > 0:
            logs = ceiling * _most(ceiling) * mean[LOGS]
            null = 2.0 * (logs - observed * math.log(observed))
        return {
            "poisson_deviance": deviance,
            "d2": 1.0 - deviance / null if null > 0 else None,
            "mae": ceiling * mean[ABSOLUTE],
            "rmse": ceiling * root(mean[SQUARED]),
            "observed_expected": over(observed, expected),
        }

    def _ceiling(self) -> float:
        return max(ends_of(self.spec)[1], 1.0)


def _most(ceiling: float) -> float:
    """Return a bound on |log y|, for y from a step of the grid up to the ceiling.

    y log y over the ceiling is then within -1 to 1.
    """
    return max(math.log(ceiling), 1.0)


@cache
def _logarithms(ceiling: float) -> Array:
    """Return log y of every step up to the ceiling, snapped; that of none is 0."""
    steps = np.arange(GRID + 1)
    logs = np.log(np.maximum(steps, 1) / GRID * ceiling)
    logs[0] = 0.0
    return np.asarray(np.rint(logs * GRID) / GRID)
