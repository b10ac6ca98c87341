"""The parts of vertical linear models that need no ciphertexts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.errors import TrainingError
from fl_plugin.vertical.glm.blinds import Blind
from fl_plugin.vertical.glm.ciphertexts import uniform
from fl_plugin.vertical.glm.columns import Columns
from fl_plugin.vertical.glm.links import Identity, Log, Logit
from fl_plugin.vertical.glm.search import minimise


class Clear:
    """A lock that locks nothing: vectors are plain arrays."""

    def plus(self, vectors, values):
        return vectors + values

    def times(self, vectors, values):
        return vectors * values

    def times_plus(self, vectors, by, plus):
        return vectors * by + plus


@pytest.mark.parametrize("link", [Identity(), Log(), Logit()])
@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.integers(0, 2**32))
def test_both_shares_together_are_the_mean(link, parties, seed):
    draws = np.random.default_rng(seed)
    parts = draws.normal(size=(parties, 20))
    x = draws.normal(size=(3, 20))
    lock, blind = Clear(), draws.uniform(-1.0, 1.0, 20)
    passed = link.begin(parts[0])
    for z in parts[1:-1]:
        passed = link.take_in(lock, passed, z)
    closed, theirs = link.close(lock, passed, parts[-1], blind)
    ours = link.share(closed)
    mean = link.mean(parts.sum(axis=0))
    if isinstance(link, Logit):
        mean = 1.0 - mean
    for own, other in ((ours, theirs), (theirs, ours)):
        weighed, constant = link.weigh(x, own)
        np.testing.assert_allclose(
            weighed @ other + constant, x @ mean, rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("link", [Log(), Logit()])
def test_a_part_of_z_far_out_counts_as_far_as_a_pass_carries(link):
    assert link.bounded(np.array([99.0, -99.0])).tolist() == [15.0, -99.0]
    assert Identity().bounded(np.array([99.0])).tolist() == [99.0]


def test_turned_columns_have_the_curvature_that_was_asked_for():
    draws = np.random.default_rng(2)
    x = draws.normal(size=(4, 300)) * np.array([[1.0], [5.0], [0.1], [1.0]]) + 3.0
    columns = Columns.of(x, 0.25, 2.0, constant=True)
    bent = 0.25 * columns.x @ columns.x.T + columns.penalty
    np.testing.assert_allclose(bent, 300 * np.eye(5), atol=1e-9)
    point = draws.normal(size=5)
    z = columns.coefficients(point) @ (x - columns.mean[:, None]) + 2.0 * point[-1]
    np.testing.assert_allclose(point @ columns.x, z, atol=1e-9)


def test_the_turn_is_another_in_every_fit():
    x = np.random.default_rng(2).normal(size=(3, 100))
    first, second = (Columns.of(x, 1.0, 0.0, constant=False).turn for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_blinds_have_a_part_that_stays_and_one_that_does_not():
    blind = Blind(20_000)
    looks = np.stack([blind.draw() for _ in range(30)])
    assert np.abs(looks).max() <= 1.0
    staying = looks.mean(axis=0)
    assert 0.28 < staying.std() < 0.36  # uniform on +-.55
    assert 0.22 < (looks[0] - staying).std() < 0.29  # uniform on +-.45


def test_uniform_numbers_fill_their_range():
    found = uniform(np.random.default_rng(0).bytes(8 * 100_000))
    assert np.abs(np.quantile(found, [0.1, 0.5, 0.9]) - [-0.8, 0.0, 0.8]).max() < 0.02


def sought(gradient, size, tolerance=1e-9, most=100):
    search = minimise(size, tolerance, most, "a model")
    at, _ = next(search)
    for count in range(1, most + 1):
        try:
            at, _ = search.send(gradient(at))
        except StopIteration as end:
            return end.value, count
    raise AssertionError


def test_a_quadratic_is_solved_in_about_as_many_looks_as_it_has_directions():
    draws = np.random.default_rng(4)
    root = draws.normal(size=(12, 12)) * 0.1 + np.eye(12)
    curved, target = root @ root.T, draws.normal(size=12)
    found, looks = sought(lambda at: curved @ at - target, 12)
    np.testing.assert_allclose(found.at, np.linalg.solve(curved, target), atol=1e-7)
    assert looks < 25


def test_a_steep_exponential_is_descended_without_its_value():
    found, _ = sought(lambda at: np.exp(3.0 * at) - 40.0 + 0.1 * at, 2)
    assert np.abs(np.exp(3.0 * found.at) - 40.0 + 0.1 * found.at).max() < 1e-6


def test_noise_near_the_end_ends_a_search():
    draws = np.random.default_rng(4)
    found, _ = sought(
        lambda at: at - 1.0 + 1e-8 * draws.normal(size=3), 3, tolerance=2e-9
    )
    np.testing.assert_allclose(found.at, 1.0, atol=1e-6)


def test_a_search_that_does_not_end_says_how_many_rounds_it_had():
    search = minimise(1, 1e-12, 3, "a model")
    next(search)
    for _ in range(2):
        search.send(np.array([-1.0]))
    with pytest.raises(TrainingError, match="a model did not converge in 3 rounds"):
        search.send(np.array([-1.0]))


def test_a_search_that_is_near_its_end_when_its_looks_are_gone_has_ended():
    curved = np.diag([1.0, 30.0, 900.0])

    def gradient(at):
        return curved @ at - 1.0

    _, needed = sought(gradient, 3, tolerance=1e-9)
    found, looks = sought(gradient, 3, tolerance=1e-9, most=needed - 1)
    assert looks == needed - 1
    assert 1e-9 < found.step <= 1e-7
    np.testing.assert_allclose(found.at, 1.0 / curved.diagonal(), atol=1e-6)
