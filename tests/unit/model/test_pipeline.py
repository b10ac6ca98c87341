"""The assembled pipeline is the one that scikit-learn would have fitted on the rows."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.utils.validation import check_is_fitted

from fl_plugin.errors import TrainingError
from fl_plugin.model.pipeline import (
    CategoricalColumn,
    ModelSpec,
    NumericColumn,
    build_pipeline,
    spec_of,
    unfitted_pipeline,
)

ROWS = 400
CATEGORICAL = (
    CategoricalColumn(name="purpose", categories=("new car", "used car", "repairs")),
    CategoricalColumn(name="has_phone", categories=(False, True)),
    CategoricalColumn(name="instalment", categories=(1, 2, 3)),
)


def pooled_rows() -> tuple[pa.Table, np.ndarray]:
    rng = np.random.default_rng(7)
    amount = rng.lognormal(8, 1, ROWS)
    amount[rng.random(ROWS) < 0.1] = np.nan
    duration = rng.integers(4, 60, ROWS)
    table = pa.table(
        {
            "amount": pa.array(amount, from_pandas=True),
            "duration": pa.array(duration),
            "branch": pa.array(np.full(ROWS, 3.5)),
            "purpose": pa.array(rng.choice(["new car", "used car", "repairs"], ROWS)),
            "has_phone": pa.array(rng.random(ROWS) < 0.4),
            "instalment": pa.array(rng.integers(1, 4, ROWS)),
        }
    )
    labels = rng.random(ROWS) < 1 / (1 + np.exp(-(duration - 30) / 10))
    return table, labels


def blank(table: pa.Table) -> ModelSpec:
    numbers = [
        NumericColumn(name=name, mean=0.0, scale=1.0, n_seen=1)
        for name in ("amount", "duration", "branch")
    ]
    return ModelSpec(
        numeric=tuple(numbers),
        categorical=CATEGORICAL,
        coef=np.zeros(11),
        intercept=0.0,
        l2=0.5,
        n_rounds=1,
        rows=table.num_rows,
    )


@pytest.fixture(scope="module")
def pooled():
    """The rows, their labels and scikit-learn's own fit on them."""
    table, labels = pooled_rows()
    return table, labels, unfitted_pipeline(blank(table)).fit(table, labels)


@pytest.fixture(scope="module")
def spec(pooled):
    """The numbers a federation would hand over, by plain numpy."""
    table, _, fitted = pooled
    numbers = []
    for name in ("amount", "duration", "branch"):
        seen = table[name].to_numpy().astype(float)
        missing = np.isnan(seen)
        mean = seen[~missing].mean()
        variance = np.where(missing, mean, seen).var()
        scale = np.sqrt(variance) or 1.0
        numbers.append(
            NumericColumn(
                name=name,
                mean=mean,
                scale=scale,
                variance=variance,
                n_seen=int((~missing).sum()),
            )
        )
    model = fitted.named_steps["model"]
    return ModelSpec(
        numeric=tuple(numbers),
        categorical=CATEGORICAL,
        coef=model.coef_[0],
        intercept=float(model.intercept_[0]),
        l2=0.5,
        n_rounds=int(model.n_iter_[0]),
        rows=table.num_rows,
    )


