"""A run record survives its file, and nothing else passes for one."""

import dataclasses
import json
import math

import pytest

from fl_plugin.errors import RegistryError
from fl_plugin.registry import record_json
from fl_plugin.registry.record_json import record_from_json, record_to_json


def test_a_record_survives_its_json(record):
    data = record_to_json(record)
    assert record_from_json(data) == record
    assert record_to_json(record_from_json(data)) == data


def test_the_fields_that_the_meshs_tables_read_are_there(record):
    plain = json.loads(record_to_json(record))
    assert plain["schema"] == "run/1"
    assert plain["metrics"]["roc_auc"].keys() == {"value", "low", "high", "resolution"}
    assert plain["bytes"]["up"] == sum(
        d["up"] for d in plain["bytes"]["domains"].values()
    )
    for name in ("run", "study", "version", "created_at", "consumer", "model_digest"):
        assert plain[name]
    assert plain["products"][0]["product"].endswith(".credit_profile")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_never_written(record, value):
    broken = dataclasses.replace(record, seconds={"train": value})
    with pytest.raises(RegistryError, match="not finite"):
        record_to_json(broken)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"surprise": 1}, "surprise"),
        ({"version": "1"}, "version"),
        ({"schema": "run/2"}, "schema"),
        ({"metrics": {"roc_auc": {"value": True}}}, "metrics.roc_auc.value"),
        ({"domains": [{"domain": "x"}]}, "domains.0"),
        ({"run": None}, "run"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(record, change, named):
    plain = {**json.loads(record_to_json(record)), **change}
    with pytest.raises(RegistryError) as caught:
        record_from_json(json.dumps(plain).encode())
    assert f"({named}" in caught.value.problem
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"run": NaN}']
)
def test_what_is_no_record_is_refused(data):
    with pytest.raises(RegistryError, match="not a run record"):
        record_from_json(data)


def test_a_record_that_is_too_large_is_not_parsed(record, monkeypatch):
    monkeypatch.setattr(record_json, "MAX_BYTES", 100)
    with pytest.raises(RegistryError, match="larger"):
        record_from_json(record_to_json(record))
