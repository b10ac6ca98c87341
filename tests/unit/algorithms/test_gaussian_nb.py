"""Gaussian naive Bayes over parties is that of the pooled rows."""

import numpy as np
import pytest
import sklearn.naive_bayes

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.gaussian_nb import GaussianNB
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import attributes, pooled, unlike

THREE = Target(kind="multiclass", classes=("high", "low", "middle"))


def test_every_fitted_attribute_is_scikit_learns():
    blocks = unlike(classes=3)
    task = task_over(blocks, THREE)
    algorithm = GaussianNB(var_smoothing=1e-3)
    fitted = fit_over(algorithm, task, blocks)
    ours = algorithm.estimator(fitted.model, task)
    x, y = pooled(blocks)
    names = np.array(THREE.classes)[y.astype(int)]
    theirs = sklearn.naive_bayes.GaussianNB(var_smoothing=1e-3).fit(x, names)
    assert attributes(ours).keys() == attributes(theirs).keys()
    for name in ("theta_", "var_", "epsilon_", "class_count_", "class_prior_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-12, atol=1e-12
        )
    assert list(ours.predict(x)) == list(theirs.predict(x))
    assert fitted.rounds == 2


def test_means_far_from_zero_cost_no_digit():
    blocks = [Block(b.x + 1e6, b.y) for b in unlike()]
    task = task_over(blocks)
    fitted = fit_over(GaussianNB(), task, blocks)
    x, y = pooled(blocks)
    theirs = sklearn.naive_bayes.GaussianNB().fit(x, y.astype(bool))
    np.testing.assert_allclose(fitted.model["variances"], theirs.var_, rtol=1e-7)


def test_the_smoothing_follows_the_widest_column_of_all_rows():
    blocks = unlike()
    wide = [Block(b.x * np.array([[1], [9], [1], [1], [1]]), b.y) for b in blocks]
    fitted = fit_over(GaussianNB(var_smoothing=0.5), task_over(wide), wide)
    x, _ = pooled(wide)
    assert fitted.model["epsilon"][0] == pytest.approx(0.5 * x.var(axis=0).max())


def test_a_class_that_nobody_has_is_named():
    blocks = unlike(classes=2)
    with pytest.raises(TrainingError, match="middle"):
        fit_over(GaussianNB(), task_over(blocks, THREE), blocks)


@pytest.mark.parametrize(
    "means", [np.zeros((2, 4)), np.full((2, 5), np.nan), np.full((2, 5), 1e10)]
)
def test_a_strange_question_is_refused(means):
    task = task_over(unlike())
    with pytest.raises(MessageError, match="means"):
        GaussianNB().answers({"means": means}, task)


@pytest.mark.parametrize("name", ["counts", "means", "variances", "epsilon"])
def test_a_model_without_one_of_its_arrays_is_refused(name):
    blocks = unlike()
    task = task_over(blocks)
    model = dict(fit_over(GaussianNB(), task, blocks).model)
    del model[name]
    with pytest.raises(MessageError, match=name):
        GaussianNB().estimator(model, task)


def test_negative_variances_are_refused():
    blocks = unlike()
    task = task_over(blocks)
    model = fit_over(GaussianNB(), task, blocks).model
    with pytest.raises(MessageError, match="variances"):
        GaussianNB().estimator({**model, "variances": -model["variances"]}, task)


def test_a_negative_smoothing_is_refused():
    with pytest.raises(ContractError, match="var_smoothing"):
        GaussianNB.of({"var_smoothing": -1.0})
