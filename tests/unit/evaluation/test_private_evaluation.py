"""Figures under differential privacy: what they equal, how wide their ranges are."""

import math

import numpy as np
import pytest

from fl_plugin.algorithms.base import Algorithm, Block, DesignColumn, Target, Task
from fl_plugin.algorithms.private.releases import PrivateAlgorithm
from fl_plugin.algorithms.private_boosting import PrivateBoosting
from fl_plugin.algorithms.private_linear_regression import PrivateLinearRegression
from fl_plugin.algorithms.private_logistic_regression import PrivateLogisticRegression
from fl_plugin.algorithms.private_poisson_regression import PrivatePoissonRegression
from fl_plugin.algorithms.private_statistics import PrivateStatistics
from fl_plugin.errors import ContractError, MessageError, UsageError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.private.base import private_evaluation_for
from fl_plugin.evaluation.private.binary import MOST_LOG_LOSS
from fl_plugin.evaluation.private.unsupervised import MOST_LOSS
from tests.private_federated import private_fit_over

KINDS = ("binary", "regression", "count", "none")


def spec(kind, **words):
    classes = (False, True) if kind == "binary" else ()
    told = {"low": 0.0, "high": 12.0} if kind in {"regression", "count"} else {}
    return EvaluationSpec(
        kind=kind, **{"classes": classes, "rows": 2**24, **told, **words}
    )


