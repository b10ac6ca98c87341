"""What every algorithm must do, whoever wrote it: one suite, all of them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fl_plugin.algorithms.base import Algorithm, Design, solve
from fl_plugin.discovery import discover
from fl_plugin.errors import ContractError, TrainingError

ALGORITHMS = discover("fl_plugin.algorithms", Algorithm, "fl_plugin.algorithms")
# What scikit-learn gives on the pooled rows, for each algorithm that says it equals it.
POOLED = {
    "logistic_regression": lambda a: LogisticRegression(
        C=1 / a.l2, solver="newton-cholesky", tol=1e-13, max_iter=500
    )
}


@pytest.fixture(params=sorted(ALGORITHMS))
def kind(request):
    return ALGORITHMS[request.param]


def rows(seed, sizes=(400, 250, 90)):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(sum(sizes), 5)) * [1, 2, 0.5, 1, 3] + [0, 1, 0, -4, 0]
    x[:, 3] = x[:, 3] > -4
    y = (x @ [0.8, -0.5, 1.0, 0.7, 0.1] + rng.logistic(size=len(x)) > 0.3) * 1.0
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, y, np.cumsum(sizes)[:-1]


def designs(x, y, cuts):
    parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return [Design(np.ascontiguousarray(a.T), b) for a, b in parts]


def add(algorithm, parts):
    def total(point):
        answers = [algorithm.step(point, part) for part in parts]
        return {n: sum(a[n] for a in answers) for n in answers[0]}

    return total


def test_it_says_what_it_is(kind):
    for word in ("name", "title", "paper", "sees", "exact", "leaves", "target"):
        assert getattr(kind, word)
    assert kind.sees in {"sum", "each"}


def test_the_number_of_parties_does_not_matter(kind):
    x, y, cuts = rows(1)
    algorithm = kind()
    one = solve(algorithm, 5, add(algorithm, designs(x, y, [])))
    three = solve(algorithm, 5, add(algorithm, designs(x, y, cuts)))
    np.testing.assert_allclose(one.coefficients, three.coefficients, atol=1e-12)
    assert one.intercept == pytest.approx(three.intercept, abs=1e-12)


def test_it_equals_scikit_learn_on_the_pooled_rows(kind):
    x, y, cuts = rows(2)
    algorithm = kind()
    fitted = solve(algorithm, 5, add(algorithm, designs(x, y, cuts)))
    pooled = POOLED[kind.name](algorithm).fit(x, y)
    distance = np.linalg.norm(
        np.append(
            fitted.coefficients - pooled.coef_[0], fitted.intercept - pooled.intercept_
        )
    )
    assert distance < 1e-9
    assert distance <= fitted.distance_bound + 1e-12


def test_the_bounds_hold_along_the_way(kind):
    x, y, cuts = rows(3)
    algorithm = kind()
    parts = designs(x, y, cuts)
    state = algorithm.start(5)
    while not state.finished:
        sums = add(algorithm, parts)(state.point)
        bounds = algorithm.bounds(state.point, len(y))
        for name, values in sums.items():
            assert np.abs(values).max() <= bounds[name]
        state = algorithm.update(state, sums)


def test_a_step_changes_none_of_its_arguments(kind):
    x, y, _ = rows(4)
    part = designs(x, y, [])[0]
    point = np.linspace(-1, 1, 6)
    before = part.x.copy(), part.y.copy(), point.copy()
    kind().step(point, part)
    for now, then in zip((part.x, part.y, point), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_no_rows_contribute_nothing(kind):
    empty = Design(np.empty((5, 0)), np.empty(0))
    for values in kind().step(np.zeros(6), empty).values():
        assert not np.any(values)


def test_separable_rows_still_have_an_answer(kind):
    x = np.linspace(-1, 1, 200)[:, None] * np.ones(5)
    y = (x[:, 0] > 0) * 1.0
    algorithm = kind()
    fitted = solve(algorithm, 5, add(algorithm, designs(x, y, [100])))
    assert np.isfinite(fitted.coefficients).all()


def test_too_few_rounds_are_an_error_not_an_answer(kind):
    x, y, cuts = rows(5)
    algorithm = kind(max_rounds=1)
    with pytest.raises(TrainingError):
        solve(algorithm, 5, add(algorithm, designs(x, y, cuts)))


@pytest.mark.parametrize("wrong", [{"no_such": 1}, {"l2": "x"}, {"l2": True}])
def test_a_wrong_parameter_is_named(kind, wrong):
    with pytest.raises(ContractError, match=next(iter(wrong))):
        kind.of(wrong)
