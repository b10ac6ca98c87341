"""Boosting over parties grows the trees that scikit-learn grows on the pooled rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier as PooledClassifier,
)
from sklearn.ensemble import (
    HistGradientBoostingRegressor as PooledRegressor,
)

from fl_plugin.algorithms.base import Block, Target
from fl_plugin.algorithms.boosting.draws import uniform
from fl_plugin.algorithms.boosting.splitting import Split, routed
from fl_plugin.algorithms.hist_gradient_boosting_classifier import (
    HistGradientBoostingClassifier,
)
from fl_plugin.algorithms.hist_gradient_boosting_regressor import (
    HistGradientBoostingRegressor,
)
from fl_plugin.errors import ContractError, TrainingError
from tests.federated import fit_over
from tests.unit.algorithms.pooled_trees import (
    Pooled,
    binned,
    farthest,
    pooled,
    unlike,
)

NUMBER = Target(kind="regression", classes=())
COUNT = Target(kind="count", classes=())
THREE = Target(kind="multiclass", classes=("a", "b", "c"))
ROWS = 3_000
# Two numbers with gaps, a category of five, a yes/no, a near-constant, a category with
# gaps, and a copy of x0: a tie at every split.
CATEGORICAL = [False, False, True, False, False, True, False]


def rows(seed: int = 0) -> tuple[Any, Any]:
    """Return rows of every kind, and a signal in them."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(ROWS, 7))
    x[draw.random(ROWS) < 0.2, 1] = np.nan
    x[:, 2] = draw.integers(0, 5, ROWS)
    x[:, 3] = x[:, 3] > 0.3
    x[:, 4] = np.where(draw.random(ROWS) < 0.1, np.nan, 1.0)
    x[:, 5] = draw.integers(0, 12, ROWS)
    x[draw.random(ROWS) < 0.1, 5] = np.nan
    x[:, 6] = x[:, 0]
    signal = x[:, 0] + np.isnan(x[:, 1]) + np.sin(3 * np.nan_to_num(x[:, 1]))
    signal += (x[:, 2] == 3) + (x[:, 5] % 3 == 1) * x[:, 3] + draw.normal(size=ROWS)
    return x, signal


def shared(**more: Any) -> dict[str, Any]:
    return {"max_iter": 12, "early_stopping": False, "random_state": 0} | more


def case(kind: str, **more: Any) -> tuple[Pooled, Any]:
    """Return the pooled fit and our algorithm of one kind."""
    x, signal = rows()
    trees: dict[str, Any] = {"max_iter": 12}
    estimator: Any
    ours: Any
    if kind == "binary":
        y, target = (signal > 1).astype(float), Target()
        estimator, ours = PooledClassifier, HistGradientBoostingClassifier
    elif kind == "multiclass":
        y, target = np.digitize(signal, [0, 1.5]).astype(float), THREE
        estimator, ours = PooledClassifier, HistGradientBoostingClassifier
    else:
        estimator, ours = PooledRegressor, HistGradientBoostingRegressor
        y, target, loss = {
            "squared_error": (signal * 1e3, NUMBER, "squared_error"),
            "poisson": (np.floor(np.exp(signal / 2)), COUNT, "poisson"),
            "gamma": (np.exp(signal) + 0.1, NUMBER, "gamma"),
        }[kind]
        more, trees = {"loss": loss, **more}, trees | {"loss": loss}
    made = estimator(categorical_features=CATEGORICAL, **shared(**more))
    return pooled(made, x, y, target), ours(**trees)


KINDS = ("binary", "multiclass", "squared_error", "poisson", "gamma")


