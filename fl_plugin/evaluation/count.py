"""Judging an expected count by its Poisson deviance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import Codes
from fl_plugin.evaluation.interval import loss_sums, mean_interval, mean_of, ratio
from fl_plugin.evaluation.metrics import Figure, Metrics, known
from fl_plugin.evaluation.numbers import (
    NumberEvaluation,
    check_numbers,
    rooted,
    scaled,
    unit_of,
)
from fl_plugin.evaluation.paired import Paired, paired_loss
from fl_plugin.evaluation.regression import constant, error_figures
from fl_plugin.summand import Array, Arrays, Floats, Summand

# A model that expects nothing at all is judged as if it expected this: 2**-52.
_LEAST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class CountEvaluation(NumberEvaluation):
    """Mean Poisson deviance, the share of it explained, errors, observed/expected.

    `d2` is 1 less the deviance over that of the judged rows' own mean, as
    scikit-learn's `d2_tweedie_score` with power 1. `observed_expected` is the sum of
    the counts over the sum of what was expected: above 1 the model expects too few.
    """

    kind: ClassVar[str] = "count"
    main: ClassVar[str] = "poisson_deviance"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    @property
    def power(self) -> int:
        """Counts crowd near zero: bins are narrower there."""
        return 2

    def losses(self, predictions: Floats, y: Floats) -> Floats:
        """Return Poisson deviances."""
        check_numbers(predictions, y)
        if y.size and not (y.min() >= 0 and predictions.min() >= 0):
            raise TrainingError(
                "A count, or the expectation of one, is below 0.",
                remedy="Give the target bounds from 0 on, or judge it as a regression.",
            )
        expected = np.maximum(predictions, _LEAST)
        # Rounding may leave a perfect prediction just below 0.
        deviances: Floats = np.maximum(
            2.0 * (_times_log(y) - y * np.log(expected) - y + expected), 0.0
        )
        return deviances

    def sums(
        self, predictions: Floats, y: Floats, groups: Sequence[Codes] = ()
    ) -> dict[str, Array]:
        """Return a regression's sums, `deviance`, and `expected`: the sums of what was
        expected, of the counts, and of each count times its logarithm.
        """  # noqa: D205 - one list
        deviance = loss_sums(self.losses(predictions, y))
        expected = np.array([predictions.sum(), y.sum(), _times_log(y).sum()]) + 0.0
        return {
            **super().sums(predictions, y, groups),
            "deviance": deviance,
            "expected": expected,
        }

    def answers(self) -> Mapping[str, Summand]:
        """Return the shapes of `sums`."""
        return {
            **super().answers(),
            "deviance": Summand(shape=(2,), bound=None),
            "expected": Summand(shape=(3,), bound=None),
        }

    def metrics(self, totals: Arrays, min_cell: int = 10) -> Metrics:
        """Return the deviance, the errors and the tables."""
        rows, unit = self.checked(totals), unit_of(self.spec)
        errors = totals["squared_error"]
        mse = scaled(mean_interval(errors, rows), unit**2)
        absolute = [float(totals["absolute_error"][0]), float(errors[0])]
        return Metrics(
            kind=self.kind,
            rows=rows,
            figures=_figures(totals, rows, unit),
            intervals=known(
                poisson_deviance=mean_interval(totals["deviance"], rows),
                rmse=rooted(mse),
                mae=scaled(mean_interval(absolute, rows), unit),
            ),
            calibration=self.calibration(totals, min_cell),
            groups=self.tables(totals, min_cell),
        )

    def paired(self, first: Floats, second: Floats, y: Floats) -> Paired | None:
        """Compare Poisson deviances; None for fewer than two rows."""
        return paired_loss(self.main, self.losses(first, y), self.losses(second, y))

    def baseline(
        self,
        totals: Arrays,
        train_counts: Sequence[int] = (),  # noqa: ARG002 - `centre` says it all
    ) -> Metrics:
        """Expect the training mean, `centre`, of every row."""
        rows, unit = self.checked(totals), unit_of(self.spec)
        centre = max(self.spec.centre, _LEAST)
        _, observed, logs = (float(total) for total in totals["expected"])
        deviance = 2.0 * (logs - observed * math.log(centre) - observed + rows * centre)
        sums = constant(totals) | {
            "deviance": np.array([deviance]),
            "expected": np.array([rows * self.spec.centre, observed, logs]),
        }
        return Metrics(kind=self.kind, rows=rows, figures=_figures(sums, rows, unit))


def _figures(totals: Arrays, rows: int, unit: float) -> dict[str, Figure]:
    errors = error_figures(totals, rows, unit)
    expected, observed, logs = (float(total) for total in totals["expected"])
    null = 0.0
    if rows and observed > 0:
        null = 2.0 * (logs - observed * math.log(observed / rows))
    left = ratio(float(totals["deviance"][0]), max(null, 0.0))
    return {
        "poisson_deviance": mean_of(totals["deviance"], rows),
        "d2": None if left is None else 1.0 - left,
        "mae": errors["mae"],
        "rmse": errors["rmse"],
        "observed_expected": ratio(observed, expected),
    }


def _times_log(counts: Floats) -> Floats:
    """Return count times its logarithm, 0 of none."""
    products: Floats = counts * np.log(np.where(counts > 0, counts, 1.0))
    return products
