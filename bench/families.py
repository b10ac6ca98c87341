"""Which families are measured, and what each is measured against.

The first rival of a family is its twin: scikit-learn on the pooled rows with the same
objective, solved as far as it goes. What the federation finds must equal what the twin
finds. Others are scikit-learn as most people call it, for their time only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier

from fl_plugin.algorithms.base import Algorithm
from fl_plugin.algorithms.described import Parameter
from fl_plugin.algorithms.installed import algorithms, find_algorithm

TREES, LEAVES, BINS, SEED = 60, 31, 255, 7
FOREST = 20
_TIGHT: Mapping[str, Any] = {
    "solver": "newton-cholesky",
    "tol": 1e-12,
    "max_iter": 200,
}
_BOOSTED: Mapping[str, Any] = {
    "max_iter": TREES,
    "max_leaf_nodes": LEAVES,
    "early_stopping": False,
}


@dataclass(frozen=True, kw_only=True)
class Family:
    """One row of the table for every size.

    Args:
        algorithm: Its name among the installed ones.
        target: What it learns: a kind that `synthetic.Drawn.target` knows.
        rivals: Pooled estimators by what makes them special; the twin first. None is
            an unfitted clone of the estimator that the federation has found.
        parameters: Of the algorithm, where they are not the default.
        reads: The method of the estimator whose values are compared.
        equal: Whether it is meant to equal its twin.
    """

    algorithm: str
    target: str
    rivals: Mapping[str, Callable[[], Any] | None]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    reads: str = "predict"
    equal: bool = True

    @property
    def installed(self) -> bool:
        """Whether the algorithm is there."""
        return self.algorithm in algorithms()

    def made(self) -> Algorithm:
        """Return the algorithm with its parameters."""
        return find_algorithm(self.algorithm).of(self.parameters)

    @property
    def twin(self) -> str:
        """Name of the rival that it must equal."""
        return next(iter(self.rivals))


FAMILIES: tuple[Family, ...] = (
    Family(
        algorithm="logistic_regression",
        target="binary",
        rivals={
            "newton-cholesky, tol 1e-12": lambda: LogisticRegression(**_TIGHT),
            "lbfgs, as it comes": LogisticRegression,
        },
        reads="predict_proba",
    ),
    Family(
        algorithm="multinomial_logistic_regression",
        target="multiclass",
        rivals={"newton-cholesky, tol 1e-12": lambda: LogisticRegression(**_TIGHT)},
        reads="predict_proba",
    ),
    Family(
        algorithm="linear_regression",
        target="regression",
        rivals={"as it comes": LinearRegression},
    ),
    Family(
        algorithm="ridge",
        target="regression",
        rivals={"cholesky": lambda: Ridge(solver="cholesky")},
    ),
    Family(
        algorithm="elastic_net",
        target="regression",
        rivals={
            "Gram matrix, tol 1e-14": lambda: ElasticNet(
                precompute=True, tol=1e-14, max_iter=100_000
            )
        },
    ),
    Family(
        algorithm="poisson_regression",
        target="count",
        rivals={"newton-cholesky, tol 1e-12": lambda: PoissonRegressor(**_TIGHT)},
    ),
    Family(
        algorithm="gamma_regression",
        target="positive",
        rivals={"newton-cholesky, tol 1e-12": lambda: GammaRegressor(**_TIGHT)},
    ),
    Family(
        algorithm="tweedie_regression",
        target="count",
        rivals={
            "power 1.5, newton-cholesky, tol 1e-12": lambda: TweedieRegressor(
                power=1.5, **_TIGHT
            )
        },
    ),
    Family(
        algorithm="hist_gradient_boosting_classifier",
        target="binary",
        rivals={
            f"{TREES} trees": lambda: HistGradientBoostingClassifier(
                random_state=SEED, **_BOOSTED
            )
        },
        parameters=_BOOSTED,
        reads="predict_proba",
    ),
    Family(
        algorithm="hist_gradient_boosting_regressor",
        target="regression",
        rivals={
            f"{TREES} trees": lambda: HistGradientBoostingRegressor(
                random_state=SEED, **_BOOSTED
            )
        },
        parameters=_BOOSTED,
    ),
    Family(
        algorithm="random_forest_classifier",
        target="binary",
        rivals={
            f"{FOREST} trees, exact splits": lambda: RandomForestClassifier(
                FOREST, min_samples_leaf=20, random_state=SEED
            )
        },
        parameters={"n_estimators": FOREST},
        reads="predict_proba",
        equal=False,
    ),
    Family(
        algorithm="gaussian_nb",
        target="binary",
        rivals={"as it comes": GaussianNB},
        reads="predict_proba",
    ),
    Family(
        algorithm="bernoulli_nb",
        target="binary",
        rivals={"as it comes": BernoulliNB},
        reads="predict_proba",
    ),
    Family(
        algorithm="kmeans",
        target="none",
        rivals={"lloyd, the same start": None},
        parameters={"n_clusters": 8, "n_init": 1},
        reads="transform",
    ),
    Family(
        algorithm="pca",
        target="none",
        rivals={"covariance_eigh": lambda: PCA(svd_solver="covariance_eigh")},
        reads="transform",
    ),
    Family(
        algorithm="mlp_fedavg",
        target="binary",
        rivals={"Adam, as it comes": lambda: MLPClassifier((32,), random_state=SEED)},
        reads="predict_proba",
        equal=False,
    ),
)
BY_NAME: Mapping[str, Family] = {f.algorithm: f for f in FAMILIES}