def attributes(estimator: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every attribute of an estimator and of those inside it, by its path."""
    for name, value in sorted(vars(estimator).items()):
        yield from leaves(value, f"{path}.{name}")


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "get_params"):
        yield path, type(value)
        yield from attributes(value, path)
    elif isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], f"{path}[{key}]")
    elif isinstance(value, list | tuple):
        yield path, (type(value), len(value))
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def test_every_attribute_is_the_one_a_pooled_fit_sets(pooled, spec):
    expected = dict(attributes(pooled[2]))
    built = dict(attributes(build_pipeline(spec)))
    assert built.keys() == expected.keys()
    assert len(expected) > 80
    for path, value in expected.items():
        assert type(built[path]) is type(value), path
        if isinstance(value, np.ndarray):
            assert built[path].dtype == value.dtype, path
            assert built[path].shape == value.shape, path
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(built[path], value, rtol=1e-12, err_msg=path)
        else:
            np.testing.assert_equal(built[path], value, err_msg=path)


def test_it_predicts_what_the_pooled_fit_predicts(pooled, spec):
    table, _, fitted = pooled
    built = build_pipeline(spec)
    np.testing.assert_allclose(
        built.predict_proba(table), fitted.predict_proba(table), atol=1e-12
    )
    np.testing.assert_allclose(
        built.decision_function(table), fitted.decision_function(table), atol=1e-11
    )
    assert (built.predict(table) == fitted.predict(table)).all()
    assert list(built[:-1].get_feature_names_out()) == list(
        fitted[:-1].get_feature_names_out()
    )


def test_sklearn_tools_take_it_for_a_fitted_pipeline(pooled, spec):
    table, labels, _ = pooled
    built = build_pipeline(spec)
    check_is_fitted(built)
    # scikit-learn permutes data frames of pandas or arrays, so not the table itself.
    importance = permutation_importance(
        built["model"], built[:-1].transform(table), labels, n_repeats=2, random_state=0
    )
    names = list(built[:-1].get_feature_names_out())
    assert importance.importances_mean.argmax() == names.index("numeric__duration")
    assert clone(built).get_params()["model__C"] == 2.0


def test_a_clone_fitted_on_the_rows_comes_back_to_the_same_coefficients(pooled, spec):
    table, labels, _ = pooled
    again = clone(build_pipeline(spec)).fit(table, labels)
    np.testing.assert_allclose(again["model"].coef_[0], spec.coef, atol=1e-12)


def test_a_missing_or_unknown_value_gets_a_prediction(spec):
    row = {
        "amount": pa.array([None], pa.float64()),
        "duration": pa.array([None], pa.int64()),
        "branch": [3.5],
        "purpose": ["boats"],
        "has_phone": pa.array([None], pa.bool_()),
        "instalment": pa.array([None], pa.int64()),
    }
    probability = build_pipeline(spec).predict_proba(pa.table(row))[0, 1]
    assert probability == pytest.approx(1 / (1 + np.exp(-spec.intercept)), abs=1e-12)


def test_columns_may_come_in_any_order_and_with_others_beside_them(pooled, spec):
    table = pooled[0]
    shuffled = table.select(table.column_names[::-1]).append_column(
        "note", pa.array(["x"] * ROWS)
    )
    built = build_pipeline(spec)
    np.testing.assert_array_equal(
        built.predict_proba(shuffled), built.predict_proba(table)
    )


@pytest.mark.parametrize("kept", ["numeric", "categorical"])
def test_a_model_may_have_columns_of_one_kind_only(pooled, spec, kept):
    dropped = "categorical" if kept == "numeric" else "numeric"
    width = 3 if kept == "numeric" else 8
    half = dataclasses.replace(spec, **{dropped: ()}, coef=np.ones(width))
    assert build_pipeline(half).predict_proba(pooled[0]).shape == (ROWS, 2)


def test_no_penalty_is_an_infinite_c(spec):
    free = dataclasses.replace(spec, l2=0.0)
    assert np.isinf(build_pipeline(free)["model"].C)
    assert spec_of(build_pipeline(free)).l2 == 0.0


def test_a_spec_survives_the_pipeline(spec):
    back = spec_of(build_pipeline(spec))
    np.testing.assert_array_equal(back.coef, spec.coef)
    assert back.categorical == spec.categorical
    assert [c.name for c in back.numeric] == [c.name for c in spec.numeric]
    assert (back.l2, back.rows, back.classes) == (spec.l2, spec.rows, spec.classes)


@pytest.mark.parametrize(
    "change",
    [
        {"coef": np.zeros(10)},
        {"coef": np.full(11, np.nan)},
        {"intercept": np.inf},
        {"l2": -1.0},
        {"classes": (True, True)},
        {"numeric": (NumericColumn(name="a", mean=0.0, scale=0.0, n_seen=1),)},
        {"categorical": (CategoricalColumn(name="a", categories=()),)},
        {"categorical": (CategoricalColumn(name="a", categories=("x", "x")),)},
        {"categorical": (CategoricalColumn(name="amount", categories=("x",)),)},
        {"numeric": (), "categorical": (), "coef": np.zeros(0)},
    ],
)
def test_numbers_that_are_no_model_are_refused(spec, change):
    with pytest.raises(TrainingError, match="do not make a model"):
        dataclasses.replace(spec, **change)


def test_a_spec_cannot_be_changed_behind_its_back(spec):
    with pytest.raises(ValueError, match="read-only"):
        spec.coef[0] = 1.0