def rows_of(kind, rows=20_000, seed=0):
    """Return what a fair model predicts, and what came."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    if kind == "binary":
        chance = 1 / (1 + np.exp(-z))
        return chance, (rng.random(rows) < chance).astype(float)
    if kind == "regression":
        return 6 + z, np.clip(6 + z + rng.normal(size=rows), 0, 12)
    if kind == "count":
        return np.exp(z / 3), np.minimum(rng.poisson(np.exp(z / 3)), 12).astype(float)
    return z**2, np.zeros(rows)


def quiet(kind):
    return dict.fromkeys(private_evaluation_for(spec(kind)).releases(), 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_without_noise_figures_are_those_of_an_exact_evaluation(kind):
    predictions, y = rows_of(kind)
    private, exact = private_evaluation_for(spec(kind)), evaluation_for(spec(kind))
    found = private.metrics(private.sums(predictions, y), quiet(kind))
    wanted = exact.metrics(exact.sums(predictions, y))
    assert found.rows == wanted.rows == len(y)
    assert found.confusion == wanted.confusion
    for name, value in found.figures.items():
        near = {"roc_auc": 2e-3, "gini": 4e-3}.get(name, 1e-4)  # ties in 32 bins
        assert value == pytest.approx(wanted.value(name), rel=near, abs=near), name


def test_a_figure_whose_range_lies_beyond_its_bounds_has_drowned():
    evaluation = private_evaluation_for(spec("none"))
    sums = {"losses": np.array([100.0, -50.0])}
    found = evaluation.metrics(sums, {"losses": 1.0})
    assert found.figures["mean_loss"] is None
    assert "mean_loss" not in found.intervals


def test_a_row_s_loss_is_clipped():
    binary, none = (private_evaluation_for(spec(k)) for k in ("binary", "none"))
    worst = binary.sums(np.array([0.0]), np.array([1.0]))
    assert MOST_LOG_LOSS * worst["losses"][0] == MOST_LOG_LOSS
    assert (
        MOST_LOSS * none.sums(np.array([1e30]), np.zeros(1))["losses"][1] == MOST_LOSS
    )
    count = private_evaluation_for(spec("count"))
    none_came = count.sums(np.array([1e30]), np.zeros(1))["moments"]
    assert none_came.tolist()[:4] == [1.0, 1.0, 1.0, 1.0]  # twice the ceiling


def odd(rng, kind, rows):
    """Return predictions and targets as no honest model or table has them."""
    values = [0.0, 1.0, 0.5, -1e300, 1e300, np.nan, np.inf, -np.inf, 1e-9, 12.0]
    spread = 1.0 if kind == "binary" else 12.0
    made = [rng.uniform(0, spread, rows) for _ in range(2)]
    for some in made:
        strange = rng.random(rows) < 0.4
        some[strange] = rng.choice(values, strange.sum())
    if kind == "binary":
        made[1] = np.where(rng.random(rows) < 0.5, np.rint(made[1]), made[1])
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_moves_a_sum_further_than_declared(kind, figure):
    rng = np.random.default_rng(1)
    evaluation = private_evaluation_for(spec(kind))
    told = evaluation.releases()
    assert math.fsum(r.share for r in told.values()) == pytest.approx(1.0, abs=1e-15)
    nearest = 0.0
    for _ in range(1_000):
        rows = int(rng.integers(1, 9))
        predictions, y = odd(rng, kind, rows)
        gone = int(rng.integers(rows))
        before = evaluation.sums(predictions, y)
        after = evaluation.sums(np.delete(predictions, gone), np.delete(y, gone))
        assert set(before) == set(told)
        for name, release in told.items():
            moved = float(np.linalg.norm(before[name] - after[name]))
            assert before[name].shape == release.shape
            assert moved <= release.sensitivity
            nearest = max(nearest, moved / release.sensitivity)
    assert nearest > 0.8
    figure(f"pairs of neighbours within the sensitivity of {kind} figures", 1_000)


@pytest.mark.parametrize("kind", KINDS)
def test_where_a_row_stands_changes_no_bit_of_a_sum(kind):
    predictions, y = rows_of(kind, rows=3_001)
    evaluation = private_evaluation_for(spec(kind))
    order = np.random.default_rng(2).permutation(len(y))
    whole = evaluation.sums(predictions, y)
    shuffled = evaluation.sums(predictions[order], y[order])
    halves = [
        evaluation.sums(predictions[s], y[s]) for s in (slice(777), slice(777, None))
    ]
    for name, sums in whole.items():
        np.testing.assert_array_equal(sums, shuffled[name])
        np.testing.assert_array_equal(sums, halves[0][name] + halves[1][name])


ALGORITHMS = (
    (PrivateLogisticRegression(), "binary"),
    (PrivateBoosting(steps=2, pairs=1), "binary"),
    (PrivateLinearRegression(low=-5.0, high=5.0), "regression"),
    (PrivatePoissonRegression(), "count"),
    (PrivateStatistics(), "none"),
)


@pytest.mark.parametrize(("algorithm", "kind"), ALGORITHMS)
def test_a_prediction_hangs_on_no_other_row(algorithm, kind):
    """Else a row that goes would move the others' scores, and so their figures."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (11, 1_037))
    y = {"binary": x[0] > 0, "count": rng.poisson(1.0, 1_037)}.get(kind, x[1])
    columns = tuple(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(11))
    target = Target(kind=kind, classes=(False, True) if kind == "binary" else ())
    task = Task(target=target, columns=columns, rows=2**12, parties=1)
    designs = [Block(x, np.asarray(y, dtype=float))]
    noisy = Task(target=target, columns=columns, rows=2**12, parties=1, mu=30.0)
    model = private_fit_over(algorithm, noisy, designs).model
    together = algorithm.predict(model, task, designs[0])
    assert len(set(together.tolist())) > 10
    if kind != "none":
        by_sklearn = Algorithm.predict(algorithm, model, task, designs[0])
        np.testing.assert_allclose(together, by_sklearn, rtol=1e-12, atol=1e-12)
    order = rng.permutation(1_037)
    shuffled = Block(np.ascontiguousarray(x[:, order]), np.zeros(1_037))
    np.testing.assert_array_equal(
        algorithm.predict(model, task, shuffled), together[order]
    )
    for place in (0, 5, 1_036):
        alone = Block(np.ascontiguousarray(x[:, [place]]), np.zeros(1))
        assert algorithm.predict(model, task, alone)[0] == together[place]


