"""Exact federated principal components: the centred scatter matrix, in two rounds.

Sums give the means; sums of products about the means give the covariance matrix of
the pooled rows (Chan, Golub & LeVeque 1983), and its eigenvectors are the components
(Pearson 1901). Their signs are scikit-learn's: a component's largest entry is positive.

What leaves a domain, masked: p sums, then p(p+1)/2 sums of products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn import decomposition
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import svd_flip

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
from fl_plugin.algorithms.checks.arrays import checked, malformed, whole_number
from fl_plugin.algorithms.checks.options import within
from fl_plugin.algorithms.geometry.points import (
    largest_square,
    largest_sum,
    points,
    squares_from,
)
from fl_plugin.algorithms.geometry.symmetric import full, half_size, triangle
from fl_plugin.errors import TrainingError
from fl_plugin.summand import Arrays, Floats, Summand

MOST_COMPONENTS = 100_000
MOST_ROWS = 2**53
SMALLEST_SPREAD = float(np.finfo(np.float64).tiny)  # of constant columns: 0 / tiny
FEWEST_ROWS = 2  # a variance divides by one row less


@dataclass(frozen=True, kw_only=True)
class PCA(RowAlgorithm):
    """Principal component analysis.

    Args:
        n_components: How many are kept; 0 keeps all.
        whiten: Whether the transformed columns are scaled to variance 1.
    """

    name: ClassVar[str] = "pca"
    title: ClassVar[str] = "Principal components, exact (summed covariance)"
    paper: ClassVar[str] = "Pearson (1901), doi:10.1080/14786440109462720"
    targets: ClassVar[tuple[str, ...]] = ("none",)
    exact: ClassVar[str] = (
        "scikit-learn's PCA(n_components, whiten, svd_solver='covariance_eigh') on "
        "the pooled rows, up to rounding"
    )
    leaves: ClassVar[str] = (
        "sums of every column and sums of products of every two columns about their "
        "means, as masked fixed-point integers"
    )
    types: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sklearn.decomposition._pca", "PCA", "ObjectNode"),
    )
    n_components: int = 0
    whiten: bool = False

    def __post_init__(self) -> None:
        """Refuse a negative number of components."""
        within(self.name, "n_components", self.n_components, (0, MOST_COMPONENTS))

    def step(self, question: Arrays, task: Task, design: Design) -> Arrays:
        """Sums; once `means` are asked about, products about them (upper triangle)."""
        means = question.get("means")
        if means is None:
            sums = np.zeros(task.width)
            for block in design.blocks():
                sums += block.x.sum(axis=1)
            return {"sums": sums}
        scatter = np.zeros((task.width, task.width))
        room = np.empty((task.width, BATCH))
        for block in design.blocks(BATCH):
            apart = room[:, : block.rows]
            np.subtract(block.x, means[:, None], out=apart)
            # A block times its own transpose lets BLAS do half the work (syrk).
            scatter += apart @ apart.T
        return {"scatter": triangle(scatter)}

    def answers(self, question: Arrays, task: Task) -> Mapping[str, Summand]:
        """Sums by Cauchy-Schwarz: see `points`."""
        if "means" in question:
            bound = largest_square(task, points(question, "means", (task.width,)))
            size = half_size(task.width)
            return {"scatter": Summand(shape=(size,), bound=bound)}
        return {"sums": Summand(shape=(task.width,), bound=largest_sum(task))}

    def rounds(self, task: Task) -> Rounds:
        """Ask for sums, then for products about the means that they give."""
        kept = self._kept(task)
        first = yield Question(arrays={})
        means = first["sums"] / task.rows
        second = yield Question(arrays={"means": means})
        covariance = full(second["scatter"], task.width) / (task.rows - 1)
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values[::-1], 0.0)  # rounding may pass zero
        _, components = svd_flip(None, vectors.T[::-1], u_based_decision=False)
        left = values[kept:]
        return Fitted(
            model={
                "components": components[:kept].copy(),
                "means": means,
                "variances": values[:kept].copy(),
                "shares": values[:kept] / max(values.sum(), SMALLEST_SPREAD),
                "noise": np.array([left.mean() if len(left) else 0.0]),
                "rows": np.array([task.rows]),
            },
            rounds=2,
            loss=float(left.sum()) * (task.rows - 1),
        )

    def estimator(self, model: Arrays, task: Task) -> BaseEstimator:
        """Return scikit-learn's `PCA` with all its fitted attributes."""
        kept, rows = self._kept(task), whole_number(model, "rows", MOST_ROWS)
        variances = checked(model, "variances", (kept,))
        if not (variances >= 0).all():
            raise malformed("variances")
        estimator: Any = decomposition.PCA(
            n_components=self.n_components or None,
            whiten=self.whiten,
            svd_solver="covariance_eigh",
        )
        estimator.mean_ = checked(model, "means", (task.width,)).copy()
        estimator.components_ = checked(model, "components", (kept, task.width)).copy()
        estimator.explained_variance_ = variances.copy()
        estimator.explained_variance_ratio_ = checked(model, "shares", (kept,)).copy()
        estimator.singular_values_ = np.sqrt(variances * (rows - 1))
        estimator.noise_variance_ = float(checked(model, "noise", (1,))[0])
        estimator.n_components_ = kept
        estimator.n_samples_ = rows
        estimator.n_features_in_ = task.width
        estimator._fit_svd_solver = "covariance_eigh"  # noqa: SLF001 (as `fit` does)
        return estimator

    def model_of(self, estimator: Any) -> Arrays:
        """Return what `estimator` reads.

        `components` (k, p), `means` (p,), `variances` and `shares` of them all (k,),
        `noise` (1,), the mean variance of the dropped ones, and `rows` (1,).
        """
        return {
            "components": np.asarray(estimator.components_, dtype=np.float64),
            "means": np.asarray(estimator.mean_, dtype=np.float64),
            "variances": np.asarray(estimator.explained_variance_, dtype=np.float64),
            "shares": np.asarray(estimator.explained_variance_ratio_, dtype=np.float64),
            "noise": np.array([estimator.noise_variance_], dtype=np.float64),
            "rows": np.array([estimator.n_samples_], dtype=np.int64),
        }

    def predict(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return (rows,): what the kept components leave of each row, squared."""
        components = checked(model, "components", (self._kept(task), task.width))
        apart = block.x - checked(model, "means", (task.width,))[:, None]
        left = apart - components.T @ (components @ apart)
        return np.asarray(np.einsum("ij,ij->j", left, left))

    def outcome(self, model: Arrays, task: Task, block: Block) -> Floats:
        """Return (rows,): each row's squared distance from the means."""
        return squares_from(checked(model, "means", (task.width,)), block)

    def _kept(self, task: Task) -> int:
        if task.rows < FEWEST_ROWS or self.n_components > min(task.width, task.rows):
            raise TrainingError(
                f"{self.name} cannot keep more components than there are columns.",
                remedy="Lower n_components in the study, or add features.",
            )
        return self.n_components or task.width
