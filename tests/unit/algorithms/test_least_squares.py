"""Products of columns: no digit is lost to units, means or columns that repeat."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression as Pooled
from sklearn.linear_model import Ridge as PooledRidge

from fl_plugin.algorithms.elastic_net import ElasticNet, _gap
from fl_plugin.algorithms.linear_models import least_squares
from fl_plugin.algorithms.linear_models.descent import Problem, descend
from fl_plugin.algorithms.linear_regression import LinearRegression
from fl_plugin.algorithms.ridge import Ridge
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over
from tests.unit.algorithms.glm_rows import columns, held

UNITS = np.array([1.0, 1e3, 1e-2, 1.0, 30.0, 1.0])
SHIFTS = np.array([0.0, 3e5, 0.0, 2000.0, 0.0, -5.0])


def noisy(x, weights, seed=0):
    return x @ weights + np.random.default_rng(seed).normal(size=len(x))


@pytest.mark.parametrize(
    ("algorithm", "pooled"),
    [
        (Ridge(alpha=1e-3), PooledRidge(1e-3, solver="svd")),
        (LinearRegression(), Pooled()),
    ],
    ids=["ridge", "linear_regression"],
)
def test_columns_of_unlike_units_lose_no_digits(algorithm, pooled):
    x = columns() * UNITS + SHIFTS
    y = noisy(columns(), [1.0, 2.0, -1.0, 0.5, 0.3, -0.2]) + 1e4
    x, y, parts, task = held("", "regression", x=x, y=y)
    found = fit_over(algorithm, task, parts)
    pooled.fit(x, y)
    ours = found.model["coefficients"] * UNITS
    np.testing.assert_allclose(ours, pooled.coef_ * UNITS, rtol=0, atol=1e-9)
    assert found.model["intercept"][0] == pytest.approx(pooled.intercept_, abs=1e-8)


def test_columns_that_nearly_repeat_are_refined():
    x = columns()
    x[:, 5] = x[:, 4] + 1e-3 * x[:, 5]
    y = noisy(x, np.ones(6))
    x, y, parts, task = held("", "regression", x=x, y=y)
    found = fit_over(LinearRegression(), task, parts)
    assert found.rounds > 2
    apart = np.abs(found.model["coefficients"] - Pooled().fit(x, y).coef_)
    assert apart.max() < 5e-9  # the coefficients themselves are about 30
    assert found.rounds <= 8


def test_columns_that_repeat_give_the_shortest_coefficients():
    x = columns()
    words = np.eye(3)[np.arange(len(x)) % 3]  # one-hot: they add up to 1
    x = np.column_stack([x, words, x[:, 1] * 3, np.full(len(x), 2.0)])
    y = noisy(x, np.linspace(-1, 1, x.shape[1]))
    x, y, parts, task = held("", "regression", x=x, y=y)
    found = fit_over(LinearRegression(), task, parts)
    pooled = Pooled().fit(x, y)
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-9)
    assert found.model["rank"][0] == pooled.rank_ == 8
    assert found.certificate is None
    assert "3 of 11 columns" in found.notes[0]


def test_a_column_too_small_for_scikit_learn_is_left_out_as_it_does():
    x = columns() * [1.0, 1.0, 1e-8, 1.0, 1.0, 1.0]
    x, y, parts, task = held("", "regression", x=x, y=noisy(columns(), np.ones(6)))
    found = fit_over(LinearRegression(), task, parts)
    pooled = Pooled().fit(x, y)
    assert found.model["rank"][0] == pooled.rank_ == 5
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-9)


def test_ridge_over_columns_that_repeat_has_one_answer():
    x = columns()
    x = np.column_stack([x, x[:, 0], x[:, 1] - x[:, 2]])
    x, y, parts, task = held("", "regression", x=x, y=noisy(x, np.ones(8)))
    found = fit_over(Ridge(alpha=0.1), task, parts)
    pooled = PooledRidge(0.1, solver="svd").fit(x, y)
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-9)
    assert found.certificate is not None


def test_a_target_that_does_not_vary_has_coefficients_of_zero():
    _, _, parts, task = held("", "regression", y=np.full(1_900, 3.0))
    for algorithm in (Ridge(), LinearRegression(), ElasticNet()):
        found = fit_over(algorithm, task, parts)
        np.testing.assert_allclose(found.model["coefficients"], 0.0, atol=1e-12)
        assert found.model["intercept"][0] == pytest.approx(3.0)


def test_a_lasso_over_columns_that_repeat_still_ends():
    x = columns()
    x = np.column_stack([x, x])
    _, _, parts, task = held("", "regression", x=x, y=noisy(x, np.ones(12)))
    found = fit_over(ElasticNet(alpha=0.05, l1_ratio=1.0), task, parts)
    assert found.model["gap"][0] < 1e-9


def test_the_duality_gap_at_the_end_is_rounding():
    _, _, parts, task = held("line", "regression")
    best = fit_over(ElasticNet(alpha=0.1), task, parts)
    assert 0 <= best.model["gap"][0] < 1e-12


def test_an_infinite_value_stops_the_party_before_anything_is_sent():
    _, _, parts, task = held("line", "regression")
    parts[0].x[0, 0] = np.inf
    with pytest.raises(TrainingError):
        fit_over(Ridge(), task, parts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", np.array([3])),
        ("stage", np.array([-1])),
        ("stage", np.array([1.0])),
        ("scale", np.zeros(7)),
        ("scale", -np.ones(7)),
        ("scale", np.full(7, 1e200)),
        ("scale", np.ones(6)),
        ("center", np.full(7, np.nan)),
        ("center", np.full(7, 1e200)),
        ("point", np.full(7, 1e10)),
        ("point", np.zeros(6)),
    ],
)
def test_a_question_out_of_range_is_refused(name, value):
    _, _, _, task = held("line", "regression")
    good = {
        "stage": np.array([2]),
        "center": np.zeros(7),
        "scale": np.ones(7),
        "point": np.zeros(7),
    }
    assert Ridge().answers(good, task)
    with pytest.raises(MessageError, match=name):
        Ridge().answers({**good, name: value}, task)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ridge(alpha=0.0),
        lambda: Ridge(alpha=float("nan")),
        lambda: ElasticNet(alpha=-1.0),
        lambda: ElasticNet(l1_ratio=1.5),
        lambda: ElasticNet(l1_ratio=-0.1),
    ],
)
def test_a_parameter_out_of_range_is_refused(make):
    with pytest.raises(ContractError):
        make()


@pytest.fixture
def centre_off(monkeypatch):
    """Make the measured means wrong by a hundredth of the columns' size."""
    exact = least_squares._moments

    def shifted(task, design):
        sums = exact(task, design)
        sums[0] += 0.01 * design.rows
        sums[1] += 0.05 * design.rows
        return sums

    return lambda: monkeypatch.setattr(least_squares, "_moments", shifted)


