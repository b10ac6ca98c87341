"""Balanced classes: trees weigh rows as scikit-learn's do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier as PooledTrees
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_sample_weight

from fl_plugin.algorithms.base import Block, DesignColumn, Target, solve
from fl_plugin.algorithms.boosting.draws import uniform
from fl_plugin.algorithms.boosting.forest_rows import copies_of
from fl_plugin.algorithms.boosting.packing import packing_of
from fl_plugin.algorithms.by_class.weights import class_weights, row_weights
from fl_plugin.algorithms.hist_gradient_boosting_classifier import (
    HistGradientBoostingClassifier,
)
from fl_plugin.algorithms.random_forest_classifier import RandomForestClassifier
from fl_plugin.errors import TrainingError
from fl_plugin.privacy.encoding import encode
from tests.federated import fit_over, task_over
from tests.unit.algorithms.pooled_trees import MISSING_BIN, binned, farthest, unlike
from tests.unit.algorithms.pooled_trees import pooled as pooled_trees
from tests.unit.algorithms.test_boosting import CATEGORICAL, THREE, rows, shared


@pytest.fixture(params=["binary", "multiclass"])
def kind(request):
    return request.param


def trees(kind, **more):
    """Return a pooled balanced fit of scikit-learn and our algorithm, not fitted."""
    x, signal = rows()
    cuts = [2.5] if kind == "binary" else [1.0, 3.0]
    y = np.digitize(signal, cuts).astype(float)
    assert (y == y.max()).mean() < 0.15
    target = Target() if kind == "binary" else THREE
    made = PooledTrees(
        categorical_features=CATEGORICAL, class_weight="balanced", **shared(**more)
    )
    ours = HistGradientBoostingClassifier(
        **{"max_iter": 12, "class_weight": "balanced", **more}
    )
    return pooled_trees(made, x, y, target), ours


def pooled_block(blocks):
    return Block(
        np.concatenate([b.x for b in blocks], axis=1),
        np.concatenate([b.y for b in blocks]),
        np.concatenate([b.hashes for b in blocks]),
    )


@pytest.mark.parametrize("growth", ["ahead", "exact"])
def test_every_boosted_tree_is_the_pooled_balanced_one(kind, growth):
    there, ours = trees(kind)
    ours = replace(ours, growth=growth)
    found = fit_over(ours, there.task, there.blocks)
    estimator: Any = ours.estimator(found.model, there.task)
    assert len(estimator._predictors) == 12
    assert unlike(there.reference, estimator, 7) == []
    assert farthest(there.reference, estimator) < 1e-9
    expected = there.reference.predict_proba(there.x)
    np.testing.assert_allclose(
        estimator.predict_proba(there.x), expected, rtol=1e-9, atol=1e-9
    )
    bins = binned(there.x, there.task.columns)
    mine = ours.predict(found.model, there.task, Block(bins, np.zeros(len(expected))))
    theirs = expected[:, 1] if kind == "binary" else expected
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_without_the_weights_the_trees_would_be_others(kind):
    there, ours = trees(kind)
    unweighed = replace(ours, class_weight="none")
    found = fit_over(unweighed, there.task, there.blocks, masked=False)
    estimator = unweighed.estimator(found.model, there.task)
    assert len(unlike(there.reference, estimator, 7)) > 6


@pytest.mark.parametrize("option", [{"l2_regularization": 7.5}, {"max_leaf_nodes": 5}])
def test_options_of_balanced_trees_mean_what_they_mean_in_scikit_learn(option):
    there, ours = trees("binary", **option)
    found = fit_over(ours, there.task, there.blocks, masked=False)
    estimator = ours.estimator(found.model, there.task)
    assert unlike(there.reference, estimator, 7) == []
    assert farthest(there.reference, estimator) < 1e-9


def test_balanced_trees_stop_early_where_scikit_learn_s_do(kind):
    x, signal = rows()
    hashes = np.random.default_rng(5).integers(0, 2**63, len(x)).astype(np.uint64)
    out = uniform(hashes, 0, 0) < 0.25
    cuts, target = ([2.5], Target()) if kind == "binary" else ([1.0, 3.0], THREE)
    y = np.digitize(signal, cuts).astype(float)
    options: dict[str, Any] = {"learning_rate": 0.4, "max_iter": 60}
    options["n_iter_no_change"] = 3
    # As scikit-learn's own split does: weights over all rows, then some are held out.
    weights = compute_sample_weight("balanced", y)
    made = PooledTrees(early_stopping=True, random_state=0, **options)
    there = pooled_trees(
        *(made, x, y, target),
        hashes=hashes,
        train=~out,
        sample_weight=weights[~out],
        X_val=x[out],
        y_val=y[out],
        sample_weight_val=weights[out],
    )
    ours = HistGradientBoostingClassifier(
        early_stopping=True,
        validation_fraction=0.25,
        class_weight="balanced",
        **options,
    )
    found = fit_over(ours, there.task, there.blocks)
    estimator: Any = ours.estimator(found.model, there.task)
    assert 3 < len(there.reference._predictors) < 60
    assert unlike(there.reference, estimator, 7) == []
    for name in ("train_score_", "validation_score_"):
        expected = getattr(there.reference, name)
        np.testing.assert_allclose(getattr(estimator, name), expected, rtol=1e-11)


@pytest.mark.parametrize("name", ["boosting", "forest"])
def test_balanced_trees_come_out_of_any_cut_of_the_rows_bit_by_bit(name):
    there, ours = trees("multiclass")
    if name == "forest":
        ours = RandomForestClassifier(n_estimators=4, class_weight="balanced")
    one = fit_over(ours, there.task, there.blocks, masked=False).model
    whole = pooled_block(there.blocks)
    shuffled = np.random.default_rng(1).permutation(whole.rows)
    seven = [
        Block(np.ascontiguousarray(whole.x[:, at]), whole.y[at], whole.hashes[at])
        for at in np.split(shuffled, [1, *range(500, whole.rows, 500)])
    ]
    many = fit_over(ours, replace(there.task, parties=7), seven).model
    assert one.keys() == many.keys()
    for field, array in one.items():
        assert array.tobytes() == many[field].tobytes(), field


@pytest.mark.parametrize("few", [20, 21, 47])
def test_no_boosted_sum_breaks_its_bound_however_rare_a_class_is(kind, few):
    there, ours = trees(kind)
    rng = np.random.default_rng(few)
    y = np.zeros(len(there.x))
    y[rng.permutation(len(y))[:few]] = 1.0
    if kind == "multiclass":
        y[rng.permutation(len(y))[:few]] = 2.0
    x = pooled_block(there.blocks).x
    blocks = [
        Block(np.ascontiguousarray(x[:, at]), y[at], at.astype(np.uint64))
        for at in np.split(np.argsort(y, kind="stable"), [1_400, 2_970])
    ]
    task = task_over(blocks, there.task.target, columns=there.task.columns)
    workers = [ours.worker(task, block) for block in blocks]

    def total(question: Any, expected: Any) -> Any:
        parts = [worker.answer(question) for worker in workers]
        assert all(part.keys() == expected.keys() for part in parts)
        sums = {n: np.sum([part[n] for part in parts], axis=0) for n in expected}
        for name, summand in expected.items():
            for part in (*parts, sums):
                encode(summand, part[name])  # raises where the bound is broken
        if len(question["wanted"]):
            packing = packing_of(tuple(question["bounds"].tolist()), 3, constant=False)
            found = packing.unpack(sums["sums"])
            for name, most in packing.bounds.items():
                assert np.abs(found[name]).max() <= most
        return sums

    assert solve(ours, task, total).rounds > 12


SMALL: Any = (
    HistGradientBoostingClassifier(max_iter=2, class_weight="balanced"),
    RandomForestClassifier(n_estimators=2, class_weight="balanced"),
)


@pytest.mark.parametrize("ours", SMALL, ids=lambda a: a.name)
def test_trees_of_a_class_without_rows_are_refused(ours, kind):
    there, _ = trees(kind)
    counts = (0, *there.task.class_counts[1:])
    with pytest.raises(TrainingError, match="no training row"):
        fit_over(ours, replace(there.task, class_counts=counts), there.blocks)


@pytest.mark.parametrize("ours", SMALL, ids=lambda a: a.name)
def test_the_trees_estimator_says_that_it_was_balanced(ours, kind):
    there, _ = trees(kind)
    unweighed = replace(ours, class_weight="none")
    for algorithm, word in ((ours, "balanced"), (unweighed, None)):
        model = fit_over(algorithm, there.task, there.blocks, masked=False).model
        estimator: Any = algorithm.estimator(model, there.task)
        assert estimator.class_weight == word
        again = algorithm.model_of(estimator)
        assert again.keys() == model.keys()
        for name, array in model.items():
            np.testing.assert_array_equal(again[name], array)


def test_a_balanced_forest_s_trees_are_those_of_scikit_learn_on_the_same_bag(kind):
    there, _ = trees(kind)
    shape: Any = {"min_samples_leaf": 25, "max_depth": 4}
    ours = RandomForestClassifier(
        n_estimators=3, max_features=1.0, class_weight="balanced", **shape
    )
    found = fit_over(ours, there.task, there.blocks)
    forest: Any = ours.estimator(found.model, there.task)
    whole = pooled_block(there.blocks)
    weights = row_weights("balanced", whole.y, there.task)
    bins = np.where(whole.x == MISSING_BIN, np.nan, whole.x).T
    for number, single in enumerate(forest.estimators_):
        copies = copies_of(whole, there.task.seed, number)
        bag = copies > 0
        reference = DecisionTreeClassifier(random_state=0, **shape)
        reference.fit(bins[bag], whole.y[bag], sample_weight=(copies * weights)[bag])
        mine, theirs = single.tree_, reference.tree_
        assert mine.node_count > 15
        for name in ("children_left", "children_right", "n_node_samples"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        for name in ("weighted_n_node_samples", "impurity", "value"):
            one, other = getattr(mine, name), getattr(theirs, name)
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_a_bin_is_bounded_by_its_own_rows_weights_and_not_by_everybody_s():
    # 250 bins of 12 rows; all rows of the rare class lie in four of them.
    bins = np.repeat(np.arange(250, dtype=np.uint8), 12)[None]
    y = (bins[0] < 4).astype(float)
    column = DesignColumn(name="x", feature="x", edges=np.arange(249.0), bins=250)
    rows = Block(bins, y)
    task = task_over([rows], columns=(column,))
    ours = HistGradientBoostingClassifier(max_iter=1, class_weight="balanced")
    worker, bounds = ours.worker(task, rows), []

    def total(question: Any, expected: Any) -> Any:
        sums = worker.answer(question)
        for name, summand in expected.items():
            encode(summand, sums[name])  # raises where the bound is broken
        if len(question["wanted"]):
            bounds.append(question["bounds"] / 2.0 ** question["grid"][0])
            packing = packing_of(tuple(question["bounds"].tolist()), 1, constant=False)
            found = packing.unpack(sums["sums"])["gradients"]
            assert np.abs(found).max() / 2.0 ** question["grid"][0] > 180
        return sums

    heaviest = class_weights("balanced", task).max()
    assert heaviest == 31.25
    solve(ours, task, total)
    assert 375 <= bounds[0][0] < 376  # 12 rows of that weight; not 12, not 3,000
