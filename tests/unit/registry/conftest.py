"""A small model and a record that fits it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fl_plugin.model.canonical import model_digest
from fl_plugin.model.pipeline import CategoricalColumn, ModelSpec, NumericColumn
from fl_plugin.registry.record_json import record_from_json

SAMPLE = Path(__file__).parents[1] / "report" / "sample_run.json"


@pytest.fixture(scope="session")
def spec():
    return ModelSpec(
        numeric=(NumericColumn(name="amount", mean=2.5, scale=0.5, n_seen=90),),
        categorical=(CategoricalColumn(name="phone", categories=(False, True)),),
        coef=np.array([0.1, -0.2, 0.2]),
        intercept=-1.0,
        l2=1.0,
        n_rounds=5,
        rows=100,
    )


@pytest.fixture(scope="session")
def record(spec):
    sample = record_from_json(SAMPLE.read_bytes())
    return dataclasses.replace(sample, version=1, model_digest=model_digest(spec))
