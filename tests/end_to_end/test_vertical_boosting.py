"""Vertical boosting as a user runs it, in both modes: train, keep parts, score."""

import duckdb
import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from tests.made_mesh import STUDY
from tests.vertical_mesh import BANK, vertical_mesh


@pytest.mark.parametrize("mode", ["strict", "bins"])
def test_a_mesh_trains_trees_and_scores_its_rows(tmp_path, mode, monkeypatch):
    algorithm = {"name": "vertical_boosting", "mode": mode, "max_iter": 5}
    mesh = vertical_mesh(tmp_path / "mesh", algorithm=algorithm)
    run = Mesh.open(mesh.root).train(STUDY)
    assert run.record.vertical is not None
    assert run.record.vertical.labels == "protected"
    monkeypatch.chdir(mesh.root)
    assert main(["score", STUDY, "--json"]) == 0
    path = mesh.root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    with duckdb.connect(path) as file:
        found = file.execute(f"select score from predictions.{STUDY}").fetchall()
    scores = [score for (score,) in found]
    assert len(scores) == len(mesh.shared)
    assert all(0.0 < score < 1.0 for score in scores)
    assert max(scores) - min(scores) > 0.2
