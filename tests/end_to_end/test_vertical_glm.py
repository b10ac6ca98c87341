"""Vertical linear models as a user runs them: match, train, judge, score."""

import duckdb
import numpy as np
import pytest

from fl_plugin import Mesh
from tests.made_mesh import STUDY
from tests.vertical_mesh import BANK, SHOP, TELCO, vertical_mesh

FAMILIES = {
    "vertical_logistic_regression": ("binary", "roc_auc", 0.8),
    "vertical_linear_regression": ("regression", "r2", 0.9),
    "vertical_poisson_regression": ("count", "d2", 0.05),
}


@pytest.fixture(scope="module", params=FAMILIES)
def trained(request, tmp_path_factory):
    """Return a mesh, its run, what it is judged by, and the least of it."""
    target, metric, least = FAMILIES[request.param]
    root = tmp_path_factory.mktemp("glm") / "mesh"
    words = {"name": request.param, "tolerance": 1e-4}
    mesh = vertical_mesh(root, algorithm=words, target=target)
    return mesh, Mesh.open(mesh.root).train(STUDY), metric, least


def test_a_linear_model_of_protected_labels_trains(trained):
    _, run, metric, least = trained
    told = run.record.vertical
    assert (told.labels, told.label_domain) == ("protected", BANK)
    assert set(told.parts) == {BANK, SHOP, TELCO}
    assert run.record.metrics[metric].value > least


def test_its_predictions_lie_with_the_label_and_follow_it(trained):
    mesh, _, _, _ = trained
    delivered = Mesh.open(mesh.root).score(STUDY)
    assert delivered.table == f"predictions.{STUDY}"
    path = mesh.root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    with duckdb.connect(path) as file:
        found = file.execute(f"select * from predictions.{STUDY}").fetchnumpy()
    column = "score" if "score" in found else "predicted"
    scores = dict(zip(found["row_id"], found[column], strict=True))
    assert scores.keys() == mesh.shared
    rows = mesh.tables[BANK].to_pydict()
    pairs = [
        (scores[key], float(value))
        for key, value in zip(rows["row_id"], rows["is_bad"], strict=True)
        if key in scores
    ]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.2
