"""Every derivative of the split network equals the difference quotient."""

from collections.abc import Callable

import numpy as np
import pytest

from fl_plugin.algorithms.base import Target
from fl_plugin.vertical.split.decorrelation import (
    distance_correlation,
    row_distances,
)
from fl_plugin.vertical.split.goals import Goal, encoded
from fl_plugin.vertical.split.layers import (
    BatchNorm,
    Coded,
    Dense,
    Dropout,
    Embedding,
    Layer,
    Rectifier,
)
from fl_plugin.vertical.split.net import Drawn, Net, Training, last_layers, residual
from fl_plugin.vertical.split.release import Release

STEP, CLOSE = 1e-6, 1e-6


def quotient(value, array):
    """Return the derivative of `value()` by every entry of an array, in place."""
    found = np.empty_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + STEP
        above = value()
        array[place] = kept - STEP
        below = value()
        array[place] = kept
        found[place] = (above - below) / (2 * STEP)
    return found


class Fixed(np.random.Generator):
    """A generator whose draws are the same each time."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def random(self, shape):  # type: ignore[override] # one way to call it is enough
        return np.random.default_rng(5).random(shape)


def drawn():
    return Drawn(weights=np.random.default_rng(1), dropout=Fixed())


CODED = Coded(numbers=(0, 2), codes=((1, 4),))
STACKS: dict[str, Callable[[], list[Layer]]] = {
    "dense": lambda: [Dense(3, 2, np.random.default_rng(0))],
    "rectifier": lambda: [Rectifier()],
    "dropout": lambda: [Dropout(0.4, Fixed())],
    "batch norm": lambda: [BatchNorm(3)],
    "residual": lambda: residual((4,), 3, Training(rate=1.0), drawn()),
    "deep": lambda: last_layers(
        (5, 4), (3, 2), Training(rate=1.0, dropout=0.3, batch_norm=True), drawn()
    ),
}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_has_the_derivatives_of_its_difference_quotients(stack):
    rng = np.random.default_rng(2)
    layers = STACKS[stack]()
    for layer in layers:  # away from where all are 0 or 1
        for name, weight in layer.weights.items():
            layer.weights[name] = weight + 0.1 * rng.standard_normal(weight.shape)
    net = Net(layers, Training(rate=1.0))
    x = rng.standard_normal((7, 3)) + 0.05
    toward = rng.standard_normal(net.forward(x, training=True).shape)

    def value():
        return float((net.forward(x, training=True) * toward).sum())

    value()
    by_input = net.backward(toward)
    slopes = [dict(layer.slopes) for layer in layers]
    np.testing.assert_allclose(by_input, quotient(value, x), atol=CLOSE)
    for layer, slope in zip(layers, slopes, strict=True):
        assert slope.keys() == layer.weights.keys()
        for name, found in slope.items():
            expected = quotient(value, layer.weights[name])
            np.testing.assert_allclose(found, expected, atol=CLOSE)


def test_an_embedding_has_the_derivatives_of_its_difference_quotients():
    rng = np.random.default_rng(3)
    layer = Embedding(CODED, 2, rng)
    x = np.stack([rng.standard_normal(9), rng.integers(0, 4, 9), rng.random(9)], 1)
    toward = rng.standard_normal((9, layer.units))

    def value():
        return float((layer.forward(x, training=True) * toward).sum())

    value()
    layer.backward(toward)
    expected = quotient(value, layer.weights["table0"])
    np.testing.assert_allclose(layer.slopes["table0"], expected, atol=CLOSE)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "count"])
def test_a_loss_has_the_derivative_of_its_difference_quotients(kind):
    rng = np.random.default_rng(4)
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2)}.get(kind, ())
    y = np.array([0.0, 1.0, 1.0, 0.0, 2.0 if kind != "binary" else 1.0])
    targets = encoded(y, Target(kind=kind, classes=classes))
    goal = Goal.of(kind, targets, np.ones(5))
    z = rng.standard_normal(targets.shape)
    slope = goal.losses(z, targets)[1]
    expected = quotient(lambda: float(goal.losses(z, targets)[0].sum()), z)
    np.testing.assert_allclose(slope, expected, atol=CLOSE)


def test_the_first_prediction_is_the_mean():
    y = np.array([0.0, 1.0, 0.0, 0.0])
    for kind, classes in (("binary", (0, 1)), ("count", ()), ("regression", ())):
        targets = encoded(y, Target(kind=kind, classes=classes))
        found = Goal.of(kind, targets, np.ones(4)).predicted(np.zeros((1, 1)))
        np.testing.assert_allclose(found, 0.25)


def test_distance_correlation_has_the_derivative_of_its_difference_quotients():
    rng = np.random.default_rng(6)
    x = np.stack([rng.standard_normal(8), rng.integers(0, 4, 8), rng.random(8)], 1)
    apart = row_distances(x, CODED)
    sent = rng.standard_normal((8, 2))
    slope = distance_correlation(apart, sent)[1]
    expected = quotient(lambda: distance_correlation(apart, sent)[0], sent)
    np.testing.assert_allclose(slope, expected, atol=CLOSE)


def test_distance_correlation_is_1_of_a_copy_and_near_0_of_noise():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((800, 2))
    apart = row_distances(x, Coded(numbers=(0, 1)))
    assert distance_correlation(apart, 3.0 * x)[0] == pytest.approx(1.0)
    assert distance_correlation(apart, rng.standard_normal((800, 2)))[0] < 0.02


def test_clipping_has_the_derivative_of_its_difference_quotients():
    rng = np.random.default_rng(8)
    release = Release(clip=1.0)
    given = rng.standard_normal((6, 3))
    toward = rng.standard_normal((6, 3))
    expected = quotient(lambda: float((release.sent(given) * toward).sum()), given)
    found = release.backward(given, toward)
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    assert np.linalg.norm(release.sent(given), axis=1).max() <= 1.0 + 1e-12


def test_activations_get_noise_of_the_stated_deviation():
    release = Release(clip=2.0, noise=1.5)
    given = np.zeros((20_000, 1))
    sent = release.sent(given)
    assert np.std(sent) == pytest.approx(3.0, rel=0.05)
    assert release.epsilon(4, 1e-6) > release.epsilon(1, 1e-6) > 0


def test_in_scoring_nothing_is_dropped_and_running_moments_are_used():
    dropout = Dropout(0.5, np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((50, 3)) * 4.0 + 2.0
    np.testing.assert_array_equal(dropout.forward(x, training=False), x)
    norm = BatchNorm(3)
    for _ in range(200):
        norm.forward(x, training=True)
    found = norm.forward(x[:1], training=False)
    expected = (x[:1] - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_dropout_leaves_the_mean_and_drops_its_share():
    dropped = Dropout(0.3, np.random.default_rng(0)).forward(
        np.ones((400, 100)), training=True
    )
    assert np.mean(dropped == 0.0) == pytest.approx(0.3, abs=0.01)
    assert dropped.mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("ends", [(4, 4), (5, 32), (32, 10), (6, 1)])
def test_a_first_matrix_stretches_all_directions_alike_as_large_as_glorots(ends):
    inputs, outputs = ends
    weight = Dense(inputs, outputs, np.random.default_rng(3)).weights["weight"]
    assert weight.shape == ends
    stretches = np.linalg.svd(weight, compute_uv=False)
    np.testing.assert_allclose(stretches, stretches[0])
    assert np.square(weight).mean() == pytest.approx(2 / sum(ends))
    other = Dense(inputs, outputs, np.random.default_rng(4)).weights["weight"]
    assert not np.allclose(weight, other)
