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


def test_the_engine_is_measured_without_touching_the_mesh(
    mesh_folder, monkeypatch, capsys
):
    words = ("--project", mesh_folder, "--times", 2)
    assert run(engine, monkeypatch, *words) == 0
    assert "per message" in capsys.readouterr().out
    assert not list(mesh_folder.glob("domains/*/ledger"))
