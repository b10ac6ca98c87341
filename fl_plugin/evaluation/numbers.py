"""What the evaluations of a regression and of a count share: sums of errors.

Errors are summed in `unit`, a power of two near the target's spread: exact, and far
from what fixed point cannot hold, whether the target is in cents or in millions.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import Codes, Evaluation, EvaluationSpec, broken
from fl_plugin.evaluation.calibration import CalibrationRow
from fl_plugin.evaluation.group_errors import ERROR_SUMS, error_table, group_errors
from fl_plugin.evaluation.groups import GroupTable, slots_of
from fl_plugin.evaluation.interval import Interval, loss_sums
from fl_plugin.evaluation.prediction_bins import (
    bin_answers,
    bin_edges,
    bin_sums,
    joined_bins,
)
from fl_plugin.summand import Array, Arrays, Floats, Summand

# Of `target`: sums of y - centre, its square and its absolute value, and of
# prediction - y.
MOVED, SQUARED, ABSOLUTE, BIAS = range(4)
SIGNED = frozenset({"target", "calibration_predicted", "calibration_target"})


@dataclass(frozen=True)
class NumberEvaluation(Evaluation):
    """Squared and absolute errors, the target's own moments, calibration, groups."""

    @property
    def power(self) -> int:
        """How the calibration table's bins are spaced: 1 evenly, 2 narrow below."""
        return 1

    @abstractmethod
    def losses(self, predictions: Floats, y: Floats) -> Floats:
        """Return the kind's main loss of each row, in the target's own unit.

        Raises:
            TrainingError: A prediction is impossible.
        """

    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Return `rows`, `squared_error`, `absolute_error`, `target`, the bins of the
        calibration table, and `group<i>_rows`, `group<i>_errors` by protected column.
        """  # noqa: D205 - one list
        check_numbers(predictions, y)
        spec, unit = self.spec, unit_of(self.spec)
        places = slots_of(groups, spec.group_sizes, len(y))
        # A power of two: the division is exact.
        error, moved = (predictions - y) / unit, (y - spec.centre) / unit
        found = {
            "rows": np.array([len(y)]),
            "squared_error": loss_sums(error**2),
            "absolute_error": np.array([np.abs(error).sum()]),
            "target": np.array(
                [moved.sum(), moved @ moved, np.abs(moved).sum(), error.sum()]
            ),
        }
        edges = self._edges()
        if edges is not None:
            found |= bin_sums(predictions / unit, y / unit, edges / unit)
        for i, (place, size) in enumerate(zip(places, spec.group_sizes, strict=True)):
            rows, errors = group_errors(place, size, predictions / unit, y / unit)
            found |= {f"group{i}_rows": rows, f"group{i}_errors": errors}
        return found

    def answers(self) -> Mapping[str, Summand]:
        """Return the shapes of `sums`: counts are bounded, errors are not."""
        spec = self.spec
        found = {
            "rows": Summand.count((1,), spec.rows),
            "squared_error": Summand(shape=(2,), bound=None),
            "absolute_error": Summand(shape=(1,), bound=None),
            "target": Summand(shape=(4,), bound=None),
        }
        if spec.range is not None:
            found |= bin_answers(spec.rows)
        for i, size in enumerate(spec.group_sizes):
            found[f"group{i}_rows"] = Summand.count((size + 1,), spec.rows)
            shape = (size + 1, ERROR_SUMS)
            found[f"group{i}_errors"] = Summand(shape=shape, bound=None)
        return found

    def checked(self, totals: Arrays) -> int:
        """Return the rows of totals that can be used.

        Raises:
            MessageError: They cannot; the array is named.
        """
        groups = range(len(self.spec.group_sizes))
        self.check(totals, signed=SIGNED | {f"group{i}_errors" for i in groups})
        rows = int(totals["rows"][0])
        counted = {f"group{i}_rows" for i in groups}
        if self.spec.range is not None:
            counted.add("calibration_count")
        for name in sorted(counted):
            if int(totals[name].sum()) != rows:
                raise broken(name, "about other rows than the other arrays")
        return rows

    def calibration(self, totals: Arrays, min_cell: int) -> tuple[CalibrationRow, ...]:
        """Return the table by size of the prediction; () without a range."""
        edges, unit = self._edges(), unit_of(self.spec)
        if edges is None or self.spec.range is None:
            return ()
        low, high = self.spec.range
        own = {
            name: totals[name] * unit
            for name in ("calibration_predicted", "calibration_target")
        }
        own["calibration_count"] = totals["calibration_count"]
        ends = [low, *edges.tolist(), high]
        return joined_bins(own, ends, self.spec.calibration_bins, min_cell)

    def tables(self, totals: Arrays, min_cell: int) -> tuple[GroupTable, ...]:
        """Return each protected column's table."""
        unit = unit_of(self.spec)
        scale = np.array([unit, unit, unit**2, unit])
        return tuple(
            error_table(
                totals[f"group{i}_rows"], totals[f"group{i}_errors"] * scale, min_cell
            )
            for i in range(len(self.spec.group_sizes))
        )

    def _edges(self) -> Floats | None:
        spread = self.spec.range
        return None if spread is None else bin_edges(*spread, power=self.power)


def unit_of(spec: EvaluationSpec) -> float:
    """Return the power of two next to the width of the spec's range, 1 without."""
    if spec.range is None:
        return 1.0
    low, high = spec.range
    return math.ldexp(1.0, math.frexp(high - low)[1])


def check_numbers(predictions: Floats, y: Floats) -> None:
    """Refuse what are not as many finite predictions as targets.

    Raises:
        TrainingError: They are not.
    """
    if predictions.shape != y.shape or y.ndim != 1:
        raise TrainingError(
            "Predictions and targets do not belong together.",
            remedy="Give one prediction and one target for each row.",
        )
    if not (np.isfinite(predictions).all() and np.isfinite(y).all()):
        raise TrainingError(
            "A prediction or a target is not a finite number.",
            remedy="Check the features for overflow, and the target for missing "
            "values.",
        )


def scaled(found: Interval | None, factor: float) -> Interval | None:
    """Return an interval in another unit."""
    if found is None:
        return None
    return Interval(found.value * factor, found.low * factor, found.high * factor)


def rooted(found: Interval | None) -> Interval | None:
    """Return the interval of the square root."""
    if found is None:
        return None
    return Interval(*(math.sqrt(end) for end in (found.value, found.low, found.high)))


def centred_square(target: Array, rows: int) -> float:
    """Return the sum of squares of the target about its own mean, in square units."""
    return max(float(target[SQUARED]) - float(target[MOVED]) ** 2 / rows, 0.0)
