"""A run record survives its file, and nothing else passes for one."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from fl_plugin.errors import RegistryError
from fl_plugin.registry import record_json
from fl_plugin.registry import run_record as rec
from fl_plugin.registry.record_json import record_from_json, record_to_json

SAMPLE = Path(__file__).parents[1] / "report" / "sample_run.json"


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


def test_a_record_of_before_is_read_with_todays_defaults(record):
    old = SAMPLE.read_text()
    for word in (
        "target_kind",
        "confusion_matrix",
        "signed_keys",
        "progress",
        "search",
    ):
        assert f'"{word}"' not in old
    assert (record.target_kind, record.main, record.better) == (
        "binary",
        "roc_auc",
        "higher",
    )
    assert record.groups == record.ranking == record.importances == ()
    assert record.search is None
    assert record.rounds[0].loss is not None
    assert record.domains[0].measure == "roc_auc"
    assert record.privacy.signed_keys is None


def test_everything_that_a_record_may_hold_is_read_back(record):
    full = dataclasses.replace(
        record,
        target_kind="multiclass",
        classes=("a", True, 3),
        confusion_matrix=((1, 2, 0), (0, 3, 1), (0, 0, 9)),
        class_results=(
            rec.ClassResult(name="a", support=3, precision=None, recall=0.5, f1=0.1),
        ),
        groups=(
            rec.Fairness(
                column="sex",
                groups=(
                    rec.GroupResult(group=None, share=None, figures={"mae": None}),
                ),
                figures={"accuracy_difference": 0.1},
            ),
        ),
        importances=(rec.Importance(name="age", value=0.1),),
        search=rec.Search(
            method="grid",
            measure="log_loss",
            better="lower",
            candidates=(rec.Candidate(parameters={"l2": 1.0}, mean=0.5, chosen=True),),
        ),
        rounds=(
            rec.RoundRecord(
                round=1, bytes_up=1, bytes_down=2, seconds=0.5, progress={"trees": 3.0}
            ),
        ),
        notes=("an empty cluster",),
        main="log_loss",
        better="lower",
    )
    read = record_from_json(record_to_json(full))
    assert read == full
