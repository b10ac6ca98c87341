"""`fl audit`, over real ledgers."""

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
