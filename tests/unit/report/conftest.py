"""A record made by a test from a public data set; no real run stands behind it."""

import dataclasses
from pathlib import Path

import pytest

from fl_plugin.registry.record_json import record_from_json


@pytest.fixture(scope="session")
def run():
    path = Path(__file__).with_name("sample_run.json")
    return record_from_json(path.read_bytes())


@pytest.fixture(scope="session")
def bare(run):
    """A record with everything left out that may be."""
    return dataclasses.replace(
        run,
        rounds=(),
        metrics={},
        cross_validation=None,
        domains=(),
        baselines={},
        curves=type(run.curves)(),
        confusion=None,
        coefficients=(),
        certificate=None,
        left_domain=(),
        seconds={},
        audit_heads={},
        software={},
        evaluation={},
        preparation=type(run.preparation)(),
        label="",
        description="",
        owner="",
    )
