"""Every linear model equals the tight pooled fit of scikit-learn, on unlike parties."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)

from fl_plugin.algorithms.installed import find_algorithm
from tests.federated import fit_over
from tests.unit.algorithms.glm_rows import attributes, held

TIGHT = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 300}


@dataclass(frozen=True)
class Case:
    name: str
    rows: str
    target: str
    pooled: object
    parameters: dict[str, float] = field(default_factory=dict)


def _net(alpha, ratio):
    return ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-14, max_iter=1_000_000)


CASES = [
    Case("logistic_regression", "binary", "binary", LogisticRegression(**TIGHT)),
    Case(
        "logistic_regression",
        "binary",
        "binary",
        LogisticRegression(C=1 / 30.0, **TIGHT),
        {"l2": 30.0},
    ),
    Case(
        "multinomial_logistic_regression",
        "multiclass",
        "multiclass",
        LogisticRegression(C=2.0, **TIGHT),
        {"l2": 0.5},
    ),
    Case("poisson_regression", "count", "count", PoissonRegressor(**TIGHT)),
    Case(
        "poisson_regression",
        "zeros",
        "regression",
        PoissonRegressor(alpha=0.0, **TIGHT),
        {"alpha": 0.0},
    ),
    Case("gamma_regression", "positive", "regression", GammaRegressor(**TIGHT)),
    Case(
        "gamma_regression",
        "positive",
        "regression",
        GammaRegressor(alpha=0.01, **TIGHT),
        {"alpha": 0.01},
    ),
    *(
        Case(
            "tweedie_regression",
            "zeros",
            "regression",
            TweedieRegressor(power=power, alpha=0.1, link="log", **TIGHT),
            {"power": power, "alpha": 0.1},
        )
        for power in (1.05, 1.5, 1.9)
    ),
    Case("ridge", "line", "regression", Ridge(solver="cholesky")),
    Case(
        "ridge", "line", "regression", Ridge(500.0, solver="cholesky"), {"alpha": 500.0}
    ),
    Case("linear_regression", "line", "regression", LinearRegression()),
    *(
        Case(
            "elastic_net",
            "line",
            "regression",
            _net(alpha, ratio),
            {"alpha": alpha, "l1_ratio": ratio},
        )
        for alpha, ratio in ((0.1, 0.5), (0.2, 1.0), (0.01, 1.0), (50.0, 0.5))
    ),
]


@pytest.fixture(params=CASES, ids=lambda c: f"{c.name} {c.parameters}")
def case(request):
    return request.param


def pooled(case, x, y):
    with warnings.catch_warnings():
        # Asked for more digits than its line search can tell apart, it says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return case.pooled.fit(x, y)


def fitted(case):
    x, y, parts, task = held(case.rows, case.target)
    algorithm = find_algorithm(case.name).of(case.parameters)
    found = fit_over(algorithm, task, parts)
    return x, y, task, algorithm, found


def distance(ours, theirs):
    apart = np.ravel(ours.coef_ - theirs.coef_)
    return np.append(apart, ours.intercept_ - theirs.intercept_)


def test_every_coefficient_is_the_pooled_one_to_nine_digits(case):
    x, y, task, algorithm, found = fitted(case)
    ours, theirs = algorithm.estimator(found.model, task), pooled(case, x, y)
    apart = distance(ours, theirs)
    assert np.abs(apart).max() < 1e-9
    assert found.rounds <= 8


def test_the_certificate_holds(case):
    x, y, task, algorithm, found = fitted(case)
    if found.certificate is None:
        assert case.name == "elastic_net"  # its objective is not smooth
        return
    ours, theirs = algorithm.estimator(found.model, task), pooled(case, x, y)
    slack = 1e-11  # scikit-learn's own distance to the optimum
    apart = np.linalg.norm(distance(ours, theirs))
    assert apart <= found.certificate.distance_bound + slack
    assert found.certificate.distance_bound < 1e-8
    assert found.certificate.smallest_eigenvalue > 0


def test_the_estimator_has_every_attribute_that_fitting_gives(case):
    x, y, task, algorithm, found = fitted(case)
    ours = attributes(algorithm.estimator(found.model, task))
    theirs = attributes(pooled(case, x, y))
    if task.target.classes:
        theirs["classes_"] = np.array(task.target.classes)
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert type(ours[name]) is type(value), name
        if isinstance(value, np.ndarray):
            assert ours[name].dtype == value.dtype
            assert ours[name].shape == value.shape
        elif name in {"n_features_in_", "rank_", "solver_"}:
            assert ours[name] == value
    if "singular_" in theirs:
        np.testing.assert_allclose(ours["singular_"], theirs["singular_"], rtol=1e-9)


def test_a_clone_fitted_on_the_pooled_rows_scores_the_same(case):
    x, y, task, algorithm, found = fitted(case)
    ours = algorithm.estimator(found.model, task)
    y = np.array(task.target.classes)[y.astype(int)] if task.target.classes else y
    theirs = type(ours)(**(ours.get_params() | _tolerance(ours))).fit(x, y)
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y), abs=1e-9)


def _tolerance(estimator):
    return {} if isinstance(estimator, LinearRegression) else {"tol": 1e-10}


def test_the_loss_is_that_of_the_pooled_objective(case):
    x, y, task, algorithm, found = fitted(case)
    model = algorithm.estimator(found.model, task)
    coefficients, intercept = np.ravel(model.coef_), np.ravel(model.intercept_)
    size = float(coefficients @ coefficients)
    if case.name == "elastic_net":
        residue = float(((y - model.predict(x)) ** 2).sum()) / (2 * len(y))
        expected = residue + _net_penalty(algorithm, coefficients)
    elif case.name in {"ridge", "linear_regression"}:
        residue = float(((y - model.predict(x)) ** 2).sum())
        expected = residue + algorithm.parameters().get("alpha", 0.0) * size
    elif case.target in {"binary", "multiclass"}:
        chance = model.predict_proba(x)[np.arange(len(y)), y.astype(int)]
        expected = -np.log(chance).sum() + algorithm.l2 / 2 * size
    else:
        z = x @ coefficients + intercept
        losses = model._base_loss.loss(y, z)
        expected = losses.mean() + algorithm.alpha / 2 * size
    assert found.loss == pytest.approx(expected, rel=1e-10)


def _net_penalty(algorithm, w):
    ratio = algorithm.l1_ratio
    return algorithm.alpha * (ratio * np.abs(w).sum() + (1 - ratio) / 2 * w @ w)


def test_elastic_net_zeros_are_zeros():
    x, y, parts, task = held("line", "regression")
    lasso = find_algorithm("elastic_net").of({"alpha": 0.2, "l1_ratio": 1.0})
    found = fit_over(lasso, task, parts)
    zeros = found.model["coefficients"] == 0
    assert np.array_equal(zeros, _net(0.2, 1.0).fit(x, y).coef_ == 0)
    assert 0 < zeros.sum() < 6
