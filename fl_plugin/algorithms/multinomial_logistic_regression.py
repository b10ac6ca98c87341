"""Exact federated multinomial logistic regression: Newton on summed derivatives.

Minimises  sum_i log(sum_k exp(z_ik)) - z_iy + l2/2 |W|^2,  z_k = w_k x + b_k, the
objective of scikit-learn's `LogisticRegression(C=1/l2)` on the pooled rows; the b_k are
not penalised, and only their differences matter: they sum to 0. With the chances
c_k = exp(z_k) / sum_j exp(z_j) and u = (x, 1),

    gradient_k  = sum (c_k - [y = k]) u
    Hessian_jk  = -sum c_j c_k u u'   (j not k),   Hessian_kk = -sum_j Hessian_jk,

because c_k (1 - c_k) is the sum of c_k c_j over the other classes j. So only the blocks
of pairs of classes are sent. With two classes scikit-learn learns one line of
coefficients, the difference of two whose penalty is half as strong; so does this. Where
classes are balanced, each row's terms are times the weight of its class.

What leaves a domain per round, masked, with D = p+1: 1 + K D + K(K-1)/2 D(D+1)/2
numbers; in the last rounds 1 + K D. A class of reference would make no fewer: K-1
classes have as many blocks, on and beside the diagonal, as K have pairs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression as Sklearn

from fl_plugin.algorithms.base import BATCH, Block, Design, Task
from fl_plugin.algorithms.by_class.weights import (
    as_parameter,
    class_weights,
    require_class_weight,
    row_weights,
)
from fl_plugin.algorithms.checks.options import positive
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.algorithms.linear_models.estimators import (
    classifier_arrays,
    fill_classifier,
)
from fl_plugin.algorithms.linear_models.newton import NewtonAlgorithm
from fl_plugin.algorithms.linear_models.questions import capped, curved_of, point_of
from fl_plugin.errors import TrainingError
from fl_plugin.summand import WORD_BYTES, Arrays, Floats, Summand

TWO = 2
NARROWEST = 3  # bytes of a number of the Hessian
DROWNED = 1.0 / 64.0


@dataclass(frozen=True, kw_only=True)
class MultinomialLogisticRegression(NewtonAlgorithm):
    """Logistic regression for several classes (softmax), with an L2 penalty.

    Args:
        l2: Weight of the penalty, 1/C of scikit-learn; above 0.
        class_weight: "balanced" lets all classes count alike, "none" all rows.
        tolerance: Stop when Newton's next step moves no coefficient by more than this.
        max_rounds: Give up after this many exchanges.
    """

    name: ClassVar[str] = "multinomial_logistic_regression"
    title: ClassVar[str] = "Logistic regression for several classes, exact"
    paper: ClassVar[str] = "Boehning (1992), Multinomial logistic regression algorithm"
    targets: ClassVar[tuple[str, ...]] = ("multiclass",)
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
    # Along a direction the loss's third derivative is a third central moment over the
    # classes, at most the variance times the range: that of w_k x is sqrt(2) |w| |x|.
    concordance: ClassVar[float] = math.sqrt(2.0)
    l2: float = 1.0
    class_weight: str = "none"

    def __post_init__(self) -> None:
        """Refuse a penalty of 0: separable rows then have no optimum."""
        super().__post_init__()
        positive(self.name, "l2", self.l2)
        require_class_weight(self.name, self.class_weight)

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Loss (1,), gradient (K D,) and, where asked, the pairs' Hessian blocks."""
        point = _lines(question["point"], task)
        pairs = _pairs(task) if question["curved"][0] else []
        loss, gradient = 0.0, np.zeros(point.shape)
        blocks = np.zeros((len(pairs), task.width + 1, task.width + 1))
        room = np.empty((task.width + 1, BATCH))
        for block in design.blocks(BATCH):
            losses, chance, residual = _softmax(point, block)
            weight = row_weights(self.class_weight, block.y, task)
            loss += float((weight * losses).sum())
            residual *= weight
            gradient[:, :-1] += residual @ block.x.T
            gradient[:, -1] += residual.sum(axis=1)
            scaled = room[:, : block.rows]
            for place, (j, k) in enumerate(pairs):
                scaled[-1] = np.sqrt(weight * chance[j] * chance[k])
                np.multiply(block.x, scaled[-1], out=scaled[:-1])
                blocks[place] += scaled @ scaled.T
        sums = {"loss": np.array([loss]), "gradient": gradient.reshape(-1)}
        if not pairs:
            return sums
        return sums | {"hessian": np.concatenate([triangle(b) for b in blocks])}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """As for two classes: residuals are at most 1 and c_j c_k at most 1/4."""
        classes, width = len(task.target.classes), task.width + 1
        capped(classes * width)
        point, curved = point_of(question, classes * width), curved_of(question)
        square = max(task.mean_square, 1.0)
        heaviest = float(class_weights(self.class_weight, task).max())
        root, total = math.sqrt(square), 2.0 * heaviest * max(task.rows, 1)
        reach = 2.0 * root * float(np.abs(point).sum())
        loss = total * (math.log(classes) + reach)
        sums = {
            "loss": Summand(shape=(1,), bound=loss),
            "gradient": Summand(shape=point.shape, bound=total * root),
        }
        if curved:
            length = len(_pairs(task)) * half_size(width)
            sums["hessian"] = self._blocks(length, total * square / 4.0, task)
        return sums

    def _blocks(self, length: int, bound: float, task: Task) -> Summand:
        """Return the narrowest words whose rounding the penalty drowns.

        A Hessian that is off makes Newton's steps a little less good and moves no
        optimum: that is where the gradient is 0, which goes in full width. So all of
        its rounding, as an eigenvalue, need only be far below the least eigenvalue.
        """
        size = len(task.target.classes) * (task.width + 1) * self.repeated(task)
        for width in range(NARROWEST, WORD_BYTES):
            found = Summand(shape=(length,), bound=bound, width=width)
            if size * task.parties * found.rounding <= self.l2 * DROWNED:
                return found
        return Summand(shape=(length,), bound=bound)

    def repeated(self, task: Task) -> float:
        """A pair's block stands in four places, two of them sums of K-1 blocks."""
        classes = len(task.target.classes)
        return 2.0 * (classes - 1) / classes

    def hessian(self, sums: Arrays, task: Task) -> Floats:
        """Return the Hessian of the summed losses, (K D, K D), class after class.

        It says nothing about shifting all b_k alike. A term in that direction, in
        which the gradient has no part, makes it regular and keeps their sum.
        """
        classes, width = len(task.target.classes), task.width + 1
        hessian = np.zeros((classes, width, classes, width))
        pairs = _pairs(task)
        for (j, k), half in zip(
            pairs, sums["hessian"].reshape(len(pairs), -1), strict=True
        ):
            block = full(half, width)
            hessian[j, :, k] -= block
            hessian[k, :, j] -= block
            hessian[j, :, j] += block
            hessian[k, :, k] += block
        hessian[:, -1, :, -1] += np.trace(hessian[:, -1, :, -1]) / classes
        return hessian.reshape(classes * width, classes * width)

    def start(self, task: Task) -> Floats:
        """Return the optimum without features: logarithms of the weighed class shares.

        Raises:
            TrainingError: A class has no training row.
        """
        point = np.zeros((len(task.target.classes), task.width + 1))
        if task.class_counts:
            if min(task.class_counts) == 0:
                raise TrainingError(
                    "A class of the target has no training row.",
                    remedy="Name in the study's target only classes that occur.",
                )
            weighed = class_weights(self.class_weight, task) * task.class_counts
            shares = np.log(weighed)
            point[:, -1] = shares - shares.mean()
        return point.reshape(-1)

    def penalty(self, task: Task) -> Floats:
        """Return l2 for every coefficient but the intercepts, twice for two classes."""
        classes = len(task.target.classes)
        strength = self.l2 * (TWO if classes == TWO else 1)
        return np.tile(np.append(np.full(task.width, strength), 0.0), classes)

    def model(self, at: Floats, rounds: int, task: Task) -> Arrays:
        """Return `coefficients` (K, p), `intercept` (K,) and `iterations` (1,).

        Of two classes (1, p) and (1,): the second's less the first's.
        """
        lines = _lines(at, task)
        if len(lines) == TWO:
            lines = lines[1:] - lines[:1]
        return {
            "coefficients": lines[:, :-1].copy(),
            "intercept": lines[:, -1] - (lines[:, -1].mean() if len(lines) > 1 else 0),
            "iterations": np.array([rounds], dtype=np.int64),
        }

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `LogisticRegression` with these coefficients."""
        estimator = Sklearn(
            C=1.0 / self.l2,
            class_weight=as_parameter(self.class_weight),
            solver="newton-cholesky",
        )
        fill_classifier(estimator, model, task.target.classes, task.width)
        return estimator

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `coefficients` (K, p), `intercept` (K,) and `iterations` (1,)."""
        return classifier_arrays(estimator)


def _softmax(point: Floats, block: Block) -> tuple[Floats, Floats, Floats]:
    """Return losses (rows,), chances and residuals, both (K, rows)."""
    z = point[:, :-1] @ block.x + point[:, -1:]
    z -= z.max(axis=0)  # changes no chance, and exp cannot overflow
    chance = np.exp(z)
    total = chance.sum(axis=0)
    chance /= total
    chosen = block.y == np.arange(len(point))[:, None]
    return np.log(total) - (z * chosen).sum(axis=0), chance, chance - chosen


def _lines(point: Floats, task: Task) -> Floats:
    return np.asarray(point.reshape(len(task.target.classes), task.width + 1))


def _pairs(task: Task) -> list[tuple[int, int]]:
    classes = len(task.target.classes)
    return [(j, k) for j in range(classes) for k in range(j + 1, classes)]
