"""A record's body is canonical, bounded, and bound to its hash."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fl_plugin.errors import LedgerError
from fl_plugin.ledger import GENESIS, Head
from fl_plugin.ledger.record import canonical, chain, read_record, timestamp

NOW = datetime(2026, 11, 2, 9, 30, 0, 5, tzinfo=UTC)
START = Head(0, GENESIS)


def test_the_hash_is_the_sha256_of_the_canonical_json_of_everything_else(entry):
    record = chain(entry(), previous=START, at=NOW)
    body = {name: getattr(record, name) for name in vars(record) if name != "hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert record.hash == hashlib.sha256(text.encode()).hexdigest()


def test_a_record_holds_every_field_that_governance_asks_for(entry):
    record = chain(entry(), previous=START, at=NOW)
    assert set(json.loads(record.body())) == {
        "sequence", "at", "consumer", "actor", "purpose", "study", "run", "action",
        "product", "version", "columns", "algorithm", "round", "rows_bucket",
        "decision", "rule", "policy", "manifest", "epsilon", "released", "previous",
    }  # fmt: skip


def test_the_first_record_names_the_genesis_hash_and_sequence_one(entry):
    record = chain(entry(), previous=START, at=NOW)
    assert (record.sequence, record.previous) == (1, GENESIS)


def test_a_record_read_back_equals_the_one_written(entry):
    record = chain(entry(round=3, epsilon=0.5), previous=START, at=NOW)
    assert read_record(1, record.body(), record.hash) == record


def test_times_are_utc_with_microseconds_whatever_the_zone():
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    assert timestamp(berlin) == "2026-11-02T09:30:00.000005+00:00"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(LedgerError, match="time zone"):
        timestamp(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "x" * 513},
        {"consumer": 7},
        {"run": None},
        {"version": True},
        {"version": "1"},
        {"epsilon": float("nan")},
        {"epsilon": float("inf")},
        {"columns": "amount"},
        {"columns": (1,)},
        {"columns": ("c" * 513,)},
        {"columns": ("c",) * 4_097},
    ],
)
def test_an_unfit_field_is_refused_by_name_and_never_by_value(entry, change):
    (name,) = change
    with pytest.raises(LedgerError, match=name) as caught:
        chain(entry(**change), previous=START, at=NOW)
    assert "xxx" not in caught.value.problem


def test_the_longest_fields_that_are_allowed_are_read_back(entry):
    longest = entry(actor="x" * 512, columns=("c" * 512,) * 4_096)
    record = chain(longest, previous=START, at=NOW)
    assert read_record(1, record.body(), record.hash) == record


def forged(body: dict[str, object]) -> tuple[str, str]:
    text = canonical(body)
    return text, hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 2},
        {"sequence": "1"},
        {"at": "yesterday"},
        {"at": "2026-11-02T09:30:00"},
        {"columns": 5},
        {"actor": None},
        {"unknown": 1},
    ],
)
def test_a_forged_body_with_a_fitting_hash_is_still_not_read(entry, change):
    body = json.loads(chain(entry(), previous=START, at=NOW).body()) | change
    with pytest.raises(LedgerError, match="record 1 was altered"):
        read_record(1, *forged(body))


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 200_000, "null", "\udcff"])
def test_a_body_that_is_no_record_is_an_error_without_a_traceback(body):
    text = body.encode("utf-8", "surrogateescape")
    with pytest.raises(LedgerError):
        read_record(1, body, hashlib.sha256(text).hexdigest())


@pytest.mark.parametrize("body", [b"{}", 5, None])
def test_a_body_that_is_not_text_is_not_read(body):
    with pytest.raises(LedgerError):
        read_record(1, body, GENESIS)
