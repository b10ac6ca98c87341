"""The benches over a real mesh: what `make demo` ends with."""

import json

import pytest

from bench import engine, german_credit
from fl_plugin import Mesh

pytestmark = pytest.mark.slow


def run(module, monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["bench", *map(str, words)])
    return module.main()


def test_the_registered_model_equals_the_pooled_one(mesh_folder, monkeypatch, capsys):
    Mesh.open(mesh_folder).train("credit_risk")
    words = ("--project", mesh_folder, "--json")
    assert run(german_credit, monkeypatch, *words) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    found = {f["name"]: f["value"] for f in figures}
    assert found["rows of all lenders"] == 1000
    assert found["largest difference of a coefficient"] < 1e-9
    assert sum(f["most"] is not None for f in figures) == 3


def test_without_a_registered_model_the_command_says_what_to_do(
    tmp_path, monkeypatch, capsys
):
    assert run(german_credit, monkeypatch, "--project", tmp_path) == 10
    assert "no model of credit_risk" in capsys.readouterr().err


def test_the_engine_is_measured(monkeypatch, capsys):
    """What it takes is no test's to judge: the code says whether a bar was missed."""
    code = run(engine, monkeypatch, "--times", 2, "--json")
    told = json.loads(capsys.readouterr().out)["figures"]
    assert {f["name"] for f in told} >= {"fedavg, CPU s of the whole job"}
    missed = [f for f in told if f["most"] is not None and f["value"] > f["most"]]
    assert code == bool(missed)
