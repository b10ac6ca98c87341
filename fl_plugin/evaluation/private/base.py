"""What an evaluation under differential privacy is: few sums, each bounded per row.

A row adds to each array numbers that its Euclidean norm bounds, whatever the row and
the model are: losses are clipped, scores counted in few bins. The party adds noise to
the sums as it does in training; the coordinator makes figures of noisy sums, each with
a range that says how far the noise, and the choice of rows, may have moved it.

What a row adds is made of whole multiples of a power of two (`algorithms.private`
says why), and looked up where it is a logarithm.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from fl_plugin.discovery import discover
from fl_plugin.errors import UsageError
from fl_plugin.evaluation.base import EvaluationSpec, broken
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.release import Release
from fl_plugin.summand import Arrays, Floats

GRID = 2**14  # scores and targets are steps of it
# What a row adds is a multiple of 1 / FINEST, of at most 1: sums of 2^24 are exact.
FINEST = 2**28
DRAWS = 1_000  # of the noise, to see how far it moves a figure
COVERED = 0.95

Figures = dict[str, float | None]


@dataclass(frozen=True)
class PrivateEvaluation(ABC):
    """Base class; a subclass in this room, one per file, is found by its `kind`.

    Args:
        spec: The study's settings; of its bins nothing is used.
    """

    spec: EvaluationSpec

    kind: ClassVar[str]
    bounds: ClassVar[Mapping[str, tuple[float, float]]]  # of a figure, where it has any

    @abstractmethod
    def releases(self) -> Mapping[str, Release]:
        """Return what each array of `sums` tells; the shares add up to 1."""

    @abstractmethod
    def sums(self, predictions: Floats, y: Floats) -> dict[str, Floats]:
        """Summarise a block of one party's rows in arrays that add.

        Args:
            predictions: As `Evaluation.sums` takes them. What is not finite counts as
                the worst there is: a row must change nothing but its own part.
            y: (rows,), likewise.
        """

    @abstractmethod
    def figures(self, totals: Arrays) -> Figures:
        """Return every figure of totals with noise; None where it has no value.

        Noise may carry one beyond `bounds`; it is brought back once its range is known.
        """

    @abstractmethod
    def rows(self, totals: Arrays) -> float:
        """Return how many rows there are about."""

    def sampled(self, totals: Arrays) -> dict[str, Interval | None]:  # noqa: ARG002
        """Return the 95 % interval of a figure for what other rows would give."""
        return {}

    def confusion(self, totals: Arrays) -> tuple[tuple[int, ...], ...]:  # noqa: ARG002
        """Return the confusion matrix, () where there is none."""
        return ()

    def metrics(self, totals: Arrays, noises: Mapping[str, float]) -> Metrics:
        """Return the figures, each with the range for its noise and its rows.

        A figure that one draw of the noise in twenty leaves without a value, or whose
        whole range lies beyond its bounds, has drowned in noise and is None.

        Args:
            totals: The arrays, added over all parties, with noise.
            noises: Standard deviation of the noise in an entry of each array.

        Raises:
            MessageError: An array is missing, misshapen or not finite.
        """
        self._check(totals)
        found = self.figures(totals)
        moved = self._moved(totals, noises, found)
        sampled = self.sampled(totals)
        told = {
            name: self._range(name, value, moved[name], sampled.get(name))
            for name, value in found.items()
            if value is not None and math.isfinite(moved[name])
        }
        ranges = {name: each for name, each in told.items() if each is not None}
        return Metrics(
            kind=self.kind,
            rows=max(round(self.rows(totals)), 0),
            figures={n: ranges[n].value if n in ranges else None for n in found},
            intervals=ranges,
            confusion=self.confusion(totals),
        )

    def _moved(
        self, totals: Arrays, noises: Mapping[str, float], found: Figures
    ) -> dict[str, float]:
        """Return how far noise moves each figure in 19 draws of 20."""
        rng = np.random.default_rng(0)  # of no secret: it only measures
        far: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(DRAWS):
            noisy = {
                name: totals[name] + rng.normal(0.0, noises[name], totals[name].shape)
                for name in sorted(self.releases())
            }
            for name, value in self.figures(noisy).items():
                far[name].append(_distance(value, found[name]))
        place = math.ceil(COVERED * DRAWS) - 1
        return {name: sorted(moves)[place] for name, moves in far.items()}

    def _range(
        self, name: str, value: float, moved: float, sampled: Interval | None
    ) -> Interval | None:
        """Return the range for both; they are independent of each other."""
        low, high = self.bounds.get(name, (-math.inf, math.inf))
        below = sampled.value - sampled.low if sampled else 0.0
        above = sampled.high - sampled.value if sampled else 0.0
        ends = (
            value,
            value - math.hypot(moved, below),
            value + math.hypot(moved, above),
        )
        if ends[2] < low or ends[1] > high:
            return None
        return Interval(*(min(max(end, low), high) for end in ends))

    def _check(self, totals: Arrays) -> None:
        for name, release in self.releases().items():
            if name not in totals or totals[name].shape != release.shape:
                raise broken(name, "missing or of the wrong length")
            if not np.isfinite(totals[name]).all():
                raise broken(name, "not a number somewhere")


def private_evaluation_for(spec: EvaluationSpec) -> PrivateEvaluation:
    """Return the evaluation under differential privacy of this kind of target.

    Raises:
        UsageError: There is none for it.
    """
    if spec.kind not in _kinds():
        raise UsageError(
            f"A {spec.kind} target has no evaluation under differential privacy.",
            remedy="Set `privacy: {evaluation: 0}` in the study where every domain "
            "allows exact figures.",
        )
    return _kinds()[spec.kind](spec)


def steps_of(values: Floats, low: float, high: float) -> Floats:
    """Return the nearest step of GRID from low to high; what is no number: the last."""
    place = np.rint((np.clip(values, low, high) - low) / (high - low) * GRID)
    return np.asarray(np.where(np.isnan(place), GRID, place))


def snapped(values: Floats) -> Floats:
    """Return numbers as the nearest multiples of 1 / FINEST within -1 to 1."""
    return np.asarray(np.rint(np.clip(values, -1.0, 1.0) * FINEST) / FINEST)


def over(part: float, whole: float) -> float | None:
    """Return a ratio; None where noise leaves nothing to divide by."""
    return None if whole <= 0 else part / whole


def root(square: float) -> float:
    """Return the root; noise may carry a square below 0, and its root as far."""
    return math.copysign(math.sqrt(abs(square)), square)


def _distance(value: float | None, other: float | None) -> float:
    return math.inf if value is None or other is None else abs(value - other)


@cache
def _kinds() -> dict[str, type[PrivateEvaluation]]:
    found = discover("fl_plugin.evaluation.private", PrivateEvaluation)
    return {kind.kind: kind for kind in found.values()}
