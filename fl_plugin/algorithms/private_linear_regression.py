"""Private linear regression from noisy sums of squares and products, in one round.

Adaptive sufficient-statistics perturbation (Wang 2018, "Revisiting differentially
private linear regression", algorithm 2): noise on X'X and X'y, and a ridge penalty as
large as the noise makes necessary, which the noisy X'X itself tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from fl_plugin.algorithms.base import (
    BATCH,
    Block,
    Design,
    Fitted,
    Question,
    Rounds,
    RowAlgorithm,
    Task,
)
from fl_plugin.algorithms.checks.arrays import checked
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.algorithms.private.releases import (
    PrivateAlgorithm,
    Release,
    clipped,
    linear,
    snapped,
)
from fl_plugin.errors import ContractError
from fl_plugin.summand import Arrays, Floats

TARGET_GRID = 2.0**14


@dataclass(frozen=True, kw_only=True)
class PrivateLinearRegression(PrivateAlgorithm, RowAlgorithm):
    """Least squares under differential privacy.

    Args:
        l2: Least penalty on the summed squares, `alpha` of scikit-learn's `Ridge`.
        norm: Longer rows are shortened to this Euclidean norm.
        low: Smaller targets are clipped to it; a study leaves it to the `bounds` of
            the target's contracts, or narrows them.
        high: Larger targets are clipped to it; likewise.
        curvature: Share of the budget that goes to X'X.
    """

    name: ClassVar[str] = "private_linear_regression"
    title: ClassVar[str] = "Linear regression under differential privacy"
    paper: ClassVar[str] = "Wang (2018), arXiv:1803.02596, algorithm 2"
    targets: ClassVar[tuple[str, ...]] = ("regression",)
    leaves: ClassVar[str] = (
        "once, summed over the domain's training rows: squares and products of the "
        "columns and of columns with the target, with noise, as masked integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.linear_model._ridge", "Ridge", "ObjectNode"),
    )
    target_ends: ClassVar[Mapping[str, str]] = {"low": "low", "high": "high"}
    l2: float = 1.0
    norm: float = 2.0
    low: float = 0.0
    high: float = 1.0
    curvature: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        within(self.name, "l2", self.l2, (0.0, 1e9))
        within(self.name, "norm", self.norm, (0.125, 64.0))
        within(self.name, "curvature", self.curvature, (0.01, 0.99))
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise ContractError(
                "low must be below high, both finite.",
                remedy="Give the bounds of the target's contract in the study.",
            )

    def step(
        self,
        question: Arrays,  # noqa: ARG002 - there is only one
        task: Task,
        design: Design,
    ) -> dict[str, Floats]:
        """Upper triangle of X'X and X'y, with y mapped to -1 to 1."""
        size = task.width + 1
        products, moments = np.zeros((size, size)), np.zeros(size)
        middle, half = self._range()
        for block in design.blocks(BATCH):
            # Whole multiples of one power of two: BLAS rounds nothing.
            x = np.vstack([clipped(block.x, self.norm), np.ones(block.rows)])
            y = np.clip((np.nan_to_num(block.y, nan=middle) - middle) / half, -1.0, 1.0)
            products += x @ x.T
            moments += x @ snapped(y, TARGET_GRID)
        return {"products": triangle(products), "moments": moments}

    def releases(
        self,
        question: Arrays,  # noqa: ARG002 - there is only one
        task: Task,
    ) -> Mapping[str, Release]:
        """A row moves X'y by its norm, X'X by the norm's square."""
        longest = float(np.sqrt(self.norm**2 + 1.0))  # with the intercept's 1
        rows = float(max(task.rows, 1))  # all columns lie within -1 to 1
        size = task.width + 1
        return {
            "products": Release(
                shape=(half_size(size),),
                bound=rows,
                sensitivity=longest**2,
                share=self.curvature,
            ),
            "moments": Release(
                shape=(size,),
                bound=rows,
                sensitivity=longest,
                share=1.0 - self.curvature,
            ),
        }

    def rounds(self, task: Task) -> Rounds:
        """Ask once and solve."""
        sums = yield Question(arrays={})
        size = task.width + 1
        products = full(sums["products"], size)
        noise = self.releases({}, task)["products"].noise(task)
        # The largest eigenvalue of such noise is about 2 sqrt(size) times its scale:
        # below half of it an eigenvalue is made up.
        smallest = float(np.linalg.eigvalsh(products)[0])
        least = max(noise * np.sqrt(size) - smallest, 0.0)
        penalty = np.append(np.full(task.width, self.l2), 0.0) + least + 1e-9
        solved = np.linalg.solve(products + np.diag(penalty), sums["moments"])
        middle, half = self._range()
        return Fitted(
            model={
                "coefficients": half * solved[:-1],
                "intercept": np.array([middle + half * solved[-1]]),
            },
            rounds=1,
            notes=("Noise for differential privacy is in every coefficient.",),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `Ridge` with these coefficients."""
        estimator: Any = Ridge(alpha=self.l2)
        estimator.coef_ = checked(model, "coefficients", (task.width,)).copy()
        estimator.intercept_ = float(checked(model, "intercept", (1,))[0])
        estimator.n_features_in_ = task.width
        return estimator

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return what the estimator would, each row by itself."""
        estimator: Any = self.estimator(model, task)
        return linear(estimator.coef_, float(estimator.intercept_), block.x)

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `coefficients` (p,) and `intercept` (1,)."""
        fitted: Any = estimator
        return {
            "coefficients": np.asarray(fitted.coef_, dtype=np.float64),
            "intercept": np.array([fitted.intercept_], dtype=np.float64),
        }

    def _range(self) -> tuple[float, float]:
        return self.low / 2.0 + self.high / 2.0, self.high / 2.0 - self.low / 2.0
