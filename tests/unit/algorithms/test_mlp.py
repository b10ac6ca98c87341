"""What holds for every algorithm of the MLP family, and what sets each apart."""

from itertools import pairwise

import numpy as np
import pytest
import skops.io
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bench import synthetic
from fl_plugin.algorithms.base import Block, Target, solve
from fl_plugin.algorithms.mlp_fedadam import MLPFedAdam
from fl_plugin.algorithms.mlp_fedavg import MLPFedAvg
from fl_plugin.algorithms.mlp_fedprox import MLPFedProx
from fl_plugin.algorithms.mlp_scaffold import MLPScaffold
from fl_plugin.errors import ContractError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unlike import pooled, unlike

FAMILY = (MLPFedAvg, MLPFedProx, MLPFedAdam, MLPScaffold)
TARGETS = {
    "binary": Target(),
    "multiclass": Target(kind="multiclass", classes=("a", "b", "c")),
    "regression": Target(kind="regression", classes=()),
}
GAP = 0.005  # of AUC, to scikit-learn on the pooled rows


@pytest.fixture(params=FAMILY, ids=lambda kind: kind.name)
def kind(request):
    return request.param


def case(target, seed=1):
    blocks = unlike(classes=3 if target == "multiclass" else 2, seed=seed)
    if target == "regression":
        blocks = [
            Block(b.x, 50.0 + 7.0 * (b.x[0] + np.abs(b.x[1])), b.hashes) for b in blocks
        ]
    return blocks, task_over(blocks, TARGETS[target], seed=seed)


def first_question(algorithm, task):
    return next(algorithm.rounds(task)).arrays


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_it_learns_every_kind_of_target(kind, target):
    blocks, task = case(target)
    algorithm = kind(max_rounds=20, hidden_units=8)
    fitted = fit_over(algorithm, task, blocks)
    estimator = algorithm.estimator(fitted.model, task)
    x, y = pooled(blocks)
    if target == "regression":
        assert isinstance(estimator, MLPRegressor)
        assert r2_score(y, estimator.predict(x)) > 0.9
    else:
        assert isinstance(estimator, MLPClassifier)
        classes = np.array(task.target.classes)
        assert (
            estimator.predict(x) == classes[y.astype(int)]
        ).mean() > 0.6  # by chance: 0.5 or less
    assert fitted.model["losses"][-1] < fitted.model["losses"][0]
    assert fitted.rounds == 20


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_an_estimator_gives_back_its_arrays_and_goes_through_a_file(kind, target):
    blocks, task = case(target)
    algorithm = kind(max_rounds=2, hidden_layers=2, hidden_units=4)
    fitted = fit_over(algorithm, task, blocks)
    estimator = algorithm.estimator(fitted.model, task)
    back = algorithm.model_of(estimator)
    assert back.keys() == fitted.model.keys()
    for name, array in fitted.model.items():
        np.testing.assert_array_equal(back[name], array)
    data = skops.io.dumps(estimator)
    own = {f"{module}.{name}" for module, name, _ in kind.types}
    assert set(skops.io.get_untrusted_types(data=data)) <= own | {"numpy.dtype"}
    loaded = skops.io.loads(data, trusted=["numpy.dtype"])
    x, _ = pooled(blocks)
    np.testing.assert_array_equal(loaded.predict(x), estimator.predict(x))


def test_the_same_seed_gives_the_same_weights_and_another_does_not(kind):
    blocks, task = case("binary")
    _, other = case("binary")
    algorithm = kind(max_rounds=2)
    models = [fit_over(algorithm, t, blocks).model["weights"] for t in (task, other)]
    np.testing.assert_array_equal(models[0], models[1])
    elsewhere = fit_over(algorithm, task_over(blocks, seed=9), blocks).model["weights"]
    assert not np.allclose(models[0], elsewhere)


def test_how_a_domain_stores_its_rows_changes_nothing(kind):
    blocks, task = case("binary")
    turned = [Block(b.x[:, ::-1], b.y[::-1], b.hashes[::-1]) for b in blocks]
    algorithm = kind(max_rounds=3)
    here, there = (fit_over(algorithm, task, parts) for parts in (blocks, turned))
    np.testing.assert_array_equal(here.model["weights"], there.model["weights"])


def test_masks_change_nothing_but_the_last_digits(kind):
    blocks, task = case("binary")
    algorithm = kind(max_rounds=3)
    masked, plain = (
        fit_over(algorithm, task, blocks, masked=masked) for masked in (True, False)
    )
    np.testing.assert_array_equal(masked.model["weights"], plain.model["weights"])


def test_no_change_is_longer_than_the_clip(kind):
    blocks, task = case("binary")
    algorithm = kind(clip=0.01)
    question = first_question(algorithm, task)
    part = algorithm.worker(task, blocks[0]).answer(question)
    length = np.linalg.norm(part["update"]) / blocks[0].rows
    assert length == pytest.approx(0.01)


def test_parties_of_unlike_sizes_take_the_same_number_of_steps():
    blocks, task = case("binary")
    algorithm = MLPFedAvg(batch_size=16)
    question = first_question(algorithm, task)
    steps = {algorithm.train(question, task, block).steps for block in blocks}
    assert len(steps) == 1


