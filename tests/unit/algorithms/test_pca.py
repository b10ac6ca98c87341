"""Principal components over parties are those of the pooled rows."""

import numpy as np
import pytest
from sklearn import decomposition

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.pca import PCA
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import attributes, pooled, unlike

NONE = Target(kind="none", classes=())


@pytest.mark.parametrize("kept", [0, 1, 3, 5])
@pytest.mark.parametrize("whiten", [True, False])
def test_every_fitted_attribute_is_scikit_learns(kept, whiten):
    blocks = unlike()
    task = task_over(blocks, NONE)
    algorithm = PCA(n_components=kept, whiten=whiten)
    ours = algorithm.estimator(fit_over(algorithm, task, blocks).model, task)
    x, _ = pooled(blocks)
    theirs = decomposition.PCA(
        kept or None, whiten=whiten, svd_solver="covariance_eigh"
    ).fit(x)
    assert attributes(ours).keys() == attributes(theirs).keys()
    for name, value in attributes(theirs).items():
        np.testing.assert_allclose(getattr(ours, name), value, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), atol=1e-9)


def test_means_far_from_zero_cost_no_digit():
    blocks = [Block(b.x + 1e5, b.y) for b in unlike()]
    task = task_over(blocks, NONE)
    fitted = fit_over(PCA(), task, blocks)
    x, _ = pooled(blocks)
    truth = decomposition.PCA(svd_solver="full").fit(x)
    np.testing.assert_allclose(
        fitted.model["variances"], truth.explained_variance_, rtol=1e-8
    )


def test_the_loss_is_what_the_kept_components_leave_of_the_rows():
    blocks = unlike()
    task = task_over(blocks, NONE)
    algorithm = PCA(n_components=2)
    fitted = fit_over(algorithm, task, blocks)
    left = [algorithm.predict(fitted.model, task, block) for block in blocks]
    assert np.concatenate(left).sum() == pytest.approx(fitted.loss)
    estimator = algorithm.estimator(fitted.model, task)
    x, _ = pooled(blocks)
    back = estimator.inverse_transform(estimator.transform(x))
    np.testing.assert_allclose(np.concatenate(left), ((x - back) ** 2).sum(axis=1))


def test_columns_without_spread_still_have_an_answer():
    blocks = [Block(np.ones_like(b.x), b.y) for b in unlike()]
    fitted = fit_over(PCA(), task_over(blocks, NONE), blocks)
    assert all(np.isfinite(array).all() for array in fitted.model.values())


def test_more_components_than_columns_are_refused():
    blocks = unlike()
    with pytest.raises(TrainingError, match="more components"):
        fit_over(PCA(n_components=6), task_over(blocks, NONE), blocks)
    with pytest.raises(ContractError, match="n_components"):
        PCA.of({"n_components": -1})


@pytest.mark.parametrize("means", [np.zeros(4), np.full(5, np.inf), np.full(5, -1e10)])
def test_a_strange_question_is_refused(means):
    with pytest.raises(MessageError, match="means"):
        PCA().answers({"means": means}, task_over(unlike(), NONE))


@pytest.mark.parametrize(
    "wrong",
    [
        {"variances": np.full(5, -1.0)},
        {"components": np.zeros((4, 5))},
        {"rows": np.array([-1])},
        {"rows": np.array([1.0])},
    ],
)
def test_a_strange_model_is_refused(wrong):
    blocks = unlike()
    task = task_over(blocks, NONE)
    model = fit_over(PCA(), task, blocks).model
    with pytest.raises(MessageError, match=next(iter(wrong))):
        PCA().estimator({**model, **wrong}, task)