@pytest.mark.parametrize(
    "algorithm", [Ridge(), LinearRegression(), ElasticNet(alpha=0.1)]
)
def test_a_centre_that_is_off_is_corrected_by_the_columns_own_sums(
    algorithm, centre_off
):
    _, _, parts, task = held("line", "regression")
    right = fit_over(algorithm, task, parts)
    centre_off()
    found = fit_over(algorithm, task, parts)
    for name in ("coefficients", "intercept"):
        np.testing.assert_allclose(found.model[name], right.model[name], atol=1e-10)


def test_refining_knows_of_a_centre_that_is_off(centre_off):
    x = columns()
    x[:, 5] = x[:, 4] + 1e-3 * x[:, 5]
    x, y, parts, task = held("", "regression", x=x, y=noisy(x, np.ones(6)))
    centre_off()
    found = fit_over(Ridge(alpha=1e-4), task, parts)
    assert found.rounds > 2
    pooled = PooledRidge(1e-4, solver="svd").fit(x, y)
    apart = np.abs(found.model["coefficients"] - pooled.coef_)
    assert apart.max() < 5e-9  # the coefficients themselves are about 30


def test_a_column_far_from_zero_and_nearly_flat_can_be_added():
    x = columns()
    x[:, 2] = 1e8 + 0.5 * x[:, 2]  # its square has no digits of its spread
    _, y, parts, task = held("", "regression", x=x, y=noisy(columns(), np.ones(6)))
    found = fit_over(Ridge(), task, parts)
    even = np.column_stack([x[:, :2], x[:, 2] - 1e8, x[:, 3:]])
    pooled = PooledRidge(solver="svd").fit(even, y)
    np.testing.assert_allclose(found.model["coefficients"], pooled.coef_, atol=1e-7)


def test_elastic_net_over_columns_that_nearly_repeat_waits_for_the_right_signs():
    x = columns()
    for j in range(1, 6):
        x[:, j] = x[:, 0] + 0.02 * x[:, j]
    y = noisy(x, [1.0, -1.0, 0.5, 0.0, 0.0, 0.0])
    x, y, parts, task = held("", "regression", x=x, y=y)
    found = fit_over(ElasticNet(alpha=1e-4, l1_ratio=0.9), task, parts)
    w, centred = found.model["coefficients"], x - x.mean(axis=0)
    pull = centred.T @ (y - y.mean() - centred @ w) / len(y) - 1e-5 * w
    active = w != 0
    assert 0 < active.sum() < 6
    np.testing.assert_allclose(pull[active], 9e-5 * np.sign(w[active]), atol=1e-12)
    assert (np.abs(pull[~active]) <= 9e-5 + 1e-12).all()
    assert found.model["iterations"][0] > 25


def test_the_gap_is_at_least_how_far_the_loss_is_from_its_least():
    rng = np.random.default_rng(4)
    a = rng.normal(size=(40, 5))
    y = a @ rng.normal(size=5) + rng.normal(size=40)
    ones = np.ones(5)
    problem = Problem(
        g=a.T @ a / 40, c=a.T @ y / 40, first=0.2 * ones, second=0.1 * ones
    )

    def loss(w):
        penalty = 0.2 * np.abs(w).sum() + 0.05 * w @ w
        return ((y - a @ w) ** 2).sum() / 80 + penalty

    best, _ = descend(problem)
    assert _gap(problem, best, float(y @ y) / 40) == pytest.approx(0.0, abs=1e-12)
    for size in (1e-3, 0.1, 1.0):
        w = best + size * rng.normal(size=5)
        gap = _gap(problem, w, float(y @ y) / 40)
        above = loss(w) - loss(best)
        assert above <= gap <= 100 * above + 1.0
    assert _gap(problem, np.zeros(5), float(y @ y) / 40) < float(y @ y) / 80