@pytest.mark.parametrize("growth", ["ahead", "exact"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_tree_is_the_pooled_one(kind, growth):
    given, ours = case(kind)
    ours = replace(ours, growth=growth)
    fitted = fit_over(ours, given.task, given.blocks)
    estimator = ours.estimator(fitted.model, given.task)
    assert len(estimator._predictors) == 12
    assert unlike(given.reference, estimator, 7) == []
    scale = np.abs(given.reference._raw_predict(given.x)).max()
    assert farthest(given.reference, estimator) < 1e-9 * scale
    assert farthest(given.reference, estimator, "gain") < 1e-7 * scale**2


@pytest.mark.parametrize("kind", KINDS)
def test_the_estimator_predicts_raw_rows_and_we_predict_binned_ones_alike(kind):
    given, ours = case(kind)
    fitted = fit_over(ours, given.task, given.blocks)
    estimator: Any = ours.estimator(fitted.model, given.task)
    bins = binned(given.x, given.task.columns)
    mine = ours.predict(fitted.model, given.task, Block(bins, np.zeros(ROWS)))
    if kind in {"binary", "multiclass"}:
        theirs = estimator.predict_proba(given.x)
        expected = given.reference.predict_proba(given.x)
        np.testing.assert_array_equal(
            estimator.predict(given.x),
            np.array(given.task.target.classes)[expected.argmax(axis=1)],
        )
        mine = mine if kind == "multiclass" else np.column_stack([1.0 - mine, mine])
    else:
        theirs, expected = estimator.predict(given.x), given.reference.predict(given.x)
    np.testing.assert_allclose(theirs, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "option",
    [
        {"max_depth": 3},
        {"max_leaf_nodes": 5},
        {"max_leaf_nodes": 2},
        {"min_samples_leaf": 150},
        {"l2_regularization": 7.5},
        {"learning_rate": 0.5},
        {"max_bins": 16},
        {"min_samples_leaf": 1_600},
    ],
    ids=str,
)
def test_options_mean_what_they_mean_in_scikit_learn(option):
    given, ours = case("binary", **option)
    ours = replace(ours, **option)
    estimator = ours.estimator(
        fit_over(ours, given.task, given.blocks, masked=False).model, given.task
    )
    assert unlike(given.reference, estimator, 7) == []
    assert farthest(given.reference, estimator) < 1e-9


@pytest.mark.parametrize("kind", ["binary", "poisson"])
def test_monotonic_columns_stay_monotonic_as_in_scikit_learn(kind):
    ways = [1, -1, 0, 1, 0, 0, 0]
    given, ours = case(kind, monotonic_cst=ways)
    estimator: Any = ours.estimator(
        fit_over(ours, given.task, given.blocks).model, given.task
    )
    assert unlike(given.reference, estimator, 7) == []
    x = np.repeat(given.x[:50], 40, axis=0)
    x[:, 0] = np.tile(np.linspace(-3, 3, 40), 50)
    raw = estimator._raw_predict(x).reshape(50, 40)
    assert (np.diff(raw, axis=1) >= 0).all()
    assert np.ptp(raw, axis=1).max() > 0.1


@pytest.mark.parametrize("kind", ["binary", "multiclass", "squared_error"])
def test_early_stopping_stops_where_scikit_learn_does(kind):
    x, signal = rows()
    hashes = np.random.default_rng(5).integers(0, 2**63, ROWS).astype(np.uint64)
    held = uniform(hashes, 0, 0) < 0.25
    assert 0.2 < held.mean() < 0.3
    # Gaps that no training row has: they go with the majority.
    x[held & (np.arange(ROWS) % 3 == 0), 2] = np.nan
    x[held & (np.arange(ROWS) % 5 == 0), 0] = np.nan
    number = kind == "squared_error"
    y = (
        signal
        if number
        else np.digitize(signal, [0.5] if kind == "binary" else [0, 2.0]).astype(float)
    )
    target = NUMBER if number else (Target() if kind == "binary" else THREE)
    options: dict[str, Any] = {"learning_rate": 0.4, "max_iter": 60}
    options["n_iter_no_change"] = 3
    made = (PooledRegressor if number else PooledClassifier)(
        early_stopping=True, random_state=0, **options
    )
    validation = {"X_val": x[held], "y_val": y[held]}
    given = pooled(made, x, y, target, hashes=hashes, train=~held, **validation)
    ours: Any = (
        HistGradientBoostingRegressor if number else HistGradientBoostingClassifier
    )(early_stopping=True, validation_fraction=0.25, **options)
    fitted = fit_over(ours, given.task, given.blocks)
    estimator: Any = ours.estimator(fitted.model, given.task)
    assert 3 < len(given.reference._predictors) < 60
    assert unlike(given.reference, estimator, 7) == []
    for name in ("train_score_", "validation_score_"):
        expected = getattr(given.reference, name)
        np.testing.assert_allclose(getattr(estimator, name), expected, rtol=1e-12)
    assert fitted.notes == (
        f"Stopped early, after {len(given.reference._predictors)} iterations.",
    )


@pytest.mark.parametrize("left", [True, False])
def test_missing_categories_are_routed_where_the_split_says(left):
    members = np.array([6, 0, 0, 0, 0, 0, 0, 0 if left else 1 << 31], dtype=np.uint32)
    split = Split(
        gain=1.0, column=0, bins=0, missing_left=left, members=members, found=None
    )
    assert routed(split).tolist() == [6, 0, 0, 0, 0, 0, 0, (1 << 31) * left]
    assert routed(replace(split, members=None)).tolist() == [0] * 8


def test_without_held_out_rows_the_training_loss_decides():
    x, signal = rows()
    options: dict[str, Any] = {"max_iter": 40, "n_iter_no_change": 2, "tol": 0.01}
    made = PooledClassifier(
        early_stopping=True, validation_fraction=None, random_state=0, **options
    )
    given = pooled(made, x, (signal > 1).astype(float), Target())
    ours = HistGradientBoostingClassifier(
        early_stopping=True, validation_fraction=0.0, **options
    )
    estimator: Any = ours.estimator(
        fit_over(ours, given.task, given.blocks).model, given.task
    )
    assert len(given.reference._predictors) < 40
    assert unlike(given.reference, estimator, 7) == []
    expected = given.reference.train_score_
    np.testing.assert_allclose(estimator.train_score_, expected, rtol=1e-12)
    assert len(estimator.validation_score_) == 0


@pytest.mark.parametrize("kind", ["binary", "squared_error"])
def test_the_same_bits_come_out_of_any_cut_of_the_rows(kind):
    given, ours = case(kind)
    whole = Block(
        np.concatenate([b.x for b in given.blocks], axis=1),
        np.concatenate([b.y for b in given.blocks]),
    )
    one = fit_over(ours, given.task, given.blocks, masked=False).model
    shuffled = np.random.default_rng(1).permutation(ROWS)
    cuts = [1, *range(500, ROWS, 500)]  # the first party has a single row
    seven = [
        Block(np.ascontiguousarray(whole.x[:, at]), whole.y[at])
        for at in np.split(shuffled, cuts)
    ]
    nobody = Block(np.zeros((7, 0), dtype=np.uint8), np.zeros(0))
    many = fit_over(ours, replace(given.task, parties=8), [*seven, nobody]).model
    assert one.keys() == many.keys()
    for name, array in one.items():
        if kind == "binary":
            assert array.tobytes() == many[name].tobytes(), name
        else:  # the start is a mean of floats, which the parties add up
            np.testing.assert_allclose(many[name], array, rtol=1e-9, atol=1e-9)


def test_both_growths_make_the_same_bits_in_fewer_rounds():
    given, ours = case("binary")
    exact = fit_over(replace(ours, growth="exact"), given.task, given.blocks)
    ahead = fit_over(ours, given.task, given.blocks)
    assert ahead.rounds < exact.rounds / 2
    for name, array in exact.model.items():
        assert array.tobytes() == ahead.model[name].tobytes(), name


def test_of_equal_splits_the_categorical_column_s_is_taken_as_in_scikit_learn():
    draw = np.random.default_rng(2)
    twin = (draw.random(ROWS) < 0.4).astype(float)
    x = np.column_stack([twin, twin, draw.normal(size=ROWS)])
    y = (twin + x[:, 2] + draw.normal(size=ROWS) > 1).astype(float)
    made = PooledClassifier(categorical_features=[1], **shared())
    given = pooled(made, x, y, Target())
    ours = HistGradientBoostingClassifier(max_iter=12)
    fitted = fit_over(ours, given.task, given.blocks)
    assert unlike(given.reference, ours.estimator(fitted.model, given.task), 3) == []
    assert 1 in fitted.model["nodes"][:, 2]


def test_a_class_without_rows_is_refused():
    given, ours = case("binary")
    blocks = [Block(b.x, np.zeros_like(b.y)) for b in given.blocks]
    with pytest.raises(TrainingError, match="no training rows"):
        fit_over(ours, given.task, blocks)


def test_a_negative_count_is_refused():
    given, ours = case("poisson")
    spoilt = [*given.blocks[:2], replace(given.blocks[2], y=-given.blocks[2].y - 1)]
    with pytest.raises(TrainingError, match="not defined for"):
        fit_over(ours, given.task, spoilt)


@pytest.mark.parametrize(
    "options",
    [
        {"min_samples_leaf": 19},
        {"max_iter": 0},
        {"learning_rate": float("nan")},
        {"growth": "sideways"},
        {"max_bins": 256},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ContractError):
        HistGradientBoostingClassifier(**options)


def test_a_loss_that_does_not_fit_the_target_is_refused():
    given, _ = case("squared_error")
    ours = HistGradientBoostingRegressor(loss="log_loss")
    with pytest.raises(ContractError, match="not one for a regression"):
        fit_over(ours, given.task, given.blocks)
