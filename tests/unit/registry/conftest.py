"""A small model and a record that fits it."""

import dataclasses
from pathlib import Path

import pytest

from fl_plugin.model.canonical import model_digest
from fl_plugin.registry.record_json import record_from_json
from tests.small_models import small_model

SAMPLE = Path(__file__).parents[1] / "report" / "sample_run.json"


@pytest.fixture(scope="session")
def spec():
    return small_model()


@pytest.fixture(scope="session")
def record(spec):
    sample = record_from_json(SAMPLE.read_bytes())
    return dataclasses.replace(sample, version=1, model_digest=model_digest(spec))
