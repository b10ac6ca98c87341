"""What a run tells of each domain: complete, rounded, and never about too few rows."""

import json

import pytest

from fl_plugin import Mesh

pytestmark = pytest.mark.slow
FIGURES = {
    "roc_auc",
    "pr_auc",
    "ks",
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "gini",
    "ndcg",
    "calibration_error",
}


@pytest.fixture
def run(mesh_folder):
    return Mesh.open(mesh_folder).train("credit_risk")


def test_every_domain_is_judged_by_every_figure(run):
    assert set(run.record.metrics) == FIGURES
    for domain in run.record.domains:
        for figures in (domain.federated, domain.own, domain.majority):
            assert set(figures) == FIGURES
        assert domain.majority["roc_auc"] == 0.5
        assert any(cell.rate is None for cell in domain.calibration)
        shown = [c for c in domain.calibration if c.rate is not None]
        assert shown
        assert all(0 <= c.rate <= 1 for c in shown)


def test_figures_of_one_domain_are_rounded(run):
    for domain in run.record.domains:
        values = [*domain.federated.values(), *domain.own.values()]
        assert all(v is None or v == round(v, 4) for v in values)
        assert domain.rows_bucket is None or domain.rows_bucket % 10 == 0


def test_the_record_is_what_the_folder_holds(run):
    kept = json.loads((run.folder / "run.json").read_text())
    assert kept["model_digest"] == run.record.model_digest
    assert kept["certificate"]["distance_bound"] < 1e-9
    assert {left["form"] for left in kept["left_domain"]} <= {"masked sum", "number"}
