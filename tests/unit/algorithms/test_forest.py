"""A forest over parties is the same for any cut of the rows, and as good as pooled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier as PooledClassifier
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.metrics import roc_auc_score

from bench import boosting_data
from fl_plugin.algorithms.base import Block, DesignColumn, Target, Task, solve
from fl_plugin.algorithms.boosting.forest_questions import Asked
from fl_plugin.algorithms.boosting.forest_rows import MOST_COPIES, copies_of
from fl_plugin.algorithms.random_forest_classifier import RandomForestClassifier
from fl_plugin.algorithms.random_forest_regressor import RandomForestRegressor
from fl_plugin.errors import ContractError, MeshError, MessageError, TrainingError
from tests.federated import fit_over, task_over
from tests.unit.algorithms.pooled_trees import binned

ROWS = 1_200
KINDS = {
    "binary": Target(),
    "multiclass": Target(kind="multiclass", classes=("a", "b", "c")),
    "regression": Target(kind="regression", classes=()),
}


def columns_over(x: Any, bins: int, categorical: Any = ()) -> tuple[DesignColumn, ...]:
    mapper = _BinMapper(n_bins=bins + 1, random_state=0).fit(x)
    return tuple(
        DesignColumn(
            name=f"x{j}",
            feature=f"x{j}",
            categorical=j in categorical,
            edges=None if j in categorical else edges,
            bins=int(np.nanmax(x[:, j])) + 1 if j in categorical else len(edges) + 1,
        )
        for j, edges in enumerate(mapper.bin_thresholds_)
    )


def case(kind: str, parties: int = 3) -> tuple[Any, Any, list[Block], Task]:
    draw = np.random.default_rng(4)
    x = draw.normal(size=(ROWS, 5))
    x[draw.random(ROWS) < 0.2, 1] = np.nan
    x[:, 2] = draw.integers(0, 6, ROWS)
    x[:, 3] = np.round(x[:, 3], 1)  # values that lie on edges
    signal = x[:, 0] + np.isnan(x[:, 1]) + (x[:, 2] > 3) + x[:, 3] ** 2
    signal += 0.5 * draw.normal(size=ROWS)
    y = {
        "binary": (signal > 1.5).astype(float),
        "multiclass": np.digitize(signal, [0.8, 2]).astype(float),
        "regression": signal * 1e4,
    }[kind]
    columns = columns_over(x, 31, {2})
    hashes = draw.integers(0, 2**63, ROWS).astype(np.uint64)
    whole = Block(binned(x, columns), y, hashes)
    blocks = cut(whole, parties)
    task = task_over(blocks, KINDS[kind], columns=columns, seed=11)
    number = kind == "regression"
    ours: Any = RandomForestRegressor if number else RandomForestClassifier
    return ours(n_estimators=10), whole, blocks, replace(task, mean_square=1.0)


def cut(whole: Block, parties: int, seed: int = 0) -> list[Block]:
    at = np.random.default_rng(seed).integers(0, parties, whole.rows)
    return [
        Block(np.ascontiguousarray(whole.x[:, at == p]), whole.y[at == p], h)
        for p in range(parties)
        for h in [whole.hashes[at == p]]
    ]


def raw_of(whole: Block, task: Task) -> Any:
    """Return raw rows that lie on the upper edges of their bins."""
    x = np.empty((whole.rows, task.width))
    for j, column in enumerate(task.columns):
        tops = (
            np.arange(column.bins, dtype=float)
            if column.edges is None
            else np.append(column.edges, 1e3)
        )
        bins = whole.x[j]
        x[:, j] = np.where(bins == 255, np.nan, tops[np.minimum(bins, len(tops) - 1)])
    return x


@pytest.mark.parametrize("kind", KINDS)
def test_any_cut_of_the_rows_gives_the_same_forest(kind):
    ours, whole, blocks, task = case(kind)
    three = fit_over(ours, task, blocks)
    for parties in (4, 9):
        other = fit_over(ours, replace(task, parties=parties), cut(whole, parties, 3))
        assert other.rounds == three.rounds
        for name, array in three.model.items():
            if name == "numbers":  # impurities: sums of squares are floats
                np.testing.assert_allclose(array, other.model[name], atol=1e-6)
            else:
                assert array.tobytes() == other.model[name].tobytes(), name


@pytest.mark.parametrize("kind", KINDS)
def test_leaves_hold_what_the_rows_of_the_bag_say(kind):
    ours, whole, blocks, task = case(kind)
    fitted = fit_over(ours, task, blocks)
    forest: Any = ours.estimator(fitted.model, task)
    x = raw_of(whole, task).astype(np.float32)
    for number, single in enumerate(forest.estimators_):
        copies = copies_of(whole, task.seed, number)
        tree = single.tree_
        path = tree.decision_path(x).toarray().astype(bool)
        for node in range(tree.node_count):
            inside = path[:, node] & (copies > 0)
            weights = copies[inside].astype(float)
            assert tree.n_node_samples[node] == inside.sum()
            assert tree.weighted_n_node_samples[node] == weights.sum()
            assert inside.sum() >= 20
            y = whole.y[inside]
            if kind == "regression":
                mean = np.average(y, weights=weights)
                spread = np.average((y - mean) ** 2, weights=weights)
                assert tree.value[node, 0, 0] == pytest.approx(mean, rel=1e-6, abs=0.1)
                assert tree.impurity[node] == pytest.approx(spread, rel=1e-5)
            else:
                shares = np.bincount(y.astype(int), weights, len(task.target.classes))
                shares = shares / weights.sum()
                np.testing.assert_allclose(tree.value[node, 0], shares, atol=1e-12)
                assert tree.impurity[node] == pytest.approx(1 - (shares**2).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_the_forest_predicts_raw_rows_and_we_predict_binned_ones_alike(kind):
    ours, whole, blocks, task = case(kind)
    model = fit_over(ours, task, blocks).model
    forest: Any = ours.estimator(model, task)
    mine = ours.predict(model, task, whole)
    x = raw_of(whole, task)
    if kind == "regression":
        theirs = forest.predict(x)
        assert np.corrcoef(theirs, whole.y)[0, 1] > 0.85
    else:
        theirs = forest.predict_proba(x)
        assert (theirs.argmax(axis=1) == whole.y).mean() > 0.75
        assert set(forest.predict(x)) <= set(task.target.classes)
        theirs = theirs[:, 1] if kind == "binary" else theirs
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)
    assert forest.feature_importances_.argmin() == 4


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_forest_are_the_same_thing_and_survive_skops(kind):
    ours, whole, blocks, task = case(kind)
    model = fit_over(ours, task, blocks).model
    forest: Any = ours.estimator(model, task)
    again = ours.model_of(forest)
    assert again.keys() == model.keys()
    for name, array in model.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype
    stored = skops.io.dumps(forest)
    names = {f"{module}.{name}" for module, name, _ in ours.types}
    assert set(skops.io.get_untrusted_types(data=stored)) <= names
    loaded: Any = skops.io.loads(stored, trusted=sorted(names))
    x = raw_of(whole, task)
    np.testing.assert_array_equal(loaded.predict(x), forest.predict(x))


def test_bags_have_the_poisson_distribution_and_differ_between_trees():
    block = case("binary")[1]
    many = np.random.default_rng(0).integers(0, 2**63, 200_000).astype(np.uint64)
    block = replace(block, hashes=many)
    one, other = copies_of(block, 1, 0), copies_of(block, 1, 1)
    assert one.mean() == pytest.approx(1.0, abs=0.01)
    assert one.var() == pytest.approx(1.0, abs=0.02)
    assert (one == 0).mean() == pytest.approx(np.exp(-1), abs=0.005)
    assert one.max() <= MOST_COPIES
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(one, copies_of(block, 2, 0))[0, 1]) < 0.01


@pytest.mark.parametrize(
    ("option", "holds"),
    [
        ({"max_depth": 2}, lambda m: m["nodes"][:, 6].max() == 2),
        ({"min_samples_leaf": 100}, lambda m: m["nodes"][:, 7].min() >= 100),
        ({"n_estimators": 3}, lambda m: len(m["sizes"]) == 3),
        ({"min_samples_leaf": 5_000}, lambda m: (m["sizes"] == 1).all()),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_options_shape_the_trees(option, holds):
    ours, _, blocks, task = case("binary")
    assert holds(fit_over(replace(ours, **option), task, blocks).model)


@pytest.mark.parametrize(
    "options", [{"min_samples_leaf": 5}, {"max_features": 1.5}, {"n_estimators": 0}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ContractError):
        RandomForestClassifier(**options)


def test_rows_without_keys_are_refused():
    ours, whole, _, task = case("binary")
    with pytest.raises(TrainingError, match="no key"):
        ours.worker(task, Block(whole.x, whole.y))


OURS, WHOLE, BLOCKS, TASK = case("binary")
MODEL = fit_over(OURS, TASK, BLOCKS).model
BAD = [-(2**62), -2, -1, 0, 1, 2, 5, 30, 31, 255, 2**40, 2**62]


@settings(max_examples=300)
@draws(data=st.data())
def test_a_changed_model_is_refused_or_still_whole_trees(data):
    model = {name: array.copy() for name, array in MODEL.items()}
    name = data.draw(st.sampled_from(sorted(model)))
    array = model[name].reshape(-1)
    at = data.draw(st.integers(0, array.size - 1))
    numbers = st.sampled_from([0.0, -1.0, -2.0, 0.5, np.nan, np.inf, 1e308])
    array[at] = data.draw(st.sampled_from(BAD) if array.dtype == np.int64 else numbers)
    try:
        forest: Any = OURS.estimator(model, TASK)
    except MessageError:
        return
    for single in forest.estimators_:
        tree = single.tree_
        inner = tree.children_left >= 0
        assert (tree.feature[inner] < TASK.width).all()
        children = np.append(tree.children_left[inner], tree.children_right[inner])
        np.testing.assert_array_equal(np.sort(children), range(1, tree.node_count))
    forest.predict_proba(raw_of(WHOLE, TASK)[:20])
    OURS.predict(model, TASK, Block(WHOLE.x[:, :20].copy(), WHOLE.y[:20]))


@pytest.mark.parametrize("name", MODEL)
def test_a_model_without_an_array_is_refused(name):
    without = {n: a for n, a in MODEL.items() if n != name}
    for model in (without, {**without, name: MODEL[name][:-1]}):
        with pytest.raises(MessageError):
            OURS.estimator(model, TASK)
        with pytest.raises(MessageError):
            OURS.predict(model, TASK, WHOLE)


def questions() -> list[Any]:
    asked: list[Any] = []
    workers = [OURS.worker(TASK, block) for block in BLOCKS]

    def total(question: Any, expected: Any) -> Any:
        asked.append(question)
        parts = [worker.answer(question) for worker in workers]
        return {name: sum(part[name] for part in parts) for name in expected}

    solve(OURS, TASK, total)
    return asked


QUESTIONS = questions()


@settings(max_examples=300)
@draws(data=st.data())
def test_a_changed_question_is_refused_or_answered_in_the_agreed_shape(data):
    begin = data.draw(st.integers(0, 4))
    question = {name: array.copy() for name, array in QUESTIONS[begin].items()}
    name = data.draw(st.sampled_from([n for n in question if question[n].size]))
    array = question[name].reshape(-1)
    array[data.draw(st.integers(0, array.size - 1))] = data.draw(st.sampled_from(BAD))
    worker = OURS.worker(TASK, BLOCKS[0])
    for earlier in QUESTIONS[:begin]:
        worker.answer(earlier)
    try:
        expected = OURS.answers(question, TASK)
        answer = worker.answer(question)
    except MeshError:
        return
    assert {n: a.shape for n, a in answer.items()} == {
        n: s.shape for n, s in expected.items()
    }


@pytest.mark.parametrize(
    "change",
    [
        {"trees": np.array([0, 0])},
        {"trees": np.array([-1])},
        {"trees": np.zeros(0, dtype=np.int64)},
        {"splits": np.array([[0, 0, 1, 5, 0, 0]])},  # a column that is not there
        {"splits": np.array([[0, 0, 1, 0, 31, 0]])},  # a bin that is not there
        {"splits": np.array([[1, 0, 1, 0, 0, 0]])},  # a tree that is not there
        {"wanted": np.array([[0, -1]]), "columns": np.array([[0]])},
        {"wanted": np.array([[0, 0]]), "columns": np.array([[5]])},
        {"wanted": np.array([[0, 0]]), "columns": np.array([[1, 1]])},
        {"wanted": np.array([[0, 0]])},
        {"leaves": -1},
        {"grid": 61},
        {"bound": 0},
    ],
    ids=range(13),
)
def test_a_question_that_is_not_ours_is_refused(change):
    question = Asked(**{"trees": np.array([0]), **change}).arrays()
    with pytest.raises(MessageError, match="question's array"):
        OURS.answers(question, TASK)
    with pytest.raises(MessageError, match="question's array"):
        OURS.worker(TASK, BLOCKS[0]).answer(question)


@pytest.mark.parametrize("name", ["credit_default", "adult"])
@pytest.mark.skipif(
    not boosting_data.PLACE.is_dir(), reason="the real tables are not shipped"
)
def test_on_a_real_table_it_is_as_good_as_scikit_learn_s(name):
    train, test = boosting_data.REAL[name]().halves()
    columns = columns_over(train.x, 255)
    hashes = np.random.default_rng(0).integers(0, 2**63, len(train.y)).astype(np.uint64)
    whole = Block(binned(train.x, columns), train.y, hashes)
    blocks = cut(whole, 3)  # any other cut gives the same forest
    ours = RandomForestClassifier(n_estimators=30)
    task = task_over(blocks, columns=columns, seed=3)
    forest: Any = ours.estimator(fit_over(ours, task, blocks, masked=False).model, task)
    pooled = PooledClassifier(30, min_samples_leaf=20, random_state=0)
    scores = [
        roc_auc_score(test.y, model.predict_proba(test.x)[:, 1])
        for model in (forest, pooled.fit(train.x, train.y))
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.002)
