"""Exact federated logistic regression: Newton's method on summed derivatives.

Minimises  sum_i log(1 + exp(z_i)) - y_i z_i + l2/2 |w|^2,  z = w x + b,  y 0 or 1, the
objective of scikit-learn's `LogisticRegression(C=1/l2)` on the pooled rows; b is not
penalised. With the chance c = 1 / (1 + exp(-z)) the derivatives by z are

    r = c - y,   h = c (1 - c),

each row's times the weight of its class where classes are balanced.

What leaves a domain per round, masked: 1 + (p+1) + (p+1)(p+2)/2 numbers; in the last
rounds 1 + (p+1).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression as Sklearn

from fl_plugin.algorithms.base import Task
from fl_plugin.algorithms.by_class.weights import (
    as_parameter,
    class_weights,
    require_class_weight,
    row_weights,
)
from fl_plugin.algorithms.checks.options import positive
from fl_plugin.algorithms.geometry.symmetric import half_size
from fl_plugin.algorithms.linear_models.estimators import (
    classifier_arrays,
    fill_classifier,
)
from fl_plugin.algorithms.linear_models.generalised import GeneralisedLinearModel
from fl_plugin.algorithms.linear_models.questions import curved_of, point_of
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats, Summand


@dataclass(frozen=True, kw_only=True)
class LogisticRegression(GeneralisedLinearModel):
    """Binary logistic regression with an L2 penalty.

    Args:
        l2: Weight of the penalty, 1/C of scikit-learn; above 0.
        class_weight: "balanced" lets both classes count alike, "none" all rows.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "logistic_regression"
    title: ClassVar[str] = "Logistic regression, exact (Newton on summed derivatives)"
    paper: ClassVar[str] = "Boyd & Vandenberghe (2004), section 9.5"
    targets: ClassVar[tuple[str, ...]] = ("binary",)
    exact: ClassVar[str] = (
        "scikit-learn's LogisticRegression(C=1/l2) on the pooled rows, to the last "
        "digits of the solver's tolerance"
    )
    leaves: ClassVar[str] = (
        "per round, summed over the domain's training rows: the loss, its gradient "
        "and (but for the last rounds) its Hessian, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode"),
    )
    l2: float = 1.0
    class_weight: str = "none"

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        super().__post_init__()
        self.check_penalty()
        require_class_weight(self.name, self.class_weight)

    def check_penalty(self) -> None:
        """Refuse a penalty of 0: separable rows then have no optimum."""
        positive(self.name, "l2", self.l2)

    def weights(self, y: Floats, task: Task) -> Floats | float:
        """Return what each row counts."""
        return row_weights(self.class_weight, y, task)

    def curves(self, z: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Return each row's loss, and its derivatives by z."""
        small = np.exp(-np.abs(z))  # never overflows
        loss = np.log1p(small) + np.maximum(z, 0.0) - z * y
        chance = np.where(z >= 0, 1.0, small) / (1.0 + small)
        return loss, chance - y, chance * (1.0 - chance)

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Cauchy-Schwarz: with mean squares of at most m, sums of |x_j x_k| are <= n m.

        |z| sums to at most n sqrt(m) |point|_1; the residual is at most 1 and the
        curvature at most 1/4. A factor 2 leaves room for the rounding of the moments;
        the heaviest class's weight multiplies everything.
        """
        point, curved = point_of(question, task.width + 1), curved_of(question)
        square = max(task.mean_square, 1.0)
        heaviest = float(class_weights(self.class_weight, task).max())
        total = 2.0 * heaviest * max(task.rows, 1)
        root, size = math.sqrt(square), len(point)
        reach = root * float(np.abs(point).sum())
        sums = {
            "loss": Summand(shape=(1,), bound=total * (1.0 + reach)),
            "gradient": Summand(shape=(size,), bound=total * root),
        }
        if curved:
            bound = total * square / 4.0
            sums["hessian"] = Summand(shape=(half_size(size),), bound=bound)
        return sums

    def start(self, task: Task) -> Floats:
        """Return the optimum without features: the log-odds of the weighed target.

        Raises:
            TrainingError: All rows are of one class.
        """
        point = np.zeros(task.width + 1)
        if task.class_counts:
            no, yes = task.class_counts
            if min(no, yes) == 0:
                raise TrainingError(
                    "All training rows are of one class.",
                    remedy="Check the study's target and filters.",
                )
            less, more = class_weights(self.class_weight, task)
            point[-1] = math.log(yes * more / (no * less))
        return point

    def penalty(self, task: Task) -> Floats:
        """Return l2 for every coefficient but the intercept."""
        return np.append(np.full(task.width, self.l2), 0.0)

    def model(self, at: Floats, rounds: int, task: Task) -> Arrays:
        """Return `coefficients` (1, p), `intercept` (1,) and `iterations` (1,)."""
        arrays = super().model(at, rounds, task)
        return {**arrays, "coefficients": at[None, :-1].copy()}

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `LogisticRegression` with these coefficients.

        Newton with a Cholesky factor is what the federation runs; a clone that is
        fitted on rows elsewhere then stops at the same optimum, not near it.
        """
        estimator = Sklearn(
            C=1.0 / self.l2,
            class_weight=as_parameter(self.class_weight),
            solver="newton-cholesky",
        )
        fill_classifier(estimator, model, task.target.classes, task.width)
        return estimator

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `coefficients` (1, p), `intercept` (1,) and `iterations` (1,)."""
        return classifier_arrays(estimator)
