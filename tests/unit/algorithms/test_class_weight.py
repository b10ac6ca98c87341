"""Balanced classes: linear models weigh rows as scikit-learn does."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Pooled
from sklearn.utils.class_weight import compute_class_weight

from fl_plugin.algorithms.base import Block, Target, Task
from fl_plugin.algorithms.by_class.weights import class_weights, row_weights
from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.privacy.encoding import encode
from tests.federated import fit_over, task_over
from tests.unit.algorithms.glm_rows import CLASSES, attributes, columns, held, target

TIGHT = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 300}
LINEAR = {
    "binary": "logistic_regression",
    "multiclass": "multinomial_logistic_regression",
}
WEIGHING = [
    *LINEAR.values(),
    "hist_gradient_boosting_classifier",
    "random_forest_classifier",
]


def linear(kind, l2=1.0) -> Any:
    return find_algorithm(LINEAR[kind]).of({"l2": l2, "class_weight": "balanced"})


def rare(kind):
    """Return pooled x and y of which 3 in 100 rows are of the last class."""
    x = columns()
    y = target(kind, x)
    last = y == y.max()
    kept = ~last | (np.cumsum(last) % 25 == 0)
    x, y = x[kept], y[kept]
    return held(
        kind, kind, x=(x - x.mean(axis=0)) / x.std(axis=0), y=y, cuts=(600, 800)
    )


def pooled(x, y, l2=1.0):
    with warnings.catch_warnings():
        # Asked for more digits than its line search can tell apart, it says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Pooled(C=1 / l2, class_weight="balanced", **TIGHT).fit(x, y)


def apart(ours, theirs):
    return np.append(
        np.ravel(ours.coef_ - theirs.coef_), ours.intercept_ - theirs.intercept_
    )


@pytest.fixture(params=LINEAR)
def kind(request):
    return request.param


@pytest.fixture(params=[0.1, 1.0, 30.0])
def l2(request):
    return request.param


def test_every_coefficient_is_that_of_the_pooled_balanced_fit(kind, l2):
    x, y, parts, task = rare(kind)
    assert min(task.class_counts) < 0.04 * task.rows
    algorithm = linear(kind, l2)
    found = fit_over(algorithm, task, parts)
    ours, theirs = algorithm.estimator(found.model, task), pooled(x, y, l2)
    assert np.abs(apart(ours, theirs)).max() < 1e-9
    assert found.rounds <= 9
    unweighed = replace(algorithm, class_weight="none")
    other = unweighed.estimator(fit_over(unweighed, task, parts).model, task)
    assert np.abs(apart(other, theirs)).max() > 0.1


def test_the_certificate_holds(kind, l2):
    x, y, parts, task = rare(kind)
    algorithm = linear(kind, l2)
    found: Any = fit_over(algorithm, task, parts)
    ours, theirs = algorithm.estimator(found.model, task), pooled(x, y, l2)
    slack = 1e-11  # scikit-learn's own distance to the optimum
    proven = found.certificate.distance_bound
    assert np.linalg.norm(apart(ours, theirs)) <= proven + slack
    assert proven < 1e-7


def test_the_certificate_s_eigenvalue_is_that_of_the_weighed_hessian():
    x, y, parts, task = rare("binary")
    algorithm = linear("binary")
    found: Any = fit_over(algorithm, task, parts)
    chance = algorithm.estimator(found.model, task).predict_proba(x)[:, 1]
    curvature = chance * (1 - chance) * row_weights("balanced", y, task)
    whole = np.column_stack([x, np.ones(len(x))])
    hessian = (whole.T * curvature) @ whole + np.diag([1.0] * x.shape[1] + [0.0])
    smallest = np.linalg.eigvalsh(hessian)[0]
    # It is measured a little before the end, and bounded from there.
    assert found.certificate.smallest_eigenvalue <= smallest * (1 + 1e-9)
    assert found.certificate.smallest_eigenvalue > 0.9 * smallest


def test_the_loss_is_that_of_the_weighed_objective(kind):
    x, y, parts, task = rare(kind)
    algorithm = linear(kind)
    found = fit_over(algorithm, task, parts)
    model = algorithm.estimator(found.model, task)
    chance = model.predict_proba(x)[np.arange(len(y)), y.astype(int)]
    weights = row_weights("balanced", y, task)
    expected = -(weights * np.log(chance)).sum() + 0.5 * (model.coef_**2).sum()
    assert found.loss == pytest.approx(expected, rel=1e-10)


def test_the_estimator_says_that_it_was_balanced_and_its_clone_is_the_same(kind):
    x, y, parts, task = rare(kind)
    algorithm = linear(kind)
    found = fit_over(algorithm, task, parts)
    ours = algorithm.estimator(found.model, task)
    assert ours.class_weight == "balanced"
    assert (
        replace(algorithm, class_weight="none")
        .estimator(found.model, task)
        .class_weight
        is None
    )
    labels = np.array(task.target.classes)[y.astype(int)]
    theirs = type(ours)(**(ours.get_params() | {"tol": 1e-10})).fit(x, labels)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    assert set(attributes(ours)) == set(attributes(theirs))
    again = algorithm.model_of(ours)
    assert again.keys() == found.model.keys()
    for name, array in found.model.items():
        np.testing.assert_array_equal(again[name], array)


def test_a_fit_starts_where_all_classes_are_as_likely(kind):
    _, _, _, task = rare(kind)
    assert np.abs(linear(kind).start(task)).max() < 1e-12


def test_weights_are_scikit_learn_s_and_add_up_to_the_rows():
    for counts in [(3, 997), (1, 1), (40, 7, 953), (1, 10**9)]:
        names = CLASSES[: len(counts)]
        task = Task(
            target=Target(kind="multiclass", classes=names),
            columns=(),
            rows=sum(counts),
            class_counts=counts,
        )
        found = class_weights("balanced", task)
        assert found @ np.array(counts) == pytest.approx(sum(counts), rel=1e-12)
        if sum(counts) < 10_000:
            y = np.repeat(np.arange(len(counts)), counts)
            theirs = compute_class_weight("balanced", classes=np.unique(y), y=y)
            np.testing.assert_allclose(found, theirs, rtol=1e-15)
            of_rows = row_weights("balanced", y.astype(float), task)
            assert np.sum(of_rows) == pytest.approx(len(y))
        assert class_weights("none", task).tolist() == [1.0] * len(counts)


@pytest.mark.parametrize("counts", [(0, 900, 1_000), ()])
def test_a_class_without_rows_is_refused_by_both_halves(kind, counts):
    _, _, parts, task = held(kind, kind)
    algorithm = linear(kind)
    question = {"point": algorithm.start(task), "curved": np.array([1])}
    task = replace(task, class_counts=counts[: len(task.target.classes)])
    with pytest.raises(TrainingError, match=r"no training row|one class"):
        fit_over(algorithm, task, parts)
    with pytest.raises(TrainingError, match="no training row"):
        algorithm.answers(question, task)
    with pytest.raises(TrainingError, match="no training row"):
        algorithm.worker(task, parts[0]).answer(question)


@pytest.mark.parametrize("name", WEIGHING)
@pytest.mark.parametrize("word", ["", "Balanced", "balanced_subsample", "None"])
def test_another_word_is_refused(name, word):
    with pytest.raises(ContractError, match="class_weight"):
        find_algorithm(name).of({"class_weight": word})


@settings(max_examples=60)
@given(data=st.data())
def test_no_rows_break_the_bounds_however_rare_a_class_is(data):
    kind = data.draw(st.sampled_from(sorted(LINEAR)))
    seed = data.draw(st.integers(0, 1_000))
    few = data.draw(st.integers(1, 5))
    scale = data.draw(st.sampled_from([1e-3, 1.0, 50.0]))
    rng = np.random.default_rng(seed)
    classes = 2 if kind == "binary" else 3
    y = np.zeros(400)
    y[:few] = 1.0
    y[few : few + 2 * (classes - 2)] = 2.0
    x = rng.normal(size=(3, 400)) * scale
    x[:, :few] *= data.draw(st.sampled_from([1.0, 30.0]))  # the heavy rows lie far out
    rows = Block(x, y)
    names = {2: (False, True), 3: CLASSES}[classes]
    task = task_over([rows], Target(kind=kind, classes=names))
    algorithm = linear(kind)
    size = len(algorithm.start(task))
    point = rng.normal(size=size) * data.draw(st.sampled_from([0.0, 1.0, 1e3]))
    question = {"point": point, "curved": np.array([1])}
    answer = algorithm.worker(task, rows).answer(question)
    for name, summand in algorithm.answers(question, task).items():
        encode(summand, answer[name])  # raises where the bound is broken
        assert np.abs(answer[name]).max() <= summand.bound
