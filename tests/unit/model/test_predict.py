"""What a prediction looks like, for every kind of target."""

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin.errors import UsageError
from fl_plugin.model.pipeline import build_pipeline
from fl_plugin.model.predict import predict
from tests.preparing import table_of

COLUMNS = {
    "logistic_regression": {"score": "double", "predicted": "bool"},
    "multinomial_logistic_regression": {
        "predicted": "string",
        "score_high": "double",
        "score_low": "double",
        "score_middle": "double",
    },
    "hist_gradient_boosting_classifier": {"score": "double", "predicted": "bool"},
    "poisson_regression": {"predicted": "double"},
    "linear_regression": {"predicted": "double"},
    "kmeans": {"cluster": "int64"},
    "pca": {"component_1": "double", "component_2": "double"},
}


@pytest.mark.parametrize("name", COLUMNS)
def test_each_kind_of_target_has_its_columns(fit, name):
    rows, model = fit(name)
    table = table_of(rows).append_column("note", pa.array(["x"] * rows.rows))
    found = predict(build_pipeline(model), table)
    assert found.column_names[:8] == table.column_names
    told = {n: str(found[n].type) for n in found.column_names[8:]}
    assert told.items() >= COLUMNS[name].items()
    assert found.num_rows == rows.rows
    empty = predict(build_pipeline(model), table.slice(0, 0))
    assert empty.num_rows == 0
    assert empty.schema == found.schema


def test_the_threshold_decides_what_is_predicted(fit):
    rows, model = fit("logistic_regression")
    table, pipeline = table_of(rows), build_pipeline(model)
    found = predict(pipeline, table, threshold=0.7)
    np.testing.assert_array_equal(found["predicted"], found["score"].to_numpy() > 0.7)


def test_the_class_with_the_highest_score_is_predicted(fit):
    rows, model = fit("multinomial_logistic_regression")
    found = predict(build_pipeline(model), table_of(rows))
    classes = model.target.classes
    scores = np.stack([found[f"score_{c}"].to_numpy() for c in classes])
    assert found["predicted"].to_pylist() == [classes[i] for i in scores.argmax(0)]


def test_numbers_of_another_type_are_read_as_numbers(fit):
    rows, model = fit("logistic_regression")
    table, pipeline = table_of(rows), build_pipeline(model)
    place = table.column_names.index("age")
    whole = table.set_column(place, "age", table["age"].cast(pa.int32()))
    assert predict(pipeline, whole)["score"] == predict(pipeline, table)["score"]


def test_an_older_prediction_is_replaced(fit):
    rows, model = fit("logistic_regression")
    once = predict(build_pipeline(model), table_of(rows))
    assert predict(build_pipeline(model), once).column_names == once.column_names


def test_a_missing_column_is_named(fit):
    rows, model = fit("logistic_regression")
    with pytest.raises(UsageError, match="age"):
        predict(build_pipeline(model), table_of(rows).drop_columns("age"))


def test_a_column_of_words_for_numbers_is_named(fit):
    rows, model = fit("logistic_regression")
    table = table_of(rows)
    place = table.column_names.index("age")
    wrong = table.set_column(place, "age", pa.array(["old"] * rows.rows))
    with pytest.raises(UsageError, match="age"):
        predict(build_pipeline(model), wrong)
