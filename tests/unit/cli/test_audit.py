"""`fl audit`, over real ledgers."""

import hashlib
import json
import sqlite3

import pytest

from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger

ENTRY = AuditEntry(
    action="decide",
    decision="allowed",
    consumer="ml_coe",
    actor="somebody",
    purpose="credit_risk",
    study="credit_risk",
    run="r1",
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "mesh_policy.yml").touch()
    for domain in ("lending", "savings"):
        (tmp_path / "domains" / domain).mkdir(parents=True)
        (tmp_path / "domains" / domain / "node.yml").touch()
    with Ledger.open(ledger(tmp_path)) as book:
        book.append(ENTRY)
        book.append(ENTRY)
    return tmp_path


def ledger(root):
    return root / "domains" / "lending" / "ledger" / "ledger.sqlite"


def alter(root):
    with sqlite3.connect(ledger(root)) as book:
        for (name,) in book.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            book.execute(f"drop trigger {name}")
        book.execute("update audit set body = replace(body, 'allowed', 'refused')")
    book.close()


def test_records_are_shown_for_each_domain_that_has_any(fl, root):
    answer = fl("audit", "show", "--project", str(root))
    assert answer.code == 0
    assert "# lending" in answer.out
    assert "# savings" not in answer.out
    assert answer.out.count("\tdecide\tallowed\t") == 2


def test_only_the_newest_records_are_shown_when_asked(fl, root):
    answer = fl("audit", "show", "--last", "1", "--json", "--project", str(root))
    assert [r["sequence"] for r in answer.json["domains"]["lending"]] == [2]


def test_sound_ledgers_verify_and_one_not_begun_is_no_fault(fl, root):
    answer = fl("audit", "verify", "--json", "--project", str(root))
    assert answer.code == 0
    assert answer.json["ok"] is True
    found = {d["domain"]: d["ledger"] for d in answer.json["domains"]}
    assert found == {"lending": "sound", "savings": "not begun"}


def test_an_altered_ledger_exits_with_seven_after_showing_every_domain(fl, root):
    alter(root)
    answer = fl("audit", "verify", "--project", str(root))
    assert answer.code == 7
    assert "lending\tbroken\t" in answer.out
    assert "savings\tnot begun" in answer.out
    assert answer.err.startswith("error: lending: Audit record 1")


def test_a_damaged_ledger_hides_no_other_domain(fl, root):
    ledger(root).write_bytes(b"no ledger at all" * 500)
    answer = fl("audit", "verify", "--json", "--project", str(root))
    assert answer.code == 7
    assert answer.json["ok"] is False
    assert answer.json["error"]["code"] == "ledger"
    assert [d["domain"] for d in answer.json["domains"]] == ["lending", "savings"]


def test_a_wrong_domain_is_answered_with_the_one_that_was_meant(fl, root):
    answer = fl("audit", "verify", "--domain", "lendin", "--project", str(root))
    assert answer.code == 2
    assert "Did you mean lending?" in answer.err


def test_the_audit_is_exported_a_record_a_line_with_its_domain(fl, root):
    answer = fl("audit", "export", "--project", str(root))
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert answer.code == 0
    assert [(x["domain"], x["sequence"]) for x in lines] == [
        ("lending", 1),
        ("lending", 2),
    ]


def test_an_exported_line_without_domain_and_hash_is_what_was_hashed(fl, root):
    answer = fl("audit", "export", "--project", str(root))
    for line in map(json.loads, answer.out.splitlines()):
        stored, _ = line.pop("hash"), line.pop("domain")
        body = json.dumps(line, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(body.encode()).hexdigest() == stored


def test_the_audit_is_exported_as_run_events(fl, root):
    answer = fl(
        "audit", "export", "--format", "openlineage", "--json", "--project", str(root)
    )
    events = answer.json["lines"]
    assert [e["eventType"] for e in events] == ["START", "COMPLETE"]
    assert {e["job"]["name"] for e in events} == {"credit_risk"}


def test_an_export_goes_whole_into_a_file(fl, root, tmp_path):
    file = tmp_path / "audit.jsonl"
    answer = fl("audit", "export", "--output", str(file), "--project", str(root))
    assert answer.code == 0
    assert len(file.read_text().splitlines()) == 2
    assert "lines\t2\n" in answer.out
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("since", "records"), [("2026-01-01", 2), ("2999-01-01T00:00+01:00", 0)]
)
def test_an_export_begins_when_asked(fl, root, since, records):
    answer = fl("audit", "export", "--since", since, "--project", str(root))
    assert answer.code == 0
    assert len(answer.out.splitlines()) == records


def test_a_time_that_is_none_is_a_wrong_word(fl, root):
    answer = fl("audit", "export", "--since", "yesterday", "--project", str(root))
    assert answer.code == 2
    assert "2026-11-02" in answer.err


@pytest.mark.parametrize("form", ["jsonl", "openlineage"])
def test_a_broken_ledger_is_not_exported(fl, root, tmp_path, form):
    alter(root)
    file = tmp_path / "audit.jsonl"
    words = ["--format", form, "--output", str(file), "--project", str(root)]
    answer = fl("audit", "export", *words)
    assert answer.code == 7
    assert "lending" in answer.err
    assert not file.exists()
