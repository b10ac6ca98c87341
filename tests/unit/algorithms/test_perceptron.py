"""The network: its gradient, its batches and scikit-learn's view of it."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fl_plugin.algorithms.base import Block
from fl_plugin.algorithms.neural import perceptron
from fl_plugin.algorithms.neural.perceptron import LARGEST_LOSS, Network, batches


def rows(kind, size=40, width=4):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(width, size))
    y = {
        "binary": (rng.random(size) > 0.5).astype(float),
        "multiclass": rng.integers(3, size=size).astype(float),
        "regression": rng.normal(size=size),
    }[kind]
    return x, y


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("hidden", [(6,), (5, 3)])
def test_the_gradient_is_the_slope_of_the_loss(kind, hidden):
    network = Network((4, *hidden, 3 if kind == "multiclass" else 1), kind)
    x, y = rows(kind)
    at = network.start(seed=2)
    _, slope = network.gradient(at, x, y)
    for place in range(0, network.size, 3):
        step = np.zeros(network.size)
        step[place] = 1e-6
        ahead, _ = network.gradient(at + step, x, y)
        behind, _ = network.gradient(at - step, x, y)
        assert slope[place] == pytest.approx((ahead - behind) / 2e-6 / 40, abs=1e-7)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_one_step_is_scikit_learns_step(kind):
    network = Network((4, 6, 3 if kind == "multiclass" else 1), kind)
    x, y = rows(kind)
    regression = kind == "regression"
    estimator = (MLPRegressor if regression else MLPClassifier)(
        hidden_layer_sizes=(6,),
        solver="sgd",
        momentum=0.0,
        alpha=0.0,
        learning_rate_init=0.1,
        batch_size=40,
        random_state=0,
    )
    known = {} if regression else {"classes": np.unique(y)}
    estimator.partial_fit(x.T, y, **known)
    before = np.concatenate([w.ravel() for w in estimator.coefs_])
    before = np.append(before, np.concatenate(estimator.intercepts_))
    loss, slope = network.gradient(before, x, y)
    estimator.partial_fit(x.T, y)
    after = np.concatenate([w.ravel() for w in estimator.coefs_])
    after = np.append(after, np.concatenate(estimator.intercepts_))
    np.testing.assert_allclose(before - 0.1 * slope, after, atol=1e-12)
    assert loss / 40 == pytest.approx(estimator.loss_)


def test_a_row_that_is_far_off_counts_no_more_than_the_bound():
    network = Network((1, 1), "regression")
    loss, _ = network.gradient(np.zeros(2), np.zeros((1, 2)), np.array([1e6, 0.0]))
    assert loss == LARGEST_LOSS


def test_saturated_rows_give_finite_losses():
    for kind, outputs in (("binary", 1), ("multiclass", 2)):
        network = Network((1, outputs), kind)
        weights = np.full(network.size, 1e5)
        weights[0] = -1e5
        loss, slope = network.gradient(
            weights, np.full((1, 2), 1e3), np.array([0.0, 1])
        )
        assert np.isfinite(loss)
        assert np.isfinite(slope).all()


def stored(seed, size=1_000):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(2**64, size=size, dtype=np.uint64)
    return Block(rng.normal(size=(3, size)), rng.normal(size=size), hashes)


def test_batches_hold_every_row_once_and_x_stays_with_y():
    block = stored(1)
    found = list(batches(block, 64, 3, (0, 0, 0)))
    x = np.concatenate([x for x, _ in found], axis=1)
    y = np.concatenate([y for _, y in found])
    assert {len(y) for _, y in found} <= {62, 63}
    order = np.argsort(y)
    np.testing.assert_array_equal(y[order], np.sort(block.y))
    np.testing.assert_array_equal(x[:, order], block.x[:, np.argsort(block.y)])


def test_how_rows_are_stored_does_not_change_a_batch():
    block = stored(2)
    turned = Block(block.x[:, ::-1], block.y[::-1], block.hashes[::-1])
    here, there = (list(batches(b, 50, 3, (7, 1, 0))) for b in (block, turned))
    for (x, y), (other_x, other_y) in zip(here, there, strict=True):
        np.testing.assert_array_equal(y, other_y)
        np.testing.assert_array_equal(x, other_x)


def test_another_key_shuffles_anew():
    block = stored(3)
    first, second = (next(batches(block, 50, 3, (0, n, 0)))[1] for n in (0, 1))
    assert not np.array_equal(first, second)


def test_a_table_larger_than_the_room_is_read_in_parts(monkeypatch):
    monkeypatch.setattr(perceptron, "ROOM", 300)  # 100 rows of 3 columns
    block = stored(4)
    first = np.concatenate([y for _, y in batches(block, 25, 3, (0, 0, 0))][:4])
    np.testing.assert_array_equal(np.sort(first), np.sort(block.y[:100]))


def test_rows_without_hashes_are_shuffled_by_their_place():
    block = stored(5)
    bare = Block(block.x, block.y)
    y = np.concatenate([y for _, y in batches(bare, 64, 3, (0, 0, 0))])
    np.testing.assert_array_equal(np.sort(y), np.sort(block.y))
    assert not np.array_equal(y, block.y)


def test_no_rows_are_no_batches():
    assert list(batches(Block(np.zeros((3, 0)), np.zeros(0)), 8, 3, (0, 0, 0))) == []
