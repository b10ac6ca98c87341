"""Runs that were never closed: their secrets go, by and by, and that is on record."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from fl_plugin.errors import MeshError, StorageError, UnreachableError
from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.journal import find_runs, open_run
from fl_plugin.ledger.store import Ledger
from tests.made_mesh import STUDY
from tests.small_mesh import THREE

pytestmark = pytest.mark.slow


def interrupted(mesh):
    """Leave a run behind as a coordinator does that is gone in the middle."""
    plain = "fl_plugin.coordinator.run.spec_for"
    gone = UnreachableError("Gone.", remedy="")
    with patch(plain, side_effect=gone), pytest.raises(UnreachableError):
        mesh.train(STUDY)
    return mesh.runs[0].run


def kept(mesh, domain):
    path = mesh.root / "domains" / domain / "ledger" / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        assert verify(ledger).ok
        return [r.run for r in ledger.open_runs()], ledger.show(action="forget")


def test_a_study_that_begins_anew_ends_what_was_left_of_it(mesh):
    run = interrupted(mesh)
    assert kept(mesh, "ash") == ([run], ())
    mesh.train(STUDY)
    for domain in THREE:
        left, (record,) = kept(mesh, domain)
        assert left == []
        assert (record.run, record.rule) == (run, "run.begun_again")
        assert (record.study, record.consumer) == (STUDY, "ml_coe")
    with pytest.raises(MeshError) as caught:
        mesh.resume(run)
    assert caught.value.remedy
    assert mesh.run_state(run).standing == "failed"


def of_another_study(mesh, domain, at):
    path = mesh.root / "domains" / domain / "ledger" / "ledger.sqlite"
    facts = json.dumps({"request": {"study": "other"}})
    with sqlite3.connect(path) as connection:
        (run,) = find_runs(connection)
        open_run(connection, replace(run, facts=facts), at or run.at)
    connection.close()


def test_a_run_that_nobody_comes_back_for_is_forgotten_when_the_next_opens(mesh):
    run = interrupted(mesh)
    of_another_study(mesh, "ash", "2026-01-01T00:00:00.000000+00:00")
    of_another_study(mesh, "birch", None)
    mesh.train(STUDY)
    left, (record,) = kept(mesh, "ash")
    assert (left, record.rule, record.study) == ([], "run.left_over", "other")
    assert kept(mesh, "birch") == ([run], ())  # it may still go on


def test_a_domain_sets_its_own_time(mesh):
    run = interrupted(mesh)
    day_ago = (datetime.now(UTC) - timedelta(days=1, hours=1)).isoformat()
    for domain in THREE:
        of_another_study(mesh, domain, day_ago)
    (mesh.root / "domains" / "ash" / "retention.yml").write_text("runs_days: 1\n")
    mesh.train(STUDY)
    assert kept(mesh, "ash")[0] == []
    assert kept(mesh, "birch")[0] == [run]


@pytest.mark.parametrize("column", ["caller", "secret", "facts", "at"])
def test_a_run_whose_record_is_damaged_is_forgotten_when_the_next_opens(mesh, column):
    run = interrupted(mesh)
    path = mesh.root / "domains" / "ash" / "ledger" / "ledger.sqlite"
    with sqlite3.connect(path) as connection:  # no text, and nothing of what it was
        words = f"update open_run set {column} = x'ff' || substr({column}, 2)"
        connection.execute(words)
    connection.close()
    with pytest.raises(StorageError, match=f"kept of the run {run} are damaged"):
        mesh.resume(run)
    mesh.train(STUDY)
    left, (record,) = kept(mesh, "ash")
    assert (left, record.run, record.rule) == ([], run, "run.damaged")


@pytest.mark.parametrize("words", ["x'ff' || substr(run, 2)", "null", "'another'"])
def test_a_run_whose_name_is_damaged_goes_once_and_with_its_messages(mesh, words):
    interrupted(mesh)
    path = mesh.root / "domains" / "ash" / "ledger" / "ledger.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"update open_run set run = {words}")
    assert not verify(path).ok
    for _ in range(2):
        mesh.train(STUDY)
    left, (record,) = kept(mesh, "ash")
    assert (left, record.rule) == ([], "run.damaged")
    assert connection.execute("select * from run_message").fetchall() == []
    connection.close()
