"""The assembled pipeline is the one that scikit-learn would have fitted on the rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from fl_plugin.errors import RegistryError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.model.pipeline import build_pipeline, model_of, unfitted_pipeline
from fl_plugin.model.transformers import fitted, unfitted
from tests.preparing import (
    PURPOSES,
    parts_of,
    prepare_over,
    schema_of,
    some_rows,
    table_of,
)

ROWS = some_rows()
TABLE = table_of(ROWS)


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


def assert_same(built: dict[str, Any], pooled: dict[str, Any], *, exact: bool) -> None:
    assert built.keys() == pooled.keys()
    assert len(pooled) > 60
    for path, value in pooled.items():
        assert type(built[path]) is type(value), path
        if isinstance(value, np.ndarray):
            assert built[path].dtype == value.dtype, path
            assert built[path].shape == value.shape, path
        number = isinstance(value, float | np.ndarray) and (
            np.asarray(value).dtype.kind == "f"
        )
        if number and not exact:
            np.testing.assert_allclose(
                built[path], value, rtol=1e-12, atol=0, err_msg=path
            )
        else:
            np.testing.assert_equal(built[path], value, err_msg=path)


MORE = [
    {},
    {"indicators": True},
    {"min_count": 40},
    {"categorical": "ordinal"},
    {"categorical": "ordinal", "min_count": 40, "indicators": True},
    {"min_count": 1_000},
    {"categorical": "ordinal", "min_count": 1_000},
]


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("numeric", ["standard", "robust", "none"])
@pytest.mark.parametrize("impute", ["mean", "median", "constant"])
@pytest.mark.parametrize("more", MORE)
def test_every_attribute_is_the_one_a_pooled_fit_sets(numeric, impute, more):
    plan = PreparationPlan(
        numeric=numeric, impute=impute, edges="exact", fill_value=2.5, **more
    )
    found = prepare_over(schema_of(edges="exact"), plan, parts_of(ROWS))
    pooled = unfitted(found).fit(TABLE)
    exact = numeric != "standard" and impute != "mean"
    built = fitted(found)
    assert_same(dict(attributes(built)), dict(attributes(pooled)), exact=exact)
    ours, theirs = built.transform(TABLE), pooled.transform(TABLE)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        ours, found.design_block(ROWS).x.T, rtol=1e-12, atol=1e-12
    )
    assert list(built.get_feature_names_out()) == list(pooled.get_feature_names_out())


@pytest.mark.parametrize("numeric", ["standard", "robust", "none"])
@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
def test_a_tree_gets_what_a_pooled_fit_would_give_it(numeric, categorical):
    plan = PreparationPlan(numeric=numeric, edges="exact", categorical=categorical)
    found = prepare_over(schema_of("bins", edges="exact"), plan, parts_of(ROWS))
    pooled = unfitted(found).fit(TABLE)
    built = fitted(found)
    exact = numeric != "standard"
    assert_same(dict(attributes(built)), dict(attributes(pooled)), exact=exact)
    np.testing.assert_allclose(
        built.transform(TABLE), pooled.transform(TABLE), rtol=1e-9, atol=1e-12
    )


def test_a_missing_value_stays_missing_for_a_tree_and_so_does_an_unknown_code():
    found = prepare_over(schema_of("bins"), PreparationPlan(), parts_of(ROWS))
    made = fitted(found).transform(TABLE)
    np.testing.assert_array_equal(np.isnan(made[:, 0]), np.isnan(ROWS.numeric[0]))
    np.testing.assert_array_equal(np.isnan(made[:, 4]), ROWS.codes[0] < 0)


def test_the_pipeline_predicts_what_a_pooled_fit_predicts(fit):
    rows, model = fit("logistic_regression", {"l2": 0.5})
    table = table_of(rows)
    pooled = unfitted_pipeline(model).set_params(model__tol=1e-12)
    pooled.fit(table, rows.target > 0)
    built = build_pipeline(model)
    np.testing.assert_allclose(
        built.predict_proba(table), pooled.predict_proba(table), atol=1e-9
    )
    check_is_fitted(built)
    importance = permutation_importance(
        built["model"],
        built[:-1].transform(table),
        rows.target > 0,
        n_repeats=2,
        random_state=0,
    )
    names = list(built[:-1].get_feature_names_out())
    assert importance.importances_mean.argmax() == names.index("numeric__age")
    assert clone(built).get_params()["model__C"] == 2.0


EVERY = [
    "bernoulli_nb",
    "gaussian_nb",
    "hist_gradient_boosting_classifier",
    "kmeans",
    "linear_regression",
    "logistic_regression",
    "multinomial_logistic_regression",
    "pca",
    "poisson_regression",
]


@pytest.mark.parametrize("name", EVERY)
def test_a_model_survives_its_pipeline(fit, name):
    _, model = fit(name)
    back = model_of(build_pipeline(model))
    assert back.arrays.keys() == model.arrays.keys()
    for key, array in model.arrays.items():
        np.testing.assert_array_equal(back.arrays[key], array, err_msg=key)
    assert back.facts() == model.facts()
    assert back.task.seed == 5
    assert back.names[0] == "amount"


@pytest.mark.parametrize("name", EVERY)
def test_the_pipeline_says_what_the_algorithm_says(fit, name):
    rows, model = fit(name)
    block = model.prepared.design_block(rows)
    if model.target.kind == "none":
        return
    expected = model.learner().predict(model.arrays, model.task, block)
    built = build_pipeline(model)
    table = table_of(rows)
    if model.target.kind == "binary":
        found = built.predict_proba(table)[:, 1]
    elif model.target.kind == "multiclass":
        found = built.predict_proba(table)
    else:
        found = built.predict(table)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_a_missing_or_unknown_value_gets_a_prediction(fit):
    for words in ({}, {"min_count": 40}, {"categorical": "ordinal"}):
        _, model = fit("logistic_regression", **words)
        row = {
            "amount": pa.array([None], pa.float64()),
            "age": pa.array([None], pa.int64()),
            "income": pa.array([None], pa.float64()),
            "branch": [3.5],
            "purpose": ["spaceship"],
            "phone": pa.array([None], pa.bool_()),
            "rate": pa.array([None], pa.int64()),
        }
        chance = build_pipeline(model).predict_proba(pa.table(row))
        assert chance.shape == (1, 2)
        assert np.isfinite(chance).all()


def test_columns_may_come_in_any_order_and_with_others_beside_them(fit):
    rows, model = fit("logistic_regression")
    table = table_of(rows)
    shuffled = table.select(table.column_names[::-1]).append_column(
        "note", pa.array(["x"] * rows.rows)
    )
    built = build_pipeline(model)
    np.testing.assert_array_equal(
        built.predict_proba(shuffled), built.predict_proba(table)
    )


@pytest.mark.parametrize(
    "pipeline",
    [
        Pipeline([("prepare", "passthrough"), ("model", "passthrough")]),
        Pipeline([("model", "passthrough")]),
    ],
)
def test_a_pipeline_of_somebody_else_is_refused(pipeline):
    with pytest.raises(RegistryError):
        model_of(pipeline)
    pipeline.mesh_facts_ = "{}"
    with pytest.raises(RegistryError):
        model_of(pipeline)


def test_infrequent_categories_share_a_column():
    plan = PreparationPlan(min_count=40)
    found = prepare_over(schema_of(), plan, parts_of(ROWS))
    encoder = fitted(found).named_transformers_["categorical"]
    assert encoder.infrequent_categories_[0].tolist() == list(PURPOSES[3:])
    assert encoder.min_frequency == 40
