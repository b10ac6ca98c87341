"""Bernoulli naive Bayes over parties is that of the pooled rows, count for count."""

import numpy as np
import pytest
import sklearn.naive_bayes

from fl_plugin.algorithms.base import Target
from fl_plugin.algorithms.bernoulli_nb import BernoulliNB
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import attributes, pooled, unlike

THREE = Target(kind="multiclass", classes=(0, 1, 2))


@pytest.mark.parametrize("fit_prior", [True, False])
def test_every_fitted_attribute_is_scikit_learns(fit_prior):
    blocks = unlike(classes=3)
    task = task_over(blocks, THREE)
    algorithm = BernoulliNB(alpha=0.7, binarize=0.25, fit_prior=fit_prior)
    fitted = fit_over(algorithm, task, blocks)
    ours = algorithm.estimator(fitted.model, task)
    x, y = pooled(blocks)
    theirs = sklearn.naive_bayes.BernoulliNB(
        alpha=0.7, binarize=0.25, fit_prior=fit_prior
    ).fit(x, y.astype(int))
    assert attributes(ours).keys() == attributes(theirs).keys()
    for name in ("class_count_", "feature_count_", "classes_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for name in ("class_log_prior_", "feature_log_prob_"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), atol=1e-14
        )
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x))
    assert fitted.rounds == 1


def test_a_value_at_the_threshold_is_off():
    blocks = unlike(sizes=(30, 30, 30))
    highest = max(float(block.x.max()) for block in blocks)
    fitted = fit_over(BernoulliNB(binarize=highest), task_over(blocks), blocks)
    assert not fitted.model["on"].any()
    below = float(np.nextafter(highest, 0.0))
    fitted = fit_over(BernoulliNB(binarize=below), task_over(blocks), blocks)
    assert fitted.model["on"].sum() == 1


def test_counts_take_as_few_bytes_as_the_rows_allow():
    expected = BernoulliNB().answers({}, task_over(unlike(), rows=20_000))
    assert expected["on"].integer
    assert expected["on"].width == 2


def test_a_class_that_nobody_has_is_named():
    blocks = unlike(classes=2)
    with pytest.raises(TrainingError, match="class 2"):
        fit_over(BernoulliNB(), task_over(blocks, THREE), blocks)


@pytest.mark.parametrize("wrong", [-1.0, 1e9, np.nan])
def test_a_model_with_impossible_counts_is_refused(wrong):
    blocks = unlike()
    task = task_over(blocks)
    model = fit_over(BernoulliNB(), task, blocks).model
    on = model["on"].copy()
    on[0, 0] = wrong
    with pytest.raises(MessageError, match="on"):
        BernoulliNB().estimator({**model, "on": on}, task)


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"binarize": -0.1}])
def test_a_parameter_out_of_range_is_named(wrong):
    with pytest.raises(ContractError, match=next(iter(wrong))):
        BernoulliNB.of(wrong)
