"""Private algorithms: what they learn without noise, refuse, and cost."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import roc_auc_score

from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.algorithms.private.additive.asked import read
from fl_plugin.algorithms.private.additive.features import features_of
from fl_plugin.algorithms.private.additive.rows import Rows
from fl_plugin.algorithms.private.additive.trees import model_of
from fl_plugin.algorithms.private.releases import PrivateAlgorithm, clipped
from fl_plugin.algorithms.private_boosting import PrivateBoosting
from fl_plugin.algorithms.private_linear_regression import PrivateLinearRegression
from fl_plugin.algorithms.private_logistic_regression import PrivateLogisticRegression
from fl_plugin.algorithms.private_poisson_regression import PrivatePoissonRegression
from fl_plugin.algorithms.private_statistics import PrivateStatistics
from fl_plugin.discovery import discover
from fl_plugin.errors import ContractError, MessageError, PolicyError
from fl_plugin.privacy.dp.accountant import composed, mu_for
from tests.federated import fit_over, task_over
from tests.private_federated import guards_for, private_fit_over

PRIVATE = discover("fl_plugin.algorithms", PrivateAlgorithm)
KINDS = {
    "private_boosting": Target(),
    "private_linear_regression": Target(kind="regression", classes=()),
    "private_logistic_regression": Target(),
    "private_poisson_regression": Target(kind="count", classes=()),
    "private_statistics": Target(kind="none", classes=()),
}


def parts(rows=3000, width=5, kind="binary", seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.8, 0.8, (width, rows)) * np.linspace(1, 0.5, width)[:, None]
    z = 2.0 * x[0] - 1.5 * x[1] + 0.3
    y = {
        "binary": lambda: (rng.random(rows) < 1 / (1 + np.exp(-2 * z))) * 1.0,
        "regression": lambda: np.clip(0.5 + 0.2 * z + rng.normal(0, 0.05, rows), 0, 1),
        "count": lambda: np.minimum(rng.poisson(np.exp(0.5 * z)), 10) * 1.0,
        "none": lambda: np.zeros(rows),
    }[kind]()
    cuts = [rows // 2, rows * 4 // 5]
    xs = np.split(x, cuts, axis=1)
    return [
        Block(np.ascontiguousarray(a), b)
        for a, b in zip(xs, np.split(y, cuts), strict=True)
    ]


def whole(blocks):
    x = np.concatenate([b.x for b in blocks], axis=1)
    return x.T, np.concatenate([b.y for b in blocks])


def case(name, epsilon=1.0, **facts):
    target = KINDS[name]
    blocks = parts(kind=target.kind, **facts)
    mu = mu_for(epsilon, 1e-6) if epsilon else float("inf")
    task = task_over(blocks, target, rows=2**13, mu=mu, mean_square=1.0)
    return PRIVATE[name](), task, blocks


def test_every_private_algorithm_is_tested_here():
    assert set(PRIVATE) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_fit_costs_exactly_the_budget_and_one_more_answer_is_refused(name):
    algorithm, task, blocks = case(name)
    guards = guards_for(task)
    fitted = private_fit_over(algorithm, task, blocks, guards)
    for guard in guards:
        assert composed(guard.events) == pytest.approx(task.mu, rel=1e-6)
        assert composed(guard.events) <= task.mu * (1 + 1e-8)
    assert all(np.isfinite(a).all() for a in fitted.model.values())
    with pytest.raises(PolicyError):
        private_fit_over(algorithm, task, blocks, guards)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_noise_changes_the_model_each_time(name):
    algorithm, task, blocks = case(name)
    first, second = (private_fit_over(algorithm, task, blocks).model for _ in "ab")
    assert any(
        first[n].shape != second[n].shape or (first[n] != second[n]).any()
        for n in first
    )


@pytest.mark.parametrize("name", sorted(KINDS))
def test_too_many_rows_for_exact_sums_are_refused(name):
    algorithm, task, _ = case(name)
    question = next(algorithm.rounds(task)).arrays
    with pytest.raises(ContractError):
        algorithm.answers(question, replace(task, rows=2**25))


def coefficients(model):
    return np.append(model["coefficients"], model["intercept"])


def test_logistic_regression_without_noise_is_scikit_learn_s():
    algorithm, task, blocks = case("private_logistic_regression", epsilon=None)
    found = fit_over(replace(algorithm, steps=12), task, blocks).model
    x, y = whole(blocks)
    pooled = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12).fit(x, y)
    expected = np.append(pooled.coef_, pooled.intercept_)
    np.testing.assert_allclose(coefficients(found), expected, atol=5e-3)


def test_poisson_regression_without_noise_is_scikit_learn_s():
    algorithm, task, blocks = case("private_poisson_regression", epsilon=None)
    found = fit_over(replace(algorithm, steps=12), task, blocks).model
    x, y = whole(blocks)
    pooled = PoissonRegressor(alpha=1.0 / len(y), tol=1e-12).fit(x, y)
    expected = np.append(pooled.coef_, pooled.intercept_)
    np.testing.assert_allclose(coefficients(found), expected, atol=5e-3)


def test_linear_regression_without_noise_is_scikit_learn_s():
    algorithm, task, blocks = case("private_linear_regression", epsilon=None)
    found = fit_over(algorithm, task, blocks).model
    x, y = whole(blocks)
    pooled = Ridge(alpha=1.0).fit(x, y)
    expected = np.append(pooled.coef_, pooled.intercept_)
    np.testing.assert_allclose(coefficients(found), expected, atol=1e-3)


def test_statistics_without_noise_are_numpy_s():
    algorithm, task, blocks = case("private_statistics", epsilon=None)
    found = fit_over(algorithm, task, blocks).model
    x, _ = whole(blocks)
    assert found["rows"][0] == len(x)
    np.testing.assert_allclose(found["means"], x.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(found["variances"], x.var(axis=0), atol=1e-3)
    counts = [np.histogram(c, bins=16, range=(-1, 1))[0] for c in x.T]
    np.testing.assert_array_equal(found["histograms"], counts)


def test_statistics_with_noise_are_near():
    algorithm, task, blocks = case("private_statistics", epsilon=2.0)
    found = private_fit_over(algorithm, task, blocks).model
    x, _ = whole(blocks)
    assert abs(found["rows"][0] - len(x)) < 100
    np.testing.assert_allclose(found["means"], x.mean(axis=0), atol=0.05)


def mixed(rows=6000, seed=2):
    """Rows with an interaction, a bend and a feature of three categories."""
    rng = np.random.default_rng(seed)
    x = np.zeros((6, rows))
    x[:3] = rng.uniform(-1, 1, (3, rows))
    kind = rng.integers(0, 4, rows)  # 3: none of them
    for k in range(3):
        x[3 + k] = kind == k
    z = 4 * x[0] * x[1] + 2 * np.abs(x[2]) - 1 + np.array([1.0, 0, -1, 0])[kind]
    y = (rng.random(rows) < 1 / (1 + np.exp(-2 * z))) * 1.0
    columns = (
        *(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(3)),
        *(DesignColumn(name=f"c = {k}", feature="c") for k in range(3)),
    )
    return Block(x, y), columns


def thirds(block):
    """Return the rows as three parties hold them."""
    xs, ys = np.array_split(block.x, 3, axis=1), np.array_split(block.y, 3)
    return [Block(np.ascontiguousarray(x), y) for x, y in zip(xs, ys, strict=True)]


def test_boosting_without_noise_learns_bends_categories_and_pairs():
    train, columns = mixed()
    test, _ = mixed(seed=3)
    blocks = thirds(train)
    task = task_over(blocks, columns=columns, rows=2**13)
    algorithm = PrivateBoosting(steps=20)
    fitted = fit_over(algorithm, task, blocks)
    estimator = algorithm.estimator(fitted.model, task)
    scores = estimator.predict_proba(test.x.T)[:, 1]
    pooled = HistGradientBoostingClassifier(random_state=0).fit(train.x.T, train.y)
    best = roc_auc_score(test.y, pooled.predict_proba(test.x.T)[:, 1])
    assert roc_auc_score(test.y, scores) > best - 0.005
    assert abs(scores.mean() - test.y.mean()) < 0.02


def test_boosting_finds_the_interaction_under_noise():
    train, columns = mixed(rows=40_000)
    task = task_over([train], columns=columns, rows=2**16, mu=mu_for(2.0, 1e-6))
    algorithm = PrivateBoosting()
    fitted = private_fit_over(algorithm, task, [train])
    test, _ = mixed(seed=3)
    estimator = algorithm.estimator(fitted.model, task)
    with_pairs = roc_auc_score(test.y, estimator.predict_proba(test.x.T)[:, 1])
    alone = PrivateBoosting(pairs=0)
    without = alone.estimator(private_fit_over(alone, task, [train]).model, task)
    assert with_pairs > 0.8
    assert roc_auc_score(test.y, without.predict_proba(test.x.T)[:, 1]) < 0.75


def last_question(algorithm, task, block):
    rounds = algorithm.rounds(task)
    worker = algorithm.worker(task, block)
    last = question = next(rounds)
    try:
        while True:
            last = question
            question = rounds.send(worker.answer(question.arrays))
    except StopIteration:
        return last.arrays


def test_a_tree_puts_a_row_where_the_party_counted_it():
    """Also on the edges of cells, just beside them, and outside the bounds."""
    train, columns = mixed()
    task = task_over([train], columns=columns, rows=2**13)
    algorithm = PrivateBoosting(steps=2, pairs=3)
    asked = read(last_question(algorithm, task, train), 4)
    edges = np.arange(-130, 131) / 128
    beside = [np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf)]
    x = np.zeros((6, 3 * len(edges)))
    x[:3] = np.concatenate(beside)
    x[4] = 1.0
    probe = Rows(task, Block(x, np.zeros(x.shape[1])))
    model = model_of(features_of(columns), asked)
    chances = algorithm.estimator(model, task).predict_proba(x.T)[:, 1]
    # A party looks chances up on a grid of 1/512 of the log-odds.
    np.testing.assert_allclose(probe._residuals(asked), chances, atol=5e-4)
    assert np.unique(chances).size > 30


def test_rows_are_shortened_and_wild_values_tamed():
    wild = np.array([[np.nan, np.inf, -1e300, 0.5], [3.0, -np.inf, 0.1, 0.5]])
    tame = clipped(wild, 0.5)
    assert (np.linalg.norm(tame, axis=0) <= 0.5).all()
    assert np.isfinite(tame).all()
    # Shortened, not thrown away: all four are longer than that.
    assert (np.linalg.norm(tame, axis=0) > 0.498).all()
    np.testing.assert_array_equal(tame * 1024, np.rint(tame * 1024))


def test_a_point_between_the_grid_s_points_is_asked_at_the_nearest():
    """So that a row's z is exact, wherever the row stands in its block."""
    algorithm, task, blocks = case("private_logistic_regression")
    point = np.linspace(-1, 1, 6).round(2)
    found = [
        algorithm.step({"point": point + shift}, task, blocks[0])["gradient"]
        for shift in (0.0, 2.0**-18, 2.0**-9)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_a_count_beyond_the_ceiling_counts_as_the_ceiling():
    algorithm, task, blocks = case("private_poisson_regression")
    x = blocks[0].x[:, :3]
    question = {"point": np.full(6, 0.5)}
    beyond, at = (
        algorithm.step(question, task, Block(x, np.array(y)))["gradient"]
        for y in ([10.5, 1e9, -3.0], [10.0, 10.0, 0.0])
    )
    np.testing.assert_array_equal(beyond, at)


def test_many_features_do_not_all_correct_the_same_base_rate():
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, (40, 6000))
    y = (rng.random(6000) < 1 / (1 + np.exp(3.0 - 2.0 * x[0]))) * 1.0
    blocks = thirds(Block(x, y))
    task = task_over(blocks, rows=2**13)
    algorithm = PrivateBoosting(pairs=0, steps=3)  # what swings is still far out
    estimator = algorithm.estimator(fit_over(algorithm, task, blocks).model, task)
    chances = estimator.predict_proba(x.T)[:, 1]
    assert abs(chances.mean() - y.mean()) < 0.03
    assert roc_auc_score(y, chances) > 0.75


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (PrivateLogisticRegression, {"steps": 0}),
        (PrivateLogisticRegression, {"norm": 0.0}),
        (PrivateLogisticRegression, {"l2": -1.0}),
        (PrivateLogisticRegression, {"curvature": 1.0}),
        (PrivatePoissonRegression, {"ceiling": 0.0}),
        (PrivateLinearRegression, {"low": 1.0, "high": 1.0}),
        (PrivateLinearRegression, {"high": float("inf")}),
        (PrivateBoosting, {"bins": 1}),
        (PrivateBoosting, {"rate": 0.0}),
        (PrivateBoosting, {"momentum": 1.0}),
        (PrivateStatistics, {"bins": 0}),
    ],
)
def test_options_without_a_meaning_are_refused(kind, wrong):
    with pytest.raises(ContractError):
        kind(**wrong)


def test_boosting_refuses_what_it_cannot_keep():
    block, columns = mixed()
    rising = (replace(columns[0], monotonic=1), *columns[1:])
    with pytest.raises(ContractError, match="monotonic"):
        PrivateBoosting().worker(task_over([block], columns=rising), block)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", np.array([4])),
        ("kind", np.array([3])),  # of pairs, and names none
        ("pairs", np.array([[0, 0]])),
        ("pairs", np.array([[0, 9]])),
        ("places", np.full((4, 255), 255)),
        ("coarse", np.full((4, 255), 8)),
        ("mains", np.full((4, 255), np.nan)),
        ("start", np.array([1e9])),
        ("tables", np.zeros((1, 64))),
    ],
)
def test_a_question_that_boosting_never_asks_is_refused(name, value):
    block, columns = mixed()
    task = task_over([block], columns=columns, rows=2**13)
    algorithm = PrivateBoosting()
    question = dict(next(algorithm.rounds(task)).arrays)
    with pytest.raises(MessageError):
        algorithm.releases({**question, name: value}, task)
