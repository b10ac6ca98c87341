"""A digest is of the numbers: equal numbers agree, any other number does not."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from fl_plugin.model.canonical import (
    MAGIC,
    canonical_bytes,
    model_digest,
    pipeline_digest,
)
from fl_plugin.model.pipeline import (
    CategoricalColumn,
    ModelSpec,
    NumericColumn,
    build_pipeline,
)

SPEC = ModelSpec(
    numeric=(NumericColumn(name="amount", mean=2.5, scale=0.5, n_seen=90),),
    categorical=(CategoricalColumn(name="phone", categories=(False, True)),),
    coef=np.array([0.1, -0.2, 0.0]),
    intercept=-1.0,
    l2=0.7,
    n_rounds=5,
    rows=100,
)


def test_the_bytes_are_a_header_and_little_endian_doubles():
    data = canonical_bytes(SPEC)
    assert data.startswith(MAGIC)
    body = data[len(MAGIC) :]
    size = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + size])
    values = np.frombuffer(body[8 + size :], dtype="<f8")
    assert header["numeric"] == ["amount"]
    assert sum(count for _, count in header["arrays"]) == values.size
    assert values.tolist() == [0.1, -0.2, 0.0, -1.0, 1 / 0.7, 2.5, 0.5, 0.25]
    assert model_digest(SPEC) == "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"coef": np.array([0.1, -0.2, 1e-300])},
        {"intercept": np.nextafter(-1.0, 0.0)},
        {"l2": 0.8},
        {"n_rounds": 6},
        {"rows": 101},
        {"classes": (0, 1)},
        {"numeric": (NumericColumn(name="Amount", mean=2.5, scale=0.5, n_seen=90),)},
        {"categorical": (CategoricalColumn(name="phone", categories=(0, 1)),)},
        {"categorical": (CategoricalColumn(name="phone", categories=(True, False)),)},
    ],
)
def test_any_change_changes_the_digest(change):
    assert model_digest(dataclasses.replace(SPEC, **change)) != model_digest(SPEC)


def test_negative_zero_is_zero():
    minus = dataclasses.replace(SPEC, coef=np.array([0.1, -0.2, -0.0]))
    assert model_digest(minus) == model_digest(SPEC)


@pytest.mark.parametrize("l2", [0.0, 0.7, 3.0, 1 / 3, 1e-4, 49.0])
def test_a_pipeline_has_its_specs_digest_whatever_the_penalty(l2):
    spec = dataclasses.replace(SPEC, l2=l2)
    assert pipeline_digest(build_pipeline(spec)) == model_digest(spec)


def test_a_model_without_numeric_columns_has_its_specs_digest():
    spec = dataclasses.replace(SPEC, numeric=(), coef=np.array([1.0, 2.0]))
    assert pipeline_digest(build_pipeline(spec)) == model_digest(spec)
