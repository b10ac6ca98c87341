"""Logistic regression with an L1 penalty: optimal by its own conditions, few rounds."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression as Pooled

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.l1_logistic_regression import L1LogisticRegression
from fl_plugin.algorithms.logistic_regression import LogisticRegression
from fl_plugin.errors import ContractError, TrainingError
from tests.federated import fit_over, task_over
from tests.unit.algorithms.glm_rows import columns, held

PENALTIES = [(1.0, 0.0), (30.0, 0.0), (10.0, 20.0), (200.0, 0.0), (1e-3, 1.0)]


def residual(algorithm, model, x, y, weights=1.0):
    """Return how far the optimality conditions fail, over the sums at the start."""
    w, b = model["coefficients"][0], model["intercept"]
    wrong = weights * (expit(x @ w + b) - y)
    pull = x.T @ wrong + algorithm.l2 * w
    nonzero = w != 0
    fails = np.abs(np.append((pull + algorithm.l1 * np.sign(w))[nonzero], wrong.sum()))
    over = np.maximum(np.abs(pull[~nonzero]) - algorithm.l1, 0.0)
    scale = np.abs(x.T @ (weights * (y - y.mean()))).max()
    return float(np.append(fails, over).max() / scale)


@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_the_optimality_conditions_hold_to_the_last_digits(l1, l2, figure):
    x, y, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=l1, l2=l2)
    found = fit_over(algorithm, task, parts)
    left = residual(algorithm, found.model, x, y)
    assert left < 1e-9
    assert found.rounds <= 8
    assert found.certificate is not None
    assert found.certificate.distance_bound < 1e-8
    zeros = int((found.model["coefficients"] == 0).sum())
    assert found.notes[-1] == f"{zeros} of 6 coefficients are 0."
    assert (zeros > 0) == (l1 >= 200.0)
    figure(f"KKT residual of L1 logistic regression, l1 {l1:g}, l2 {l2:g}", left)


@pytest.mark.parametrize(("l1", "l2"), [(30.0, 0.0), (10.0, 20.0)])
def test_it_equals_scikit_learn_s_tight_fit(l1, l2, figure):
    x, y, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=l1, l2=l2)
    found = fit_over(algorithm, task, parts)
    pooled = Pooled(
        C=1 / (l1 + l2),
        l1_ratio=l1 / (l1 + l2),
        solver="saga",
        tol=1e-12,
        max_iter=100_000,
    ).fit(x, y)
    apart = np.append(
        found.model["coefficients"] - pooled.coef_,
        found.model["intercept"] - pooled.intercept_,
    )
    assert np.abs(apart).max() < 1e-6
    ours = algorithm.estimator(found.model, task)
    np.testing.assert_allclose(
        ours.predict_proba(x), pooled.predict_proba(x), atol=1e-6
    )
    assert (ours.coef_ == 0).sum() == (pooled.coef_ == 0).sum()
    figure("L1 logistic regression beside saga, coefficients", np.abs(apart).max())


def test_many_columns_of_which_few_matter(figure):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(1_900, 60))
    y = (x[:, :4] @ [1.0, -1.0, 0.5, 0.8] + rng.logistic(size=1_900) > 0).astype(float)
    _, _, parts, task = held("binary", "binary", x=x, y=y)
    algorithm = L1LogisticRegression(l1=40.0)
    found = fit_over(algorithm, task, parts)
    assert residual(algorithm, found.model, x, y) < 1e-9
    chosen = np.flatnonzero(found.model["coefficients"][0])
    assert set(range(4)) <= set(chosen)
    assert len(chosen) < 15
    assert found.rounds <= 8
    figure("rounds of L1 logistic regression, 60 columns", found.rounds)


def test_columns_that_repeat_one_another_have_an_optimum_all_the_same():
    x, y, _, _ = held("binary", "binary")
    x = np.hstack([x, x[:, :2]])
    _, _, parts, task = held("binary", "binary", x=x, y=y)
    algorithm = L1LogisticRegression(l1=5.0)
    found = fit_over(algorithm, task, parts)
    assert residual(algorithm, found.model, x, y) < 1e-9


def test_rows_that_a_line_separates_have_an_optimum():
    x = columns()
    y = (x[:, 1] > 0).astype(float)
    _, _, parts, task = held("binary", "binary", x=x, y=y)
    algorithm = L1LogisticRegression(l1=1.0)
    found = fit_over(algorithm, task, parts)
    assert residual(algorithm, found.model, x, y) < 1e-9
    assert found.rounds < 25


def test_a_penalty_above_all_pulls_leaves_the_log_odds():
    _, y, parts, task = held("binary", "binary")
    found = fit_over(L1LogisticRegression(l1=1e5), task, parts)
    assert not found.model["coefficients"].any()
    assert expit(found.model["intercept"][0]) == pytest.approx(y.mean(), abs=1e-12)
    assert found.rounds == 1


def test_without_much_l1_it_is_the_ridge_s_optimum():
    _, _, parts, task = held("binary", "binary")
    found = fit_over(L1LogisticRegression(l1=1e-9, l2=3.0), task, parts)
    other = fit_over(LogisticRegression(l2=3.0), task, parts)
    np.testing.assert_allclose(
        found.model["coefficients"], other.model["coefficients"], atol=1e-9
    )


def test_classes_can_count_alike():
    x, y, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=20.0, class_weight="balanced")
    found = fit_over(algorithm, task, parts)
    weights = len(y) / 2 / np.where(y == 1, y.sum(), len(y) - y.sum())
    assert residual(algorithm, found.model, x, y, weights) < 1e-9


def test_any_split_of_the_rows_gives_the_same_model():
    x, y, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=30.0)
    found = fit_over(algorithm, task, parts).model
    alone = Block(np.ascontiguousarray(x.T), y)
    classes = Target(kind="binary", classes=(False, True))
    other = fit_over(
        algorithm, task_over([alone], classes), [alone], masked=False
    ).model
    np.testing.assert_allclose(
        found["coefficients"], other["coefficients"], atol=1e-11, rtol=0
    )


def test_a_clone_of_the_estimator_fits_the_same_objective():
    x, y, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=10.0, l2=5.0)
    found = fit_over(algorithm, task, parts)
    ours = algorithm.estimator(found.model, task)
    again = algorithm.model_of(ours)
    assert set(again) == set(found.model)
    for name, array in again.items():
        np.testing.assert_array_equal(array, found.model[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        refitted = Pooled(**{**ours.get_params(), "tol": 1e-10, "max_iter": 50_000})
        refitted.fit(x, y)
    np.testing.assert_allclose(refitted.coef_, ours.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"l1": 0.0},
        {"l1": -1.0},
        {"l2": -1.0},
        {"tolerance": 0.0},
        {"max_rounds": 0},
        {"class_weight": "some"},
    ],
)
def test_options_that_have_no_meaning_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ContractError, match=name):
        L1LogisticRegression(**wrong)


def test_it_gives_up_where_it_may_not_ask_often_enough():
    _, _, parts, task = held("binary", "binary")
    with pytest.raises(TrainingError, match="did not converge in 2 rounds"):
        fit_over(L1LogisticRegression(l1=1.0, max_rounds=2), task, parts)


def test_a_step_that_does_not_lower_the_objective_is_halved():
    _, _, parts, task = held("binary", "binary")
    algorithm = L1LogisticRegression(l1=30.0)
    rounds = algorithm.rounds(task)
    asked = [next(rounds).arrays]
    honest = algorithm.worker(task, parts[0])
    first = honest.answer(asked[0])
    asked.append(rounds.send(first).arrays)
    worse = honest.answer(asked[1])
    question = rounds.send({**worse, "loss": first["loss"] + 1e6}).arrays
    halfway = (asked[0]["point"] + asked[1]["point"]) / 2.0
    np.testing.assert_allclose(question["point"], halfway, rtol=1e-12)


def test_a_class_without_rows_is_refused():
    _, _, parts, task = held("binary", "binary")
    with pytest.raises(TrainingError, match="one class"):
        fit_over(L1LogisticRegression(), replace(task, class_counts=(0, 9)), parts)