@pytest.mark.parametrize("kind", KINDS)
def test_the_range_of_a_figure_holds_what_it_is_without_noise(kind, figure):
    rng = np.random.default_rng(4)
    predictions, y = rows_of(kind)
    evaluation = private_evaluation_for(spec(kind))
    sums = evaluation.sums(predictions, y)
    truth = evaluation.metrics(sums, quiet(kind)).figures
    noises = {n: 60.0 * r.sensitivity for n, r in evaluation.releases().items()}
    held: list[bool] = []
    for _ in range(100):
        noisy = {n: s + rng.normal(0, noises[n], s.shape) for n, s in sums.items()}
        for name, found in evaluation.metrics(noisy, noises).intervals.items():
            value = truth[name]
            assert isinstance(found, Interval)
            assert isinstance(value, float)
            held.append(found.low <= value <= found.high)
    assert np.mean(held) > 0.9
    assert len(held) > 90 * len(truth)
    figure(f"share of ranges that hold the {kind} figure without noise", np.mean(held))


def test_sampling_widens_a_range_that_has_little_noise():
    predictions, y = rows_of("binary", rows=500)
    evaluation = private_evaluation_for(spec("binary"))
    found = evaluation.metrics(evaluation.sums(predictions, y), quiet("binary"))
    for name in ("roc_auc", "accuracy", "log_loss", "brier"):
        width = found.intervals[name].high - found.intervals[name].low
        assert 0.02 < width < 0.3, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_that_drowns_in_noise_has_no_value(kind):
    predictions, y = rows_of(kind, rows=50)
    evaluation = private_evaluation_for(spec(kind))
    noises = dict.fromkeys(evaluation.releases(), 1e4)
    found = evaluation.metrics(evaluation.sums(predictions, y), noises)
    assert set(found.figures.values()) == {None}
    assert not found.intervals


@pytest.mark.parametrize("kind", KINDS)
def test_sums_that_no_party_sends_are_refused(kind):
    evaluation = private_evaluation_for(spec(kind))
    sums = evaluation.sums(*rows_of(kind, rows=30))
    for name in sums:
        for wrong in (None, sums[name][..., :-1], np.full_like(sums[name], np.nan)):
            bad = {n: s for n, s in sums.items() if n != name}
            bad |= {} if wrong is None else {name: wrong}
            with pytest.raises(MessageError, match=name):
                evaluation.metrics(bad, quiet(kind))


def test_what_has_no_noised_evaluation_is_refused_in_words():
    with pytest.raises(UsageError, match="multiclass"):
        private_evaluation_for(spec("multiclass", classes=("a", "b", "c")))
    boundless = private_evaluation_for(spec("regression", low=None))
    with pytest.raises(ContractError, match="bounds"):
        boundless.sums(np.zeros(3), np.zeros(3))


class BySklearn(PrivateLogisticRegression):
    """A third party's algorithm, which does not say how it predicts."""

    predict = PrivateAlgorithm.predict


def test_an_algorithm_that_says_nothing_predicts_row_by_row():
    columns = tuple(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(7))
    task = Task(target=Target(), columns=columns, rows=64)
    rng = np.random.default_rng(5)
    model = {
        "coefficients": rng.normal(size=(1, 7)),
        "intercept": np.array([0.1]),
        "iterations": np.array([5]),
    }
    x = rng.uniform(-1, 1, (7, 33))
    found = BySklearn().predict(model, task, Block(x, np.zeros(33)))
    for place in range(33):
        alone = Block(np.ascontiguousarray(x[:, [place]]), np.zeros(1))
        assert BySklearn().predict(model, task, alone)[0] == found[place]
    assert BySklearn().predict(model, task, Block(x[:, :0], np.zeros(0))).shape == (0,)