def test_a_party_without_rows_adds_nothing(kind):
    _, task = case("binary")
    empty = Block(np.zeros((5, 0)), np.zeros(0))
    question = first_question(kind(), task)
    part = kind().worker(task, empty).answer(question)
    assert not any(np.any(array) for array in part.values())


def test_no_rows_anywhere_are_an_error():
    _, task = case("binary")
    with pytest.raises(TrainingError, match="training row"):
        fit_over(MLPFedAvg(), task, [Block(np.zeros((5, 0)), np.zeros(0))] * 3)


def test_training_that_runs_off_is_an_error():
    blocks, task = case("regression")
    algorithm = MLPFedAvg(learning_rate=99.0, decay=False)
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingError, match="diverged"),
    ):
        fit_over(algorithm, task, blocks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": np.zeros(3)},
        {"weights": np.full(225, np.nan)},
        {"weights": np.full(225, 1e7)},
        {"round": np.array([50])},
        {"round": np.array([-1])},
        {"round": np.array([0.0])},
        {"control": np.zeros(3)},
        {"control": np.full(225, 1e7)},
    ],
)
def test_a_strange_question_is_refused(wrong):
    _, task = case("binary")
    question = {**first_question(MLPScaffold(), task), **wrong}
    with pytest.raises(MessageError, match=next(iter(wrong))):
        MLPScaffold().answers(question, task)


@pytest.mark.parametrize("name", ["weights", "losses"])
def test_a_strange_model_is_refused(kind, name):
    blocks, task = case("binary")
    model = fit_over(kind(max_rounds=1), task, blocks).model
    for bad in (np.full_like(model[name], np.nan), np.zeros((2, 2)), np.zeros(0)):
        with pytest.raises(MessageError, match=name):
            kind(max_rounds=1).estimator({**model, name: bad}, task)


@pytest.mark.parametrize(
    "wrong",
    [
        {"clip": 0.0},
        {"hidden_units": 0},
        {"learning_rate": -1.0},
        {"max_rounds": 0},
        {"aggregation": "best"},
        {"hostile": -1},
    ],
)
def test_a_parameter_out_of_range_is_named(kind, wrong):
    with pytest.raises(ContractError, match=next(iter(wrong))):
        kind.of(wrong)


def test_a_proximal_term_keeps_parties_near_the_shared_weights():
    blocks, task = case("binary")
    question = first_question(MLPFedAvg(), task)
    free, held = (
        np.linalg.norm(a.train(question, task, blocks[2]).change)
        for a in (MLPFedProx(proximal=0.0), MLPFedProx(proximal=3.0))
    )
    plain = np.linalg.norm(MLPFedAvg().train(question, task, blocks[2]).change)
    assert free == plain
    assert held < 0.9 * free


def test_scaffolds_mean_control_is_the_mean_of_the_parties_controls():
    blocks, task = case("binary")
    algorithm = MLPScaffold(max_rounds=4)
    workers = [algorithm.worker(task, block) for block in blocks]
    rounds = algorithm.rounds(task)
    question = next(rounds)
    for _ in range(3):
        parts = [worker.answer(question.arrays) for worker in workers]
        question = rounds.send(algorithm.combine(parts))
    own = [
        vars(w)["_after"] * b.rows / task.rows
        for w, b in zip(workers, blocks, strict=True)
    ]
    np.testing.assert_allclose(sum(own), question.arrays["control"], atol=1e-12)


def test_a_control_is_the_mean_gradient_of_the_partys_own_rows():
    blocks, task = case("binary")
    algorithm = MLPScaffold(alpha=0.0, batch_size=task.rows)  # one step a round
    worker = algorithm.worker(task, blocks[0])
    question = first_question(algorithm, task)
    rng = np.random.default_rng(0)
    for number in range(2):
        weights = question["weights"] + 0.1 * rng.normal(size=len(question["weights"]))
        control = 0.01 * rng.normal(size=len(weights))
        asked = {"weights": weights, "round": np.array([number]), "control": control}
        worker.answer(asked)
        x, y = blocks[0].x, blocks[0].y
        _, slope = algorithm.network(task).gradient(weights, x, y)
        np.testing.assert_allclose(vars(worker)["_after"], slope, atol=1e-12)


def test_a_party_of_scaffold_asked_twice_answers_the_same():
    blocks, task = case("binary")
    algorithm = MLPScaffold()
    worker = algorithm.worker(task, blocks[0])
    question = first_question(algorithm, task)
    worker.answer(question)
    later = {**question, "round": np.array([1])}
    first, second = worker.answer(later), worker.answer(later)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    afresh = algorithm.worker(task, blocks[0]).answer(later)
    assert not np.array_equal(first["update"], afresh["update"])


