"""What Poisson, gamma and Tweedie regression share: means exp(z), sums without bound.

All three minimise  1/n sum_i l(z_i, y_i) + alpha/2 |w|^2,  z = w x + b, half the
deviance of a mean exp(z) up to what does not depend on z (scikit-learn's
`TweedieRegressor`); b is not penalised.

exp() has no bound that is known beforehand, so a question brings one along: `cap`, for
the entries of a party's Hessian, a multiple of what the last accepted point had. A
party whose part breaks it answers zeros and raises `overflow`; the coordinator then
halves the step. The cap has a public floor, so that an opponent cannot use it to search
for a party's sums below what the target's mean already tells.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from fl_plugin.algorithms.base import Design, Task
from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.algorithms.checks.options import at_least
from fl_plugin.algorithms.geometry.symmetric import half_size
from fl_plugin.algorithms.linear_models.certificate import Point
from fl_plugin.algorithms.linear_models.estimators import (
    fill_regressor,
    regressor_arrays,
)
from fl_plugin.algorithms.linear_models.generalised import GeneralisedLinearModel
from fl_plugin.algorithms.linear_models.questions import curved_of, point_of
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Array, Arrays, Floats, Summand

GROWTH = 64.0  # of the curvature, in one accepted step
HIGHEST = 1e250


@dataclass(frozen=True, kw_only=True)
class LogLinkRegression(GeneralisedLinearModel):
    """Base of the regressions whose mean is exp(z).

    Args:
        alpha: Weight of the penalty, as in scikit-learn; 0 or more.
    """

    # Whether a target of 0 is one that the distribution can give.
    zeros: ClassVar[bool] = True
    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative penalty."""
        super().__post_init__()
        at_least(self.name, "alpha", self.alpha, 0.0)

    @abstractmethod
    def losses(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its first and second derivative by z."""

    @abstractmethod
    def level(self, task: Task) -> float:
        """Return the curvature h of a row at the mean target."""

    @abstractmethod
    def regressor(self) -> Any:
        """Return scikit-learn's estimator, unfitted but for its `_base_loss`."""

    @property
    def spread(self) -> float:
        """How much larger a row's |r| can be than its h: |r| <= spread (h + level)."""
        return 1.0

    def curves(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its derivatives by z.

        Raises:
            TrainingError: A target is below 0, or 0 where that cannot be.
        """
        known = (y >= 0.0 if self.zeros else y > 0.0) & (y < np.inf)
        if not known.all():
            raise TrainingError(
                f"A target is one that {self.name} does not know: it learns from "
                f"numbers {'of 0 or more' if self.zeros else 'above 0'}.",
                remedy="Filter such rows, or choose another algorithm in the study.",
            )
        with np.errstate(over="ignore", invalid="ignore"):  # seen by `step`
            return self.losses(z, y)

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """As every model's, with `overflow` (1,): 1 and zeros where the cap is broken.

        Each part must be below the bound's share of one party.
        """
        expected = self.answers(question, task)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = super().step(question, task, design)
        fits = all(_fits(part, expected[name], task) for name, part in parts.items())
        if not fits:
            parts = {name: np.zeros_like(part) for name, part in parts.items()}
        return {**parts, "overflow": np.array([int(not fits)], dtype=np.int64)}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Every entry of a party's Hessian is at most `cap`, hence the rest.

        With m the largest mean square, n m level <= cap (the floor): by Cauchy-Schwarz
        sums of |x_j r| are at most 2 spread cap, and those of |l| at most
        spread^2 cap (1 + |point|_1).
        """
        point, curved = point_of(question, task.width + 1), curved_of(question)
        cap = float(checked(question, "cap", (1,))[0])
        if not self._floor(task) <= cap <= HIGHEST:
            raise malformed("cap")
        total, size = cap * max(task.parties, 1), len(point)
        reach = 1.0 + float(np.abs(point).sum())
        sums = {
            "loss": Summand(shape=(1,), bound=total * self.spread**2 * reach),
            "gradient": Summand(shape=(size,), bound=2.0 * total * self.spread),
            "overflow": Summand.count((1,), max(task.parties, 1)),
        }
        if curved:
            sums["hessian"] = Summand(shape=(half_size(size),), bound=total)
        return sums

    def ask(self, at: Floats, here: Point | None, task: Task) -> dict[str, Array]:
        """Return the question about a point, with the cap.

        At the first point exp(z) is the target's mean and h grows at most in
        proportion to y, no value of which is above sqrt(n mean(y^2)).
        """
        floor = self._floor(task)
        if here is None:
            most = math.sqrt(max(task.rows, 1) * task.target_mean_square)
            cap = floor * max(1.0, most / task.target_mean)
        else:
            # The Hessian was measured for the mean of the rows' losses.
            now = float(np.diag(here.hessian).max()) / self.share(task)
            cap = max(floor, GROWTH * now)
        return {"point": at, "cap": np.array([min(cap, HIGHEST)])}

    def start(self, task: Task) -> Floats:
        """Return the optimum without features: the logarithm of the target's mean.

        Raises:
            TrainingError: The target is 0 throughout.
        """
        if not task.target_mean > 0.0:
            raise TrainingError(
                f"{self.name} cannot learn a target whose mean is not above 0.",
                remedy="Check the study's target and filters.",
            )
        return np.append(np.zeros(task.width), math.log(task.target_mean))

    def penalty(self, task: Task) -> Floats:
        """Return alpha for every coefficient but the intercept."""
        return np.append(np.full(task.width, self.alpha), 0.0)

    def share(self, task: Task) -> float:
        """Return 1/n: the objective is the rows' mean loss."""
        return 1.0 / max(task.rows, 1)

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's regressor with these coefficients."""
        estimator = self.regressor()
        fill_regressor(estimator, model, task.width)
        estimator.n_iter_ = whole_number(model, "iterations")
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return `coefficients` (p,), `intercept` (1,) and `iterations` (1,)."""
        iterations = np.array([estimator.n_iter_], dtype=np.int64)
        return {**regressor_arrays(estimator), "iterations": iterations}

    def _floor(self, task: Task) -> float:
        # A factor 2 leaves room for the rounding of the moments.
        return 2.0 * max(task.rows, 1) * max(task.mean_square, 1.0) * self.level(task)


def _fits(part: Array, summand: Summand, task: Task) -> bool:
    most = float(np.asarray(summand.bound)) / max(task.parties, 1)
    return bool((np.abs(part) <= most).all())  # not so with NaN
