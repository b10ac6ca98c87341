"""Judging a predicted number by its squared and absolute errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from fl_plugin.evaluation.interval import mean_interval, mean_of, ratio
from fl_plugin.evaluation.metrics import Figure, Metrics, known
from fl_plugin.evaluation.numbers import (
    ABSOLUTE,
    BIAS,
    MOVED,
    SQUARED,
    NumberEvaluation,
    centred_square,
    check_numbers,
    rooted,
    scaled,
    unit_of,
)
from fl_plugin.evaluation.paired import Paired, paired_loss
from fl_plugin.summand import Array, Arrays, Floats


@dataclass(frozen=True)
class RegressionEvaluation(NumberEvaluation):
    """Mean squared and absolute error, R2, explained variance, bias.

    `r2` and `explained_variance` are None where the target does not vary. `bias` is
    the mean of prediction less target. The greatest error is no sum, and is left out.
    """

    kind: ClassVar[str] = "regression"
    main: ClassVar[str] = "mse"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def losses(self, predictions: Floats, y: Floats) -> Floats:
        """Return squared errors."""
        check_numbers(predictions, y)
        squares: Floats = (predictions - y) ** 2
        return squares

    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:
        """Return the errors and the tables."""
        rows, unit = self.checked(totals), unit_of(self.spec)
        errors = totals["squared_error"]
        mse = scaled(mean_interval(errors, rows), unit**2)
        absolute = [float(totals["absolute_error"][0]), float(errors[0])]
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures=error_figures(totals, rows, unit),
            intervals=known(
                mse=mse,
                rmse=rooted(mse),
                mae=scaled(mean_interval(absolute, rows), unit),
            ),
            calibration=self.calibration(totals, min_cell),
            groups=self.tables(totals, min_cell),
        )

    def paired(self, first: Floats, second: Floats, y: Floats) -> Paired | None:
        """Compare squared errors; None for fewer than two rows."""
        return paired_loss(self.main, self.losses(first, y), self.losses(second, y))

    def baseline(
        self,
        totals: Arrays,
        train_counts: Sequence[int] = (),  # noqa: ARG002 - `centre` says it all
    ) -> Metrics:
        """Predict the training mean, `centre`, for every row."""
        rows, unit = self.checked(totals), unit_of(self.spec)
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures=error_figures(constant(totals), rows, unit),
        )


def constant(totals: Arrays) -> dict[str, Array]:
    """Return the sums of errors of the model that always predicts `centre`."""
    target = totals["target"]
    moments = target.copy()
    moments[BIAS] = -target[MOVED]
    return {
        "squared_error": target[[SQUARED]],
        "absolute_error": target[[ABSOLUTE]],
        "target": moments,
    }


def error_figures(totals: Arrays, rows: int, unit: float) -> dict[str, Figure]:
    """Return the figures of squared and absolute errors, in the target's own unit."""
    target = totals["target"]
    mse = mean_of(totals["squared_error"] * unit**2, rows)
    if mse is None:
        names = ("mse", "rmse", "mae", "r2", "explained_variance", "bias")
        return dict.fromkeys(names)
    whole = centred_square(target, rows)
    unexplained = float(totals["squared_error"][0])
    # What a shift of all predictions could not mend.
    scatter = max(unexplained - float(target[BIAS]) ** 2 / rows, 0.0)
    left, left_centred = ratio(unexplained, whole), ratio(scatter, whole)
    return {
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": mean_of(totals["absolute_error"] * unit, rows),
        "r2": None if left is None else 1.0 - left,
        "explained_variance": None if left_centred is None else 1.0 - left_centred,
        "bias": float(target[BIAS]) * unit / rows,
    }
