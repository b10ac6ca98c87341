"""The audit as OpenLineage events: valid, complete, and right about how runs ended."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema  # type: ignore[import-untyped] # it has no stubs
import pytest

from fl_plugin.ledger import Ledger, event_lines, run_events
from fl_plugin.ledger.openlineage import run_uuid

RULES = Path(__file__).parents[2] / "data" / "openlineage_run_event.schema.json"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def events(tmp_path, entry):
    """Return the maker of events of `(domain, changes of an entry)`, a second each."""

    def make(*lines, **words):
        ledgers = {}
        for second, (domain, changes) in enumerate(lines):
            if domain not in ledgers:
                ledgers[domain] = Ledger.open(tmp_path / domain / "ledger.sqlite")
            at = NOON + timedelta(seconds=second)
            ledgers[domain].append(entry(**changes), now=at)
        found = run_events({d: book.show() for d, book in ledgers.items()}, **words)
        for book in ledgers.values():
            book.close()
        return found

    return make


def run_of(*domains, end=True, **changes):
    """Return the lines of a run: everybody decides and opens, releases and closes."""
    actions = ["decide", "open", "release", *(["close"] if end else [])]
    return [(d, {"action": a, **changes}) for a in actions for d in domains]


def kinds(found):
    return [event["eventType"] for event in found]


def validate(found):
    checker = jsonschema.Draft202012Validator(json.loads(RULES.read_text()))
    for line in event_lines(found):
        checker.validate(json.loads(line))


REFUSED = {"decision": "refused", "action": "refuse"}
CASES = {
    "a whole run": run_of("a", "b"),
    "a refusal": [("a", {**REFUSED, "rule": "grant.expired"})],
    "a failure": [*run_of("a", end=False), ("a", {**REFUSED, "rule": "storage"})],
    "a record of no run and no study": [
        ("a", {"run": "", "study": "", "product": "", "action": "retention"})
    ],
    "a product without a version": [("a", {"version": None})],
    "epsilon, rounds and releases": [
        ("a", {"round": 3, "rows_bucket": "500", "released": "sha256:0c"})
    ],
    "hostile names": [
        ("a", {"study": "a\x1b[2J\n'\"", "columns": ('"; drop--', "\u202e")})
    ],
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_event_is_one_that_openlineage_knows(case, events):
    found = events(*CASES[case])
    assert found
    validate(found)


def test_the_rules_refuse_an_event_without_what_openlineage_requires(events):
    (first, *_) = events(*CASES["a whole run"])
    for word in ("eventTime", "producer", "schemaURL", "run", "job"):
        broken = {k: v for k, v in first.items() if k != word}
        with pytest.raises(jsonschema.ValidationError):
            validate([broken])
    del first["inputs"][0]["facets"]["schema"]["_producer"]
    with pytest.raises(jsonschema.ValidationError):
        validate([first])


def test_a_run_over_several_domains_starts_once_and_ends_once(events):
    found = events(*run_of("a", "b", "c"))
    assert len(found) == 12
    assert kinds(found) == ["START", *["RUNNING"] * 10, "COMPLETE"]
    assert len({event["run"]["runId"] for event in found}) == 1


def test_a_run_that_one_domain_never_closed_has_no_end(events):
    found = events(*run_of("a", "b")[:-1])
    assert kinds(found) == ["START", *["RUNNING"] * 6]


def test_a_plan_that_everybody_allowed_is_complete(events):
    found = events(("a", {"action": "decide"}), ("b", {"action": "decide"}))
    assert kinds(found) == ["START", "COMPLETE"]


@pytest.mark.parametrize(
    ("rule", "ending"),
    [
        ("grant.expired", "ABORT"),
        ("clock.moved_back", "ABORT"),
        ("refused", "ABORT"),
        ("", "ABORT"),
        ("storage", "FAIL"),
        ("training", "FAIL"),
        ("error", "FAIL"),
    ],
)
def test_a_rule_aborts_a_run_and_an_error_fails_it(rule, ending, events):
    found = events(*run_of("a", end=False), ("a", {**REFUSED, "rule": rule}))
    assert kinds(found) == ["START", "RUNNING", "RUNNING", ending]
    told = found[-1]["run"]["facets"]["errorMessage"]
    assert told["message"] == (rule or "refused")
    assert all("errorMessage" not in e["run"]["facets"] for e in found[:-1])


def test_a_refusal_alone_starts_and_aborts(events):
    found = events(("a", {**REFUSED, "rule": "grant.missing"}))
    assert kinds(found) == ["START", "ABORT"]


def test_a_run_stays_aborted_though_other_domains_close_after_the_refusal(events):
    lines = [("b", {"action": "open"}), ("a", {**REFUSED, "rule": "grant.expired"})]
    found = events(*lines, ("b", {"action": "close"}))
    assert kinds(found) == ["START", "RUNNING", "ABORT"]
    assert found[-1]["run"]["facets"]["errorMessage"]["message"] == "grant.expired"


def test_job_dataset_and_facets_say_what_the_record_says(events, entry, tmp_path):
    (first, _) = events(("a", {"round": 2, "rows_bucket": "500"}))
    with Ledger.open(tmp_path / "a" / "ledger.sqlite") as book:
        (record,) = book.show()
    assert (first["job"]["namespace"], first["job"]["name"]) == (
        "data-mesh",
        "credit_risk",
    )
    (dataset,) = first["inputs"]
    assert dataset["namespace"] == "data-mesh/consumer_banking"
    assert dataset["name"] == "credit_profile"
    fields = dataset["facets"]["schema"]["fields"]
    assert [f["name"] for f in fields] == list(record.columns)
    assert dataset["facets"]["version"]["datasetVersion"] == "1"
    assert dataset["facets"]["mesh_contract"]["policy"] == record.policy
    audit = first["run"]["facets"]["mesh_audit"]
    assert audit["ledgerSequence"] == record.sequence
    assert audit["ledgerHash"] == record.hash
    assert audit["ledgerPrevious"] == record.previous
    assert (audit["domain"], audit["decision"], audit["round"]) == ("a", "allowed", 2)
    assert audit["rowsBucket"] == "500"


def test_a_spent_epsilon_is_in_the_event(tmp_path, entry):
    spent = entry(action="open", epsilon=0.5)
    with Ledger.open(tmp_path / "ledger.sqlite") as book:
        with book.transaction() as tx:
            tx.append(spent)
            tx.spend("ml_coe", "credit_risk", 0.5, 4.0)
        (event,) = run_events({"a": book.show()})
    assert event["run"]["facets"]["mesh_audit"]["epsilon"] == 0.5


def test_a_run_has_the_same_id_wherever_it_is_exported(events):
    (first, *_) = events(*run_of("a"))
    assert first["run"]["runId"] == run_uuid("data-mesh", "run-1")
    assert run_uuid("data-mesh", "run-2") != run_uuid("data-mesh", "run-1")
    assert run_uuid("other-mesh", "run-1") != run_uuid("data-mesh", "run-1")


def test_no_name_of_a_run_makes_it_the_run_of_a_lone_record(events):
    lone, named = {"run": ""}, {"run": "a/1"}
    found = events(("a", lone), ("a", named), ("a", {"run": "a\x001"}))
    assert len({event["run"]["runId"] for event in found}) == 3


def test_since_leaves_out_events_and_not_what_they_are(events):
    found = events(*run_of("a"), since=NOON + timedelta(seconds=2))
    assert kinds(found) == ["RUNNING", "COMPLETE"]


def test_events_of_several_runs_come_in_order_of_time(events):
    lines = [("a", {"run": r, "action": "decide"}) for r in ("x", "y", "x", "y")]
    found = events(*lines)
    times = [event["eventTime"] for event in found]
    assert times == sorted(times)
    assert kinds(found) == ["START", "START", "COMPLETE", "COMPLETE"]
