"""`fl retention apply`, as it answers."""

import os
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def root(tmp_path):
    mesh = tmp_path / "mesh"
    folder = mesh / "domains" / "lending"
    (folder / "outbox").mkdir(parents=True)
    (mesh / "mesh_policy.yml").touch()
    (folder / "node.yml").touch()
    old = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    file = folder / "outbox" / ".events.jsonl-a1b2c3d4"
    file.write_text("x")
    os.utime(file, (old, old))
    return mesh


def aside(root):
    return root / "domains/lending/outbox/.events.jsonl-a1b2c3d4"


def test_a_dry_run_shows_what_would_go_and_removes_nothing(fl, root):
    answer = fl("retention", "apply", "--dry-run", "--project", str(root))
    assert answer.code == 0
    assert "# Would go" in answer.out
    assert "intermediate\tdomains/lending/outbox/.events.jsonl-a1b2c3d4" in answer.out
    assert aside(root).exists()


def test_what_is_over_goes_and_is_told_with_its_domain(fl, root):
    answer = fl("retention", "apply", "--project", str(root))
    assert answer.code == 0
    assert answer.out.splitlines()[-1].endswith("\tlending")
    assert not aside(root).exists()
    assert "Nothing is over." in fl("retention", "apply", "--project", str(root)).out


def test_programs_get_one_object(fl, root):
    answer = fl("retention", "apply", "--json", "--project", str(root))
    (gone,) = answer.json["expired"]
    assert (gone["kind"], gone["domains"]) == ("intermediate", ["lending"])
    assert answer.json["problems"] == {}


def test_what_is_still_there_is_an_error(fl, root):
    ledger = root / "domains/lending/ledger/ledger.sqlite"
    ledger.parent.mkdir()
    ledger.write_text("no ledger")
    answer = fl("retention", "apply", "--project", str(root))
    assert answer.code == 6
    assert "still there: domains/lending/outbox" in answer.err
    assert aside(root).exists()


def test_settings_that_are_wrong_are_an_error_of_the_contract(fl, root):
    (root / "retention.yml").write_text("days: 1\n")
    answer = fl("retention", "apply", "--project", str(root))
    assert answer.code == 4
    assert "unknown word days" in answer.err


def test_a_domain_that_is_not_there_is_named(fl, root):
    words = ["--domain", "../lending", "--project", str(root)]
    assert fl("retention", "apply", *words).code == 2