def test_fedadam_follows_the_paper():
    algorithm = MLPFedAdam(
        server_rate=0.1, first_decay=0.9, second_decay=0.99, adaptivity=0.5
    )
    rounds = algorithm.rounds(case("binary")[1])
    weights = [next(rounds).arrays["weights"]]
    change = np.linspace(-1, 1, len(weights[0]))
    answer = {"update": change, "rows": np.array([1]), "loss": np.zeros(1)}
    weights += [rounds.send(answer).arrays["weights"] for _ in range(2)]
    first, second = np.zeros_like(change), np.full_like(change, 0.25)
    for before, after in pairwise(weights):
        first = 0.9 * first + 0.1 * change
        second = 0.99 * second + 0.01 * change**2
        step = 0.1 * first / (np.sqrt(second) + 0.5)
        np.testing.assert_allclose(after, before + step, atol=1e-12)


def non_iid(rows=12_000):
    tables = list(synthetic.make(rows).values())
    x = np.concatenate([table.x for table in tables])
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    train, test = [], []
    for place, table in enumerate(tables):
        inside = np.random.default_rng(place).random(len(table.y)) < 0.75
        x, y = (table.x - mean) / deviation, table.y.astype(np.float64)
        train.append(Block(np.ascontiguousarray(x[inside].T), y[inside]))
        test.append(Block(np.ascontiguousarray(x[~inside].T), y[~inside]))
    return train, test


def test_it_comes_close_to_pooled_training_over_unlike_domains(kind):
    train, test = non_iid()
    task = task_over(train, seed=1)
    algorithm = kind()
    fitted = fit_over(algorithm, task, train, masked=False)
    x, y = pooled(train)
    theirs = MLPClassifier((32,), random_state=0, early_stopping=True).fit(x, y)
    x, y = pooled(test)
    ours = algorithm.estimator(fitted.model, task)
    aucs = [roc_auc_score(y, e.predict_proba(x)[:, 1]) for e in (theirs, ours)]
    assert aucs[1] >= aucs[0] - GAP


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_personal_model_fits_its_domain_better_and_shares_its_hidden_layers(target):
    blocks, task = case(target)
    # This domain sees the world another way.
    other = {"binary": lambda y: 1 - y, "multiclass": lambda y: (y + 1) % 3}
    turn = other.get(target, lambda y: 120.0 - y)
    own = Block(blocks[2].x, turn(blocks[2].y), blocks[2].hashes)
    algorithm = MLPFedAvg(max_rounds=10, hidden_units=8, personal_epochs=20)
    shared = fit_over(algorithm, task, blocks).model
    personal = algorithm.personalise(shared, task, own)
    assert personal is not None
    here, there = (algorithm.estimator(m, task) for m in (personal, shared))
    np.testing.assert_array_equal(here.coefs_[0], there.coefs_[0])
    np.testing.assert_array_equal(here.intercepts_[0], there.intercepts_[0])
    truth = (
        own.y
        if target == "regression"
        else np.array(task.target.classes)[own.y.astype(int)]
    )
    assert here.score(own.x.T, truth) > there.score(own.x.T, truth) + 0.1


def test_personal_models_can_be_left_out():
    blocks, task = case("binary")
    algorithm = MLPFedAvg(max_rounds=1, personal_epochs=0)
    shared = fit_over(algorithm, task, blocks).model
    assert algorithm.personalise(shared, task, blocks[0]) is None


def test_a_robust_run_can_be_solved_with_each_partys_part():
    blocks, task = case("binary")
    algorithm = MLPFedAvg(aggregation="median", max_rounds=2)
    workers = [algorithm.worker(task, block) for block in blocks]
    fitted = solve(
        algorithm, task, lambda q, _: algorithm.combine([w.answer(q) for w in workers])
    )
    assert np.isfinite(fitted.model["weights"]).all()


def test_without_hidden_layers_it_is_logistic_regression_by_averaging():
    blocks, task = case("binary")
    algorithm = MLPFedAvg(
        hidden_layers=0,
        local_epochs=3,
        max_rounds=4,
        learning_rate=0.5,
        batch_size=1_000_000,
        alpha=0.0,
        decay=False,
        clip=1e6,
    )
    fitted = fit_over(algorithm, task, blocks)

    weights = np.zeros(task.width + 1)
    rows = [(np.column_stack([b.x.T, np.ones(b.rows)]), b.y) for b in blocks]
    for _ in range(4):
        parts = []
        for x, y in rows:
            own = weights.copy()
            for _ in range(3):
                own -= 0.5 * x.T @ (1.0 / (1.0 + np.exp(-x @ own)) - y) / len(y)
            parts.append(own * len(y) / task.rows)
        weights = np.sum(parts, axis=0)
    np.testing.assert_allclose(fitted.model["weights"], weights, atol=1e-9)

    estimator = algorithm.estimator(fitted.model, task)
    x, _ = pooled(blocks)
    chance = 1.0 / (1.0 + np.exp(-(x @ weights[:-1] + weights[-1])))
    np.testing.assert_allclose(estimator.predict_proba(x)[:, 1], chance, atol=1e-9)
    back = algorithm.model_of(skops.io.loads(skops.io.dumps(estimator)))
    np.testing.assert_array_equal(back["weights"], fitted.model["weights"])
