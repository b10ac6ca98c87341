"""K-means over parties is Lloyd's algorithm on the pooled rows."""

import warnings

import numpy as np
import pytest
from sklearn import cluster
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.kmeans import KMeans
from fl_plugin.errors import ContractError, MessageError
from tests.federated import fit_over, task_over
from tests.unlike import attributes, pooled, unlike

NONE = Target(kind="none", classes=())


def blobs(width, centres, rows=3_000):
    x, _ = make_blobs(rows, width, centers=centres, random_state=width + centres)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    parts = np.array_split(x, 3)
    return [Block(np.ascontiguousarray(p.T), np.zeros(len(p))) for p in parts]


@pytest.mark.parametrize(("tol", "clusters"), [(1e-4, 4), (0.0, 3), (1e-2, 7)])
def test_a_clone_fitted_on_the_pooled_rows_is_the_same(tol, clusters):
    blocks = unlike(sizes=(700, 500, 300))
    task = task_over(blocks, NONE, seed=3)
    algorithm = KMeans(n_clusters=clusters, n_init=2, tol=tol)
    fitted = fit_over(algorithm, task, blocks)
    ours = algorithm.estimator(fitted.model, task)
    x, _ = pooled(blocks)
    theirs = clone(ours).fit(x)
    own = {"mesh_means_"}  # what a model without centres would know
    assert attributes(ours).keys() == attributes(theirs).keys() | own
    np.testing.assert_allclose(ours.mesh_means_, x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(
        ours.cluster_centers_, theirs.cluster_centers_, atol=1e-12
    )
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-12)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_array_equal(ours.predict(x), theirs.labels_)
    assert not fitted.notes


@pytest.mark.parametrize(("width", "centres"), [(2, 5), (10, 8), (30, 20)])
def test_its_starts_find_what_k_means_plus_plus_finds(width, centres):
    blocks = blobs(width, centres)
    fitted = fit_over(KMeans(n_clusters=centres), task_over(blocks, NONE), blocks)
    x, _ = pooled(blocks)
    theirs = cluster.KMeans(centres, n_init=10, random_state=0).fit(x)
    assert fitted.loss <= theirs.inertia_ * 1.01


def test_columns_far_from_zero_find_the_same_centres():
    near = blobs(3, 4)
    far = [Block(b.x + 1e6, b.y) for b in near]
    algorithm = KMeans(n_clusters=4)
    here = fit_over(algorithm, task_over(near, NONE), near).model["centres"]
    there = fit_over(algorithm, task_over(far, NONE), far).model["centres"] - 1e6
    np.testing.assert_allclose(np.sort(here, axis=0), np.sort(there, axis=0), atol=1e-6)


def test_of_two_equal_centres_the_first_has_the_rows():
    x = np.repeat([[0.0, 1.0]], 50, axis=0).T.reshape(1, -1)
    task = task_over([Block(x, np.zeros(100))], NONE)
    question = {"origin": np.zeros(1), "centres": np.array([[[0.0], [0.0], [2.0]]])}
    part = KMeans(n_clusters=3).step(question, task, Block(x, np.zeros(100)))
    # 1 lies as far from 0 as from 2: scikit-learn gives it to the first as well.
    assert part["counts"].tolist() == [[100, 0, 0]]
    assert part["least"][0] == 0.0  # that centre is the origin


def test_a_centre_without_rows_stays_and_is_reported():
    x = np.array([[0.0, 0.0, 1.0, 1.0] * 20])
    blocks = [Block(x, np.zeros(80))] * 3
    algorithm = KMeans(n_clusters=4, n_init=1)
    fitted = fit_over(algorithm, task_over(blocks, NONE), blocks)
    assert "centres have no row" in fitted.notes[0]
    assert fitted.loss == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(fitted.model["centres"]).all()


def test_too_few_steps_are_said():
    blocks = unlike()
    algorithm = KMeans(n_clusters=5, n_init=1, max_iter=1)
    fitted = fit_over(algorithm, task_over(blocks, NONE), blocks)
    assert "still moved after 1 steps" in fitted.notes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = algorithm.estimator(fitted.model, task_over(blocks, NONE))
        theirs = clone(estimator).fit(pooled(blocks)[0])
    np.testing.assert_allclose(estimator.cluster_centers_, theirs.cluster_centers_)


def test_another_seed_starts_elsewhere_and_the_same_seed_does_not():
    blocks = unlike()
    algorithm = KMeans(n_clusters=4, n_init=1)
    starts = [
        fit_over(algorithm, task_over(blocks, NONE, seed=seed), blocks).model["start"]
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(starts[0], starts[1])
    assert not np.allclose(starts[0], starts[2])


def test_a_row_fits_as_badly_as_it_lies_far_from_its_centre():
    blocks = unlike()
    task = task_over(blocks, NONE)
    algorithm = KMeans(n_clusters=3)
    fitted = fit_over(algorithm, task, blocks)
    apart = np.concatenate([algorithm.predict(fitted.model, task, b) for b in blocks])
    distances = algorithm.estimator(fitted.model, task).transform(pooled(blocks)[0])
    np.testing.assert_allclose(apart, distances.min(axis=1) ** 2)
    assert apart.sum() == pytest.approx(fitted.loss)


@pytest.mark.parametrize(
    "wrong",
    [
        {"centres": np.zeros((1, 9, 5))},
        {"centres": np.zeros((4, 8, 5))},
        {"centres": np.zeros((0, 8, 5))},
        {"centres": np.zeros(5)},
        {"centres": np.full((1, 8, 5), np.nan)},
        {"origin": np.full(5, 1e10)},
        {"origin": np.zeros(4)},
    ],
)
def test_a_strange_question_is_refused(wrong):
    question = {"centres": np.zeros((1, 8, 5)), "origin": np.zeros(5), **wrong}
    with pytest.raises(MessageError, match=next(iter(wrong))):
        KMeans().answers(question, task_over(unlike(), NONE))


@pytest.mark.parametrize("wrong", [{"n_clusters": 0}, {"n_init": 0}, {"tol": -1.0}])
def test_a_parameter_out_of_range_is_named(wrong):
    with pytest.raises(ContractError, match=next(iter(wrong))):
        KMeans.of(wrong)
