"""`fl contract lint|diff|approve|codeowners`: words, exit codes, JSON."""

import json
import os
import time

import pytest

from fl_plugin.cli.main import main
from tests.unit.contracts.conftest import column, mesh, node

YES = ("--author", "author@bank.example", "--reason", "Agreed.")
STEWARD = "steward.consumer@bank.example"


def smaller_cohort(raw):
    mesh(raw)["min_cohort"] = 20


def less_columns(raw):
    del node(raw)["columns"]["job"]


def both(raw):
    smaller_cohort(raw)
    less_columns(raw)


@pytest.fixture
def run(capsys):
    def call(*words):
        code = main(["contract", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.mark.parametrize(
    ("edit", "code", "verdict"),
    [
        (lambda raw: None, 0, "safe"),
        (lambda raw: mesh(raw).update(min_cohort=26), 0, "tightened"),
        (lambda raw: node(raw)["checksum"].update(checksum="0"), 0, "review"),
        (less_columns, 1, "breaking"),
        (smaller_cohort, 2, "loosened"),
        (both, 2, "loosened"),
    ],
)
def test_diff_ends_as_its_verdict_says(run, small_mesh, edit, code, verdict):
    root = small_mesh(edit)
    words = ("diff", "--project", root, "--base", root / "base.json")
    found, out, err = run(*words)
    assert (found, err) == (code, "")
    found, out, _ = run(*words, "--json")
    told = json.loads(out)
    assert (found, told["exit_code"], told["verdict"]) == (code, code, verdict)


def test_diff_names_whom_it_touches_and_what_stops(run, small_mesh):
    root = small_mesh(smaller_cohort)
    _, out, _ = run("diff", "--project", root, "--base", root / "base.json")
    assert "loosened\tcohort.lowered\tconsumer_banking.credit_profile v1" in out
    assert "ml_coe\tstudy credit_risk\tml-coe@bank.example" in out
    assert "# Stops until stewards confirm it\ngrant\nconsumer_banking.g_credit" in out
    assert "1 loosened." in out


def test_diff_takes_the_head_that_it_is_given(run, small_mesh):
    root = small_mesh(smaller_cohort)
    words = ("diff", "--project", root, "--base", root / "target" / "manifest.json")
    code, out, _ = run(*words, "--head", root / "base.json")
    assert code == 0
    assert "cohort.raised" in out


def test_approve_then_diff(run, small_mesh):
    root = small_mesh(smaller_cohort)
    words = ("--project", root, "--base", root / "base.json")
    code, out, _ = run("approve", *words, "--by", STEWARD, *YES)
    assert code == 0
    assert "consumer_banking.credit_profile" in out
    code, out, _ = run("diff", *words)
    assert code == 0
    assert "approved\tcohort.lowered" in out
    assert f"Approved by {STEWARD} on " in out
    code, out, _ = run("diff", *words, "--author", STEWARD)
    assert code == 2
    assert "is the author of the change" in out


def test_who_may_not_approve_gets_3(run, small_mesh):
    root = small_mesh(smaller_cohort)
    words = ("--project", root, "--base", root / "base.json")
    code, _, err = run("approve", *words, "--by", "x@bank.example", *YES)
    assert code == 3
    assert "would not count" in err


def test_a_base_that_is_no_manifest_is_a_build_error_and_no_verdict(run, small_mesh):
    root = small_mesh(smaller_cohort)
    (root / "base.json").write_text("[]")
    words = ("diff", "--project", root, "--base", root / "base.json")
    assert run(*words)[0] == 5
    _, out, _ = run(*words, "--json")
    assert "verdict" not in json.loads(out)


@pytest.mark.parametrize("name", ["owner.yml", "new_grant.yml"])
def test_a_head_that_is_older_than_the_contracts_is_no_answer(run, small_mesh, name):
    """Else nothing would seem to have changed."""
    root = small_mesh(lambda raw: None)
    words = ("diff", "--project", root, "--base", root / "base.json")
    assert run(*words)[0] == 0
    file = root / "domains" / "auto_finance" / "models" / name
    file.parent.mkdir(parents=True)
    file.touch()
    later = time.time() + 5
    os.utime(file, (later, later))
    code, _, err = run(*words)
    assert code == 5
    assert "auto_finance has changed since it was parsed" in err
    assert "hint: Parse it: dbt parse" in err
    head = root / "target" / "manifest.json"
    assert run(*words, "--head", head)[0] == 0


def test_a_sentence_cannot_steer_the_terminal(run, small_mesh):
    def edit(raw):
        node(raw)["columns"]["age"]["data_type"] = "\x1b[2Jtext"
        column(raw, "age")

    root = small_mesh(edit)
    _, out, _ = run("diff", "--project", root, "--base", root / "base.json")
    assert "\x1b" not in out


def test_lint_ends_with_4_and_says_what_to_do(run, mesh_folder):
    words = ("--project", mesh_folder)
    (mesh_folder / ".github" / "CODEOWNERS").unlink(missing_ok=True)
    code, out, err = run("lint", *words)
    assert code == 4
    assert "error\tcodeowners" in out
    assert "hint: Write it: fl contract codeowners --write" in err
    assert run("codeowners", *words, "--check")[0] == 4
    assert run("codeowners", *words, "--write")[0] == 0
    assert run("codeowners", *words, "--check")[0] == 0
    code, out, _ = run("lint", *words, "--json")
    assert (code, json.loads(out)["errors"]) == (0, 0)
    text = (mesh_folder / ".github" / "CODEOWNERS").read_text()
    assert run("codeowners", *words)[1] == text


def test_check_and_write_exclude_each_other(run, mesh_folder):
    words = ("codeowners", "--project", mesh_folder, "--check", "--write")
    assert run(*words)[0] == 2
