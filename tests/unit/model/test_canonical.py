"""A digest is of the numbers: equal numbers agree, any other number does not."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from fl_plugin.errors import RegistryError
from fl_plugin.model.canonical import (
    MAGIC,
    canonical_bytes,
    model_digest,
    pipeline_digest,
)
from fl_plugin.model.pipeline import build_pipeline


@pytest.fixture(scope="module")
def model(fit):
    return fit("logistic_regression", indicators=True, min_count=40)[1]


def test_the_bytes_are_a_header_and_little_endian_numbers(model):
    data = canonical_bytes(model)
    assert data.startswith(MAGIC)
    body = data[len(MAGIC) :]
    size = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + size])
    assert header["algorithm"] == "logistic_regression"
    assert [name for name, *_ in header["arrays"]] == sorted(model.arrays)
    place = 8 + size
    for name, dtype, shape in header["arrays"]:
        count = int(np.prod(shape))
        found = np.frombuffer(body, dtype, count, place).reshape(shape)
        np.testing.assert_array_equal(found, model.arrays[name])
        place += found.nbytes
    assert place == len(body)
    assert model_digest(model) == "sha256:" + hashlib.sha256(data).hexdigest()


def changed(array):
    array = array.copy().astype(float)
    array.flat[0] = np.nextafter(array.flat[0], np.inf)
    return array


@pytest.mark.parametrize(
    "name", ["fills", "means", "variances", "centers", "scales", "present"]
)
def test_any_number_of_the_preparation_changes_the_digest(model, name):
    array = getattr(model.prepared, name)
    other = array - 1 if name == "present" else changed(array)
    prepared = dataclasses.replace(model.prepared, **{name: other})
    assert model_digest(dataclasses.replace(model, prepared=prepared)) != model_digest(
        model
    )


def test_any_fact_of_the_preparation_changes_the_digest(model):
    prepared = model.prepared
    counts = tuple(c - 1 for c in prepared.category_counts)
    schema = prepared.schema
    swapped = dataclasses.replace(schema, features=schema.features[::-1])
    digests = {model_digest(model)}
    for change in (
        {"rows": prepared.rows + 1},
        {"class_counts": prepared.class_counts[::-1]},
        {"target_mean": 0.25},
        {"category_counts": counts},
        {"schema": swapped},
        {"recipe": dataclasses.replace(prepared.recipe, min_count=41)},
    ):
        other = dataclasses.replace(prepared, **change)
        digests.add(model_digest(dataclasses.replace(model, prepared=other)))
    assert len(digests) == 7


def test_any_number_of_the_algorithm_changes_the_digest(model):
    digests = {model_digest(model)}
    for name, array in model.arrays.items():
        arrays = {**model.arrays, name: changed(array)}
        digests.add(model_digest(dataclasses.replace(model, arrays=arrays)))
    digests.add(
        model_digest(
            dataclasses.replace(model, parameters={**model.parameters, "l2": 0.8})
        )
    )
    for change in ({"seed": 6}, {"parties": 4}):
        digests.add(model_digest(dataclasses.replace(model, **change)))
    assert len(digests) == len(model.arrays) + 4


def test_negative_zero_is_zero(model):
    zero, minus = (
        dataclasses.replace(model, arrays={**model.arrays, "x": np.array([value])})
        for value in (0.0, -0.0)
    )
    assert model_digest(zero) == model_digest(minus)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("logistic_regression", {}),
        ("logistic_regression", {"numeric": "robust", "categorical": "ordinal"}),
        ("hist_gradient_boosting_classifier", {}),
        ("kmeans", {"impute": "median"}),
        ("gaussian_nb", {"numeric": "none", "indicators": True}),
    ],
)
def test_a_pipeline_has_its_models_digest(fit, name, words):
    _, model = fit(name, **words)
    assert pipeline_digest(build_pipeline(model)) == model_digest(model)


def shift(pipeline, step, attribute):
    numeric = pipeline["prepare"].named_transformers_["numeric"]
    array = getattr(numeric[step], attribute).copy()
    array[-1] += 0.1
    setattr(numeric[step], attribute, array)


@pytest.mark.parametrize(
    ("step", "attribute"),
    [("impute", "statistics_"), ("scale", "mean_"), ("scale", "scale_")],
)
def test_a_pipeline_whose_transformers_were_changed_has_no_digest(
    model, step, attribute
):
    pipeline = build_pipeline(model)
    shift(pipeline, step, attribute)
    with pytest.raises(RegistryError):
        pipeline_digest(pipeline)


def test_a_pipeline_whose_estimator_was_changed_has_another_digest(model):
    pipeline = build_pipeline(model)
    pipeline["model"].coef_[0, 0] += 1e-12
    assert pipeline_digest(pipeline) != model_digest(model)
