"""Exact federated logistic regression with an L1 penalty: proximal Newton.

Minimises  sum_i log(1 + exp(z_i)) - y_i z_i  +  l1 |w|_1 + l2/2 |w|^2,   z = w x + b,
the objective of scikit-learn's `LogisticRegression(C=1/(l1 + l2),
l1_ratio=l1/(l1 + l2))` on the pooled rows; b is not penalised. Loss, gradient g and
Hessian H of the smooth part are summed as without the L1 penalty. The coordinator then
minimises

    g d + d H d / 2 + l1 |w + d|_1

over the step d, by coordinate descent, with no row and no further exchange (Friedman,
Hastie & Tibshirani 2010, section 3; Lee, Sun & Saunders 2014, "Proximal Newton-type
methods for minimizing composite functions"), and halves the step until the objective
has fallen enough. Once the signs are right the step solves a linear system, and the
method converges as Newton's does: rounds are few, and zeros are exactly 0.

What leaves a domain per round is what `logistic_regression` sends.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression as Sklearn

from fl_plugin.algorithms.base import Fitted, Task
from fl_plugin.algorithms.by_class.weights import as_parameter
from fl_plugin.algorithms.checks.options import at_least, positive
from fl_plugin.algorithms.linear_models.certificate import Point
from fl_plugin.algorithms.linear_models.descent import Problem, descend
from fl_plugin.algorithms.linear_models.estimators import fill_classifier
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.summand import Arrays, Floats


@dataclass(frozen=True, kw_only=True)
class L1LogisticRegression(LogisticRegression):
    """Binary logistic regression that leaves columns out.

    Args:
        l1: Weight of the sum of the coefficients' sizes; above 0.
        l2: Weight of half the sum of their squares; 0 for the lasso alone.
        class_weight: "balanced" lets both classes count alike, "none" all rows.
        tolerance: Stop when the next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "l1_logistic_regression"
    title: ClassVar[str] = "Logistic regression with an L1 penalty, exact"
    paper: ClassVar[str] = (
        "Lee, Sun & Saunders (2014), Proximal Newton-type methods for minimizing "
        "composite functions"
    )
    exact: ClassVar[str] = (
        "scikit-learn's LogisticRegression(C=1/(l1+l2), l1_ratio=l1/(l1+l2)) on the "
        "pooled rows, solved to its last digits"
    )
    l1: float = 1.0
    l2: float = 0.0

    def check_penalty(self) -> None:
        """Refuse an l1 of 0, which `logistic_regression` is for."""
        positive(self.name, "l1", self.l1)
        at_least(self.name, "l2", self.l2, 0.0)

    def move(self, here: Point) -> Floats:
        """Return the step to the lowest point of the quadratic model with its penalty.

        Coordinate descent finds the signs. The step itself solves for what the gradient
        still lacks, so that no digits are lost in it.
        """
        free = self._weights(here)
        problem = Problem(
            g=here.hessian,
            c=here.hessian @ here.at - here.gradient,
            first=free,
            second=np.zeros(len(free)),
        )
        aim, _ = descend(problem, here.at)
        active = (aim != 0.0) | (free == 0.0)
        move = np.where(active, 0.0, -here.at)
        lacking = here.gradient + here.hessian @ move + free * np.sign(aim)
        system = here.hessian[np.ix_(active, active)]
        try:
            move[active] = -np.linalg.solve(system, lacking[active])
        except np.linalg.LinAlgError:
            return aim - here.at
        kept = np.sign(here.at + move)[active] == np.sign(aim)[active]
        return move if (kept | (free == 0.0)[active]).all() else aim - here.at

    def _result(self, here: Point, task: Task, asked: int) -> Fitted:
        found = super()._result(here, task, asked)
        zeros = int((here.at[:-1] == 0.0).sum())
        told = f"{zeros} of {task.width} coefficients are 0."
        return replace(found, notes=(*found.notes, told))

    def left(self, here: Point) -> Floats:
        """Return the smallest subgradient of the objective; 0 at the optimum."""
        first = self._weights(here)
        signed = here.gradient + first * np.sign(here.at)
        shrunk = np.sign(signed) * np.maximum(np.abs(signed) - first, 0.0)
        return np.asarray(np.where(here.at == 0.0, shrunk, signed))

    def _weights(self, here: Point) -> Floats:
        """Return what each coefficient's size costs; that of the intercept nothing."""
        return np.append(np.full(len(here.at) - 1, self.l1), 0.0)

    def added(self, at: Floats) -> float:
        """Return the L1 penalty."""
        return self.l1 * float(np.abs(at[:-1]).sum())

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `LogisticRegression` with these coefficients."""
        whole = self.l1 + self.l2
        estimator = Sklearn(
            C=1.0 / whole,
            l1_ratio=self.l1 / whole,
            class_weight=as_parameter(self.class_weight),
            solver="saga",
        )
        fill_classifier(estimator, model, task.target.classes, task.width)
        return estimator
