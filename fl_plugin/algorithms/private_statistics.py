"""Private count, means, variances and histograms of columns, in one round.

Four Gaussian mechanisms on integers (Dwork & Roth 2014, "The Algorithmic Foundations
of Differential Privacy", appendix A; noise after Canonne, Kamath & Steinke 2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

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
from fl_plugin.algorithms.checks.arrays import checked, malformed
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.private.releases import (
    PrivateAlgorithm,
    Release,
    clipped,
)
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats

SHARES = {"rows": 0.1, "sums": 0.3, "squares": 0.3, "histograms": 0.3}


@dataclass(frozen=True, kw_only=True)
class PrivateStatistics(PrivateAlgorithm, RowAlgorithm):
    """How many rows there are, and mean, variance and histogram of every column.

    Of the prepared columns, which lie within -1 to 1.

    Args:
        norm: Longer rows are shortened to this Euclidean norm before they are summed.
        bins: Of equal width, of each histogram.
    """

    name: ClassVar[str] = "private_statistics"
    title: ClassVar[str] = "Count, means, variances and histograms, private"
    paper: ClassVar[str] = "Dwork & Roth (2014), appendix A"
    targets: ClassVar[tuple[str, ...]] = ("none",)
    leaves: ClassVar[str] = (
        "once, with noise, as masked integers: the number of rows; of each column the "
        "sum, the sum of squares and rows per bin"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.preprocessing._data", "StandardScaler", "ObjectNode"),
    )
    norm: float = 2.0
    bins: int = 16

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        within(self.name, "norm", self.norm, (0.125, 64.0))
        within(self.name, "bins", self.bins, (1, 1024))

    def step(
        self,
        question: Arrays,  # noqa: ARG002 - there is only one
        task: Task,
        design: Design,
    ) -> dict[str, Floats]:
        """Rows (1,), sums and squares (p,), histograms (p, bins)."""
        rows, width = 0.0, task.width
        sums, squares = np.zeros(width), np.zeros(width)
        histograms = np.zeros((width, self.bins))
        for block in design.blocks(BATCH):
            x = clipped(block.x, self.norm)  # multiples of 2^-10: sums are exact
            rows += block.rows
            sums += x.sum(axis=1)
            squares += (x * x).sum(axis=1)
            inside = np.nan_to_num(np.clip(block.x, -1.0, 1.0))
            place = np.floor((inside + 1.0) / 2.0 * self.bins).astype(np.int64)
            place = np.minimum(place, self.bins - 1)
            for j, row in enumerate(place):
                histograms[j] += np.bincount(row, minlength=self.bins)
        return {
            "rows": np.array([rows]),
            "sums": sums,
            "squares": squares,
            "histograms": histograms,
        }

    def releases(
        self,
        question: Arrays,  # noqa: ARG002 - there is only one
        task: Task,
    ) -> Mapping[str, Release]:
        """A row counts once, has this norm, and is in one bin of each column."""
        moved = {
            "rows": 1.0,
            "sums": self.norm,
            # Squares of numbers within -1 to 1 have a norm of at most their own.
            "squares": min(self.norm, self.norm**2),
            "histograms": float(np.sqrt(task.width)),
        }
        shapes = {
            "rows": (1,),
            "sums": (task.width,),
            "squares": (task.width,),
            "histograms": (task.width, self.bins),
        }
        return {
            name: Release(
                shape=shapes[name],
                bound=float(max(task.rows, 1)),
                sensitivity=moved[name],
                share=share,
            )
            for name, share in SHARES.items()
        }

    def rounds(self, task: Task) -> Rounds:  # noqa: ARG002 - the sums say it all
        """Ask once and divide."""
        found = yield Question(arrays={})
        rows = float(found["rows"][0])
        if rows < 1.0:
            raise TrainingError(
                "Noise has drowned the number of rows.",
                remedy="Use a larger epsilon, or more rows.",
            )
        means = np.clip(found["sums"] / rows, -1.0, 1.0)
        variances = np.clip(found["squares"] / rows - means**2, 0.0, 1.0)
        return Fitted(
            model={
                "rows": np.array([rows]),
                "means": means,
                "variances": variances,
                "histograms": found["histograms"],
            },
            rounds=1,
            notes=("Noise for differential privacy is in every number.",),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `StandardScaler`, with `histograms_` beside it."""
        rows = float(checked(model, "rows", (1,))[0])
        variances = checked(model, "variances", (task.width,)).copy()
        if rows < 1.0 or (variances < 0).any():
            raise malformed("variances")
        estimator: Any = StandardScaler()
        estimator.mean_ = checked(model, "means", (task.width,)).copy()
        estimator.var_ = variances
        estimator.scale_ = np.where(variances > 0, np.sqrt(variances), 1.0)
        estimator.n_samples_seen_ = rows
        estimator.n_features_in_ = task.width
        shape = (task.width, self.bins)
        estimator.histograms_ = checked(model, "histograms", shape).copy()
        return estimator

    def model_of(self, estimator: BaseEstimator) -> Arrays:
        """Return `rows`, `means`, `variances` and `histograms`."""
        fitted: Any = estimator
        return {
            "rows": np.array([fitted.n_samples_seen_], dtype=np.float64),
            "means": np.asarray(fitted.mean_),
            "variances": np.asarray(fitted.var_),
            "histograms": np.asarray(fitted.histograms_),
        }

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return each row's mean squared distance from the means, in deviations."""
        scaler: Any = self.estimator(model, task)
        total = np.zeros(block.rows)
        for x, mean, scale in zip(block.x, scaler.mean_, scaler.scale_, strict=True):
            total += ((x - mean) / scale) ** 2  # column after column, as `linear`
        return np.asarray(total / max(task.width, 1))
