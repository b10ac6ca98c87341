"""`fl runs show` of a run at work, and of one that stands in each other way."""

import json
import shutil
import subprocess
import sys

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.errors import TrainingError
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
AT = 8  # a round in the midst of a run


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    made = small(("ash", "birch", "cedar"))
    return make_mesh(tmp_path_factory.mktemp("mesh"), made)


@pytest.fixture
def mesh(original, tmp_path):
    return Mesh.open(shutil.copytree(original, tmp_path / "mesh"))


@pytest.fixture
def show(mesh, capsys):
    """Return what is shown of the newest run: as lines, and as facts."""

    def shown():
        words = ["runs", "show", mesh.runs[0].run, "--project", str(mesh.root)]
        assert main(words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert main([*words, "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        table = dict(line.split("\t") for line in lines[: lines.index("")])
        assert table["stands"] == facts["standing"]
        return table, lines[lines.index("") + 1 :], facts

    return shown


def ends_with(error):
    def listener(_kind, number):
        if number == AT:
            raise error

    return listener


def test_a_run_at_work_in_another_process(mesh):
    told = []

    def look(_kind, number):
        if number == AT:
            words = ["runs", "show", mesh.runs[0].run, "--project", str(mesh.root)]
            for more in ([], ["--json"]):
                found = subprocess.run(
                    [sys.executable, "-m", "fl_plugin", *words, *more],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert found.stderr == ""
                told.append(found.stdout)

    mesh.train(STUDY, listener=look)
    text, facts = told[0], json.loads(told[1])
    assert "stands\trunning\n" in text
    assert "to go on" not in text
    assert [r["round"] for r in facts["rounds"]] == list(range(1, AT))
    assert f"\nall {AT - 1}\t" in text


def test_a_run_that_is_done(mesh, show):
    mesh.train(STUDY)
    table, lines, facts = show()
    assert (table["stands"], table["model"]) == ("done", "v1")
    assert {"problem", "to go on", "absent"}.isdisjoint(table)
    assert lines[:2] == [
        "# Rounds",
        "round\tkind\tseconds\tbytes down\tbytes up\tabsent",
    ]
    assert len(lines) == 2 + facts["total"]["rounds"] + 1
    assert facts["total"]["up"] == sum(r["up"] for r in facts["rounds"]) > 0


def test_a_run_that_was_interrupted_says_how_to_go_on(mesh, show):
    with pytest.raises(KeyboardInterrupt):
        mesh.train(STUDY, listener=ends_with(KeyboardInterrupt()))
    table, _, facts = show()
    assert table["stands"] == "interrupted"
    assert table["problem"] == "It was stopped."
    assert table["whose fault"] == "whoever stopped it"
    assert table["to go on"] == f"fl runs resume {facts['run']}"
    assert len(facts["rounds"]) == AT - 1


def test_a_run_that_has_failed_says_why_and_whose_fault_it_was(mesh, show):
    error = TrainingError("It does not converge.", remedy="Try again.").at("birch")
    with pytest.raises(TrainingError):
        mesh.train(STUDY, listener=ends_with(error))
    table, _, _ = show()
    assert table["stands"] == "failed"
    assert table["problem"] == "It does not converge."
    assert table["whose fault"] == "birch"
    assert "to go on" not in table


def test_a_run_that_was_stopped_cannot_go_on(mesh, show):
    with pytest.raises(KeyboardInterrupt):
        mesh.train(STUDY, listener=ends_with(KeyboardInterrupt()))
    mesh.stop(mesh.runs[0].run)
    table, _, _ = show()
    assert table["stands"] == "stopped"
    assert {"problem", "whose fault", "to go on"}.isdisjoint(table)


def test_of_many_rounds_people_are_shown_the_newest(mesh, capsys):
    mesh.train(STUDY)
    words = ["runs", "show", mesh.runs[0].run, "--last", "2", "--project"]
    assert main([*words, str(mesh.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rounds = len(mesh.run_rounds(mesh.runs[0].run))
    assert f"# Rounds, without the first {rounds - 2}" in lines
    assert [line.partition("\t")[0] for line in lines[-3:]] == [
        str(rounds - 1),
        str(rounds),
        f"all {rounds}",
    ]
