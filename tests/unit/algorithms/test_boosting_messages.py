"""What an opponent may write: questions and models that compiled code must not see."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier as PooledClassifier

from fl_plugin.algorithms.base import Block, Target, solve
from fl_plugin.algorithms.boosting.questions import LARGEST_SUM, Asked
from fl_plugin.algorithms.hist_gradient_boosting_classifier import (
    HistGradientBoostingClassifier,
)
from fl_plugin.errors import ContractError, MeshError, MessageError
from tests.federated import fit_over
from tests.unit.algorithms.pooled_trees import binned, pooled, unlike

ROWS = 800


def made(classes: int = 2) -> Any:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(ROWS, 4))
    x[:, 1] = draw.integers(0, 6, ROWS)
    x[draw.random(ROWS) < 0.2, 2] = np.nan
    signal = x[:, 0] + (x[:, 1] % 2) + np.isnan(x[:, 2])
    y = np.digitize(signal, np.linspace(0, 1.5, classes - 1)).astype(float)
    target = Target(
        kind="binary" if classes == 2 else "multiclass", classes=tuple(range(classes))
    )
    estimator = PooledClassifier(
        max_iter=4, categorical_features=[1], early_stopping=False, random_state=0
    )
    return pooled(estimator, x, y, target)


POOLED = made()
OURS = HistGradientBoostingClassifier(max_iter=4)
FITTED = fit_over(OURS, POOLED.task, POOLED.blocks)
BINS = binned(POOLED.x, POOLED.task.columns)


def questions() -> list[Any]:
    """Return every question of a fit."""
    asked: list[Any] = []
    workers = [OURS.worker(POOLED.task, block) for block in POOLED.blocks]

    def total(question: Any, expected: Any) -> Any:
        asked.append(question)
        parts = [worker.answer(question) for worker in workers]
        return {name: sum(part[name] for part in parts) for name in expected}

    solve(OURS, POOLED.task, total)
    return asked


QUESTIONS = questions()


@pytest.mark.parametrize("classes", [2, 3])
def test_arrays_and_estimator_are_the_same_thing(classes):
    given = made(classes)
    ours = HistGradientBoostingClassifier(max_iter=4)
    model = fit_over(ours, given.task, given.blocks).model
    estimator = ours.estimator(model, given.task)
    again = ours.model_of(estimator)
    assert again.keys() == model.keys()
    for name, array in model.items():
        assert again[name].dtype == array.dtype
        np.testing.assert_array_equal(again[name], array)


def test_arrays_of_scikit_learn_s_own_fit_make_an_estimator_that_predicts_alike():
    own = PooledClassifier(max_iter=6, early_stopping=False).fit(
        POOLED.x[:, [0, 2, 3]], POOLED.x[:, 1] > 2
    )
    given = pooled(own, POOLED.x[:, [0, 2, 3]], POOLED.x[:, 1] > 2, Target())
    estimator: Any = OURS.estimator(OURS.model_of(own), given.task)
    np.testing.assert_array_equal(
        estimator.predict_proba(given.x), own.predict_proba(given.x)
    )
    assert unlike(own, estimator, 3) == []


def test_the_estimator_survives_skops_with_the_types_that_are_declared():
    estimator: Any = OURS.estimator(FITTED.model, POOLED.task)
    stored = skops.io.dumps(estimator)
    names = {f"{module}.{name}" for module, name, _ in OURS.types}
    assert set(skops.io.get_untrusted_types(data=stored)) <= names
    loaded: Any = skops.io.loads(stored, trusted=sorted(names))
    np.testing.assert_array_equal(
        loaded.predict_proba(POOLED.x), estimator.predict_proba(POOLED.x)
    )


def test_the_estimator_can_be_cloned_and_fitted_elsewhere():
    estimator: Any = OURS.estimator(FITTED.model, POOLED.task)
    fresh: Any = clone(estimator).fit(POOLED.x, POOLED.x[:, 0] > 0)
    assert fresh.n_iter_ == 4


MUTANTS = st.sampled_from([-(2**62), -2, -1, 0, 1, 2, 3, 7, 255, 256, 2**31, 2**62])


@settings(max_examples=600)
@draws(data=st.data())
def test_a_changed_model_is_refused_or_still_whole_trees(data):
    model = {name: array.copy() for name, array in FITTED.model.items()}
    name = data.draw(st.sampled_from(sorted(model)))
    array = model[name].reshape(-1)
    if array.size:
        at = data.draw(st.integers(0, array.size - 1))
        array[at] = data.draw(
            MUTANTS
            if array.dtype == np.int64
            else st.sampled_from([0.0, -1.0, np.nan, np.inf, 1e308])
        )
    try:
        estimator: Any = OURS.estimator(model, POOLED.task)
    except MessageError:
        return
    for group in estimator._predictors:
        for tree in group:
            assert _walked(tree) == set(range(len(tree.nodes)))
    assert estimator.predict_proba(POOLED.x[:20]).shape == (20, 2)
    found = OURS.predict(model, POOLED.task, Block(BINS[:, :20], np.zeros(20)))
    assert found.shape == (20,)


def _walked(tree: Any) -> set[int]:
    """Return the nodes that are met on the way to leaves, by indexes that exist."""
    seen, stack = set(), [0]
    while stack:
        at = stack.pop()
        assert at not in seen
        assert 0 <= at < len(tree.nodes)
        seen.add(at)
        node = tree.nodes[at]
        if node["is_leaf"]:
            continue
        assert 0 <= node["feature_idx"] < POOLED.task.width
        if node["is_categorical"]:
            assert node["bitset_idx"] < len(tree.raw_left_cat_bitsets)
        stack += [int(node["left"]), int(node["right"])]
    return seen


def _changed(name: str, array: Any) -> dict[str, Any]:
    return {**FITTED.model, name: array}


LOOP = FITTED.model["nodes"].copy()
LOOP[0, 0] = 0
SHARED = FITTED.model["nodes"].copy()
SHARED[0, 1] = SHARED[1, 1] if SHARED[1, 1] > 0 else 2
FAR = FITTED.model["nodes"].copy()
FAR[0, 2] = POOLED.task.width


@pytest.mark.parametrize(
    "model",
    [
        {},
        _changed("nodes", LOOP),
        _changed("nodes", SHARED),
        _changed("nodes", FAR),
        _changed("nodes", FITTED.model["nodes"][:-1]),
        _changed("nodes", FITTED.model["nodes"].astype(np.int32)),
        _changed("sizes", FITTED.model["sizes"] + np.array([1, 0, 0, -1])),
        _changed("sizes", np.array([2**62, 2**62, 2**62, 2**62])),
        _changed("members", FITTED.model["members"][1:]),
        _changed("members", FITTED.model["members"] - 2**40),
        _changed("members", FITTED.model["members"] + 2**40),
        _changed("start", np.array([np.nan])),
        _changed("start", np.zeros(2)),
        _changed("scores", np.zeros((2, 3))),
        _changed("numbers", FITTED.model["numbers"] * np.nan),
    ],
    ids=range(15),
)
def test_a_model_that_is_no_trees_is_refused_by_name(model):
    with pytest.raises(MessageError, match="model's array"):
        OURS.estimator(model, POOLED.task)
    if not {"scores"} & {n for n in model if model[n] is not FITTED.model[n]}:
        block = Block(BINS[:, :5], np.zeros(5))
        with pytest.raises(MessageError, match="model's array"):
            OURS.predict(model, POOLED.task, block)


def test_rows_that_are_not_bins_are_not_predicted():
    with pytest.raises(MessageError):
        OURS.predict(FITTED.model, POOLED.task, Block(POOLED.x.T, np.zeros(ROWS)))


def test_every_question_of_a_fit_passes_the_check():
    assert len(QUESTIONS) > 10
    for question in QUESTIONS:
        assert OURS.answers(question, POOLED.task)


SPLITTING = next(q for q in QUESTIONS if len(q["splits"]) > 1 and len(q["wanted"]))
FINISHING = next(q for q in QUESTIONS if len(q["leaves"]))


def _with(question: Any, name: str, at: Any, value: Any) -> dict[str, Any]:
    array = question[name].copy()
    array[at] = value
    return {**question, name: array}


@pytest.mark.parametrize(
    "question",
    [
        {},
        {**SPLITTING, "more": np.zeros(1)},
        _with(SPLITTING, "splits", (0, 0), 1),  # a tree that is not there
        _with(SPLITTING, "splits", (0, 1), -1),
        _with(SPLITTING, "splits", (0, 2), 2**40),
        _with(SPLITTING, "splits", (0, 3), SPLITTING["splits"][0, 2]),
        _with(SPLITTING, "splits", (0, 4), 4),  # a column that is not there
        _with(SPLITTING, "splits", (0, 4), -1),
        _with(SPLITTING, "splits", (0, 5), 255),  # the missing bin
        _with(SPLITTING, "splits", (0, 5), -1),
        _with(SPLITTING, "splits", (0, 6), 2),
        _with(SPLITTING, "members", (0, 0), 2**32),
        _with(SPLITTING, "members", (0, 7), -1),
        {**SPLITTING, "members": SPLITTING["members"][1:]},
        {**SPLITTING, "members": SPLITTING["members"][:, 1:]},
        {**SPLITTING, "splits": SPLITTING["splits"].astype(float)},
        _with(SPLITTING, "wanted", (0, 0), 1),
        _with(SPLITTING, "wanted", (0, 1), -5),
        {**SPLITTING, "wanted": np.zeros((5_000, 2), dtype=np.int64)},
        _with(SPLITTING, "bounds", 0, 0),
        _with(SPLITTING, "bounds", 1, LARGEST_SUM + 1),
        _with(SPLITTING, "grid", 0, 101),
        _with(SPLITTING, "flags", 0, 2),
        _with(FINISHING, "values", 0, np.nan),
        _with(FINISHING, "values", 0, 1e200),
        _with(FINISHING, "leaves", (0, 0), -1),
        {**FINISHING, "leaves": FINISHING["leaves"][1:]},
        {**FINISHING, "start": np.zeros(3)},
        {**FINISHING, "start": np.array([np.inf])},
    ],
    ids=range(29),
)
def test_a_question_that_is_not_ours_is_refused_before_a_row_is_touched(question):
    with pytest.raises(MessageError, match="question's array"):
        OURS.answers(question, POOLED.task)
    with pytest.raises(MessageError, match="question's array"):
        OURS.worker(POOLED.task, POOLED.blocks[0]).answer(question)


def _worker(questions: int) -> Any:
    worker = OURS.worker(POOLED.task, POOLED.blocks[0])
    for question in QUESTIONS[:questions]:
        worker.answer(question)
    return worker


@pytest.mark.parametrize(
    "question",
    [
        Asked(wanted=np.array([[0, 9]])),  # no such node
        Asked(
            splits=np.array([[0, 9, 10, 11, 0, 0, 0]]), members=np.zeros((1, 8), int)
        ),
        Asked(leaves=np.array([[0, 9]]), values=np.ones(1)),
        Asked(
            splits=np.array([[0, 0, 1, 2, 0, 0, 0]]),
            members=np.zeros((1, 8), int),
            leaves=np.array([[0, 1]]),  # and what of node 2?
            values=np.ones(1),
        ),
    ],
    ids=range(4),
)
def test_nodes_that_are_not_there_are_refused_by_the_worker(question):
    arrays = question.arrays()
    OURS.answers(arrays, POOLED.task)  # nothing in it is out of range
    with pytest.raises(MessageError, match="question's array"):
        _worker(2).answer(arrays)


@pytest.mark.parametrize("exponents", [(45, 40), (40, 48)])
def test_a_grid_too_fine_to_add_on_is_refused(exponents):
    question = Asked(plants=True, grid=np.array(exponents)).arrays()
    with pytest.raises(MessageError, match="grid"):
        _worker(1).answer(question)


def test_trees_that_were_not_begun_cannot_be_asked_about():
    with pytest.raises(MessageError):
        _worker(1).answer(Asked(wanted=np.array([[0, 0]])).arrays())


@settings(max_examples=300)
@draws(data=st.data())
def test_a_changed_question_is_refused_or_answered_in_the_agreed_shape(data):
    begin = data.draw(st.integers(1, 8))
    question = {name: array.copy() for name, array in QUESTIONS[begin].items()}
    name = data.draw(st.sampled_from([n for n in question if question[n].size]))
    array = question[name].reshape(-1)
    at = data.draw(st.integers(0, array.size - 1))
    array[at] = data.draw(
        MUTANTS
        if array.dtype == np.int64
        else st.sampled_from([0.0, np.nan, -np.inf, 1e99])
    )
    try:
        expected = OURS.answers(question, POOLED.task)
        answer = _worker(begin).answer(question)
    except MeshError:
        return
    assert {n: a.shape for n, a in answer.items()} == {
        n: s.shape for n, s in expected.items()
    }


def test_columns_with_too_many_bins_or_no_order_are_refused():
    for change in ({"bins": 256}, {"monotonic": 1}, {"categorical": False}):
        columns = list(POOLED.task.columns)
        columns[1] = replace(columns[1], **change)
        task = replace(POOLED.task, columns=tuple(columns))
        with pytest.raises(ContractError):
            OURS.answers(QUESTIONS[0], task)
