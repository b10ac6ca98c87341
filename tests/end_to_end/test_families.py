"""Every installed algorithm, and every word of a study, from plan to a kept model."""

import html
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.judging import spec_json
from fl_plugin.coordinator.noised_judging import judge_noised
from fl_plugin.errors import (
    ContractError,
    MeshError,
    MessageError,
    PolicyError,
    UsageError,
)
from fl_plugin.ledger.store import Ledger
from fl_plugin.privacy.dp.accountant import epsilon_of, mu_for
from tests.families import (
    BOUNDED,
    EXACT,
    HALF,
    NUMBERS,
    PRIVATE,
    TABLES,
    made,
    private_mesh,
    study_of,
)
from tests.made_mesh import make_mesh

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "kind"), EXACT)
def test_a_study_names_it_and_gets_a_model_that_predicts(tmp_path, name, kind):
    mesh = Mesh.open(make_mesh(tmp_path, made(study_of(name, kind))))
    run = mesh.train("made")
    alike = NUMBERS if kind in NUMBERS else (kind,)
    assert run.record.target_kind in alike
    assert run.record.privacy.signed_keys
    scored = mesh.predict("made", TABLES["d1"].slice(0, 7))
    assert scored.num_rows == 7
    again = mesh.evaluate("made")
    kept = {n: found.value for n, found in run.record.metrics.items()}
    assert again.values() == pytest.approx(kept, abs=1e-12, nan_ok=False)
    report = html.unescape((run.folder / "report.html").read_text())
    assert run.record.algorithm.title in report


@pytest.mark.parametrize(("name", "kind"), PRIVATE)
def test_a_private_study_spends_its_epsilon_once_at_every_domain(tmp_path, name, kind):
    mesh = Mesh.open(private_mesh(tmp_path, name, kind, evaluation=HALF))
    run = mesh.train("made")
    assert run.record.privacy.mode == "differential privacy"
    assert "epsilon 1," in run.record.privacy.statement
    assert "Epsilon covers the figures" in run.record.privacy.statement
    assert any(found.value is not None for found in run.record.metrics.values())
    for found in run.record.metrics.values():
        if found.value is not None:
            assert found.low is not None
            assert found.high is not None
            assert found.low <= found.value <= found.high > found.low
    assert spent(tmp_path) == {"d0": 1.0, "d1": 1.0, "d2": 1.0}
    mesh.train("made")  # the contract's budget is 2
    with pytest.raises(PolicyError) as caught:
        mesh.train("made")
    assert caught.value.reason == "budget.exceeded"
    assert spent(tmp_path) == {"d0": 2.0, "d1": 2.0, "d2": 2.0}


def test_judging_a_private_model_again_costs_what_its_figures_did(tmp_path):
    name = "private_logistic_regression"
    mesh = Mesh.open(private_mesh(tmp_path, name, "binary"))
    mesh.train("made")
    assert mesh.evaluate("made").kind == "binary"  # noise may leave no row
    cost = epsilon_of(mu_for(1.0, 1e-6) * math.sqrt(0.1), 1e-6)
    assert cost < 0.3
    assert spent(tmp_path) == pytest.approx(dict.fromkeys(TABLES, 1.0 + cost), abs=1e-9)


def test_more_of_the_budget_for_figures_narrows_their_ranges(tmp_path):
    widths = []
    for place, share in enumerate((0.05, 0.9)):
        # So much that the wider range is not cut off at 0 either.
        study = {"privacy": {"epsilon": 16.0, "evaluation": share}, "evaluation": HALF}
        root = private_mesh(
            tmp_path / str(place), "private_statistics", "none", epsilon=16.0, **study
        )
        found = Mesh.open(root).train("made").record.metrics["mean_loss"]
        assert found.high is not None
        assert found.low is not None
        widths.append(found.high - found.low)
        assert spent(tmp_path / str(place)) == dict.fromkeys(TABLES, 16.0)
    assert widths[1] < 0.6 * widths[0]


def test_exact_figures_of_a_private_model_are_refused_by_a_grant_for_noise(tmp_path):
    study: dict[str, Any] = {"privacy": {"epsilon": 1.0, "evaluation": 0.0}}
    root = private_mesh(tmp_path, "private_statistics", "none", **study)
    with pytest.raises(PolicyError) as caught:
        Mesh.open(root).train("made")
    assert caught.value.reason == "privacy.dp_required"
    assert spent(tmp_path) == dict.fromkeys(TABLES, 0.0)


def ask_exactly(plan, fit, spec, federation):
    federation.ask("evaluate", {"jobs": [0], "spec": spec_json(spec)}, {})


def ask_twice(plan, fit, spec, federation):
    judge_noised(plan, fit, spec, federation)
    judge_noised(plan, fit, replace(spec, threshold=0.4), federation)


def ask_with_a_count(plan, fit, spec, federation):
    judge_noised(plan, fit, replace(spec, rows=1_000), federation)


HOSTILE = [
    (ask_exactly, "privacy.not_paid_for"),
    (ask_twice, "budget.exceeded"),
    (ask_with_a_count, ""),
]


@pytest.mark.parametrize(("asking", "reason"), HOSTILE)
def test_a_domain_refuses_figures_that_are_not_paid_for(
    tmp_path, monkeypatch, asking, reason
):
    root = private_mesh(tmp_path, "private_logistic_regression", "binary")
    monkeypatch.setattr("fl_plugin.coordinator.run.judge_noised", asking)
    with pytest.raises(PolicyError if reason else MessageError) as caught:
        Mesh.open(root).train("made")
    assert getattr(caught.value, "reason", "") == reason
    assert spent(tmp_path) == dict.fromkeys(TABLES, 1.0)


def test_a_run_that_pays_for_figures_alone_gets_no_fit(tmp_path, monkeypatch):
    mesh = Mesh.open(private_mesh(tmp_path, "private_logistic_regression", "binary"))
    mesh.train("made")

    def ask_for_a_fit(plan, fit, spec, federation):
        point = {"0.point": np.zeros(fit.task.width + 1)}
        federation.ask("step", {"jobs": [0]}, point)

    monkeypatch.setattr("fl_plugin.coordinator.run.judge_noised", ask_for_a_fit)
    with pytest.raises(PolicyError, match="paid for figures only"):
        mesh.evaluate("made")
    assert spent(tmp_path) == dict.fromkeys(TABLES, 1.0)


BOUNDS = [
    ("private_linear_regression", "regression", {}, {"low": 0.0, "high": 4.0}),
    (
        "private_linear_regression",
        "regression",
        {"high": 2.0},
        {"low": 0.0, "high": 2.0},
    ),
    ("private_poisson_regression", "count", {}, {"ceiling": 12.0}),
    ("private_poisson_regression", "count", {"ceiling": 5.0}, {"ceiling": 5.0}),
]


@pytest.mark.parametrize(("name", "kind", "said", "used"), BOUNDS)
def test_a_target_s_bounds_come_from_the_contracts_unless_a_study_narrows_them(
    tmp_path, name, kind, said, used
):
    study = study_of(name, kind)["algorithm"] | said
    mesh = Mesh.open(private_mesh(tmp_path, name, kind, algorithm=study))
    plan = mesh.plan("made")
    assert used.items() <= plan.parameters.items()
    assert all(used.items() <= p.request.parameters.items() for p in plan.parties)
    assert plan.bounds == (used.get("low", 0.0), used.get("high", used.get("ceiling")))


@pytest.mark.parametrize("said", [{"high": 4.5}, {"low": -0.1}])
def test_bounds_wider_than_the_contracts_are_refused(tmp_path, said):
    name, kind = "private_linear_regression", "regression"
    study = study_of(name, kind)["algorithm"] | said
    root = private_mesh(tmp_path, name, kind, algorithm=study)
    with pytest.raises(UsageError, match="outside the bounds") as caught:
        Mesh.open(root).plan("made")
    assert "narrower" in caught.value.remedy


def test_a_target_without_bounds_has_to_be_bounded_by_the_study(tmp_path, monkeypatch):
    monkeypatch.delitem(BOUNDED, "amount")
    name, kind = "private_linear_regression", "regression"
    with pytest.raises(ContractError, match=r"amount of d0\.rows_of_it"):
        Mesh.open(private_mesh(tmp_path / "a", name, kind)).plan("made")
    study = study_of(name, kind)["algorithm"] | {"low": 0.0, "high": 9.0}
    root = private_mesh(tmp_path / "b", name, kind, algorithm=study)
    assert Mesh.open(root).plan("made").bounds == (0.0, 9.0)


def spent(root: Path) -> dict[str, float]:
    found = {}
    for domain in TABLES:
        with Ledger.open(root / "domains" / domain / "ledger/ledger.sqlite") as ledger:
            found[domain] = ledger.epsilon_spent("ml_coe", "credit_risk")
    return found


REFUSED = [
    ({"evaluation": {"folds": 2}}, UsageError, "no folds"),
    ({"algorithm": {"name": "ridge"}, "target": "amount"}, UsageError, "no noise"),
    ({"privacy": {}}, PolicyError, "only with differential privacy"),
    ({"privacy": {"epsilon": 1.5}}, PolicyError, "does not cover"),
    ({"privacy": {"epsilon": 1.0, "delta": 0.1}}, PolicyError, "delta"),
    ({"features": ["a", "visits"]}, ContractError, "visits"),
    (
        {"evaluation": {"folds": 0, "fairness": ["sex"]}},
        UsageError,
        "not told apart by group",
    ),
]


@pytest.mark.parametrize(("words", "error", "told"), REFUSED)
def test_a_private_study_whose_words_do_not_fit_is_refused(
    tmp_path, words, error, told
):
    name, kind = "private_logistic_regression", "binary"
    made_of = {**study_of(name, kind, privacy={"epsilon": 1.0}), **words}
    root = private_mesh(tmp_path, name, kind, **made_of)
    for domain in TABLES:
        node = root / "domains" / domain / "node.yml"
        found = json.loads(node.read_text())
        found["algorithms"] = {"ridge": "any", name: "any"}
        node.write_text(json.dumps(found))
    with pytest.raises(error, match=told):
        Mesh.open(root).train("made")
    assert set(spent(root).values()) == {0.0}


def trained(root: Path, study: dict[str, Any], **words: Any) -> Any:
    return Mesh.open(make_mesh(root, made(study, **words))).train("made").record


def test_stratified_folds_have_the_same_share_of_each_class(tmp_path):
    evaluation = {"folds": 4, "repeats": 1, "stratified": True}
    record = trained(
        tmp_path, study_of("logistic_regression", "binary", evaluation=evaluation)
    )
    assert len(record.cross_validation.metrics["accuracy"].values) == 4
    assert any(left.kind == "cut" for left in record.left_domain)


def test_groups_stay_together_and_time_holds_out_the_latest(tmp_path):
    evaluation = {
        "folds": 3,
        "repeats": 1,
        "group": "house",
        "holdout_by": "time",
        "holdout": 0.25,
    }
    study = study_of("logistic_regression", "binary", evaluation=evaluation)
    root = make_mesh(tmp_path, made(study, event_time="day"))
    run = Mesh.open(root).train("made")
    tested = sum(map(sum, run.record.confusion_matrix))
    assert abs(tested - 0.25 * 740) < 25


def test_without_a_time_no_rows_are_held_out_by_it(tmp_path):
    evaluation = {"folds": 0, "holdout_by": "time"}
    study = study_of("logistic_regression", "binary", evaluation=evaluation)
    with pytest.raises(MeshError, match="event_time"):
        trained(tmp_path, study)


def test_fairness_is_told_apart_by_the_protected_column(tmp_path):
    evaluation = {"folds": 0, "fairness": ["sex"]}
    study = study_of("logistic_regression", "binary", evaluation=evaluation)
    record = trained(tmp_path, study)
    (table,) = record.groups
    assert table.column == "sex"
    assert {group.group for group in table.groups} >= {"f", "m"}


@pytest.mark.parametrize("method", ["grid", "halving"])
def test_a_search_finds_the_penalty_that_the_folds_like_best(tmp_path, method):
    search = {"parameters": {"l2": [1.0, 1e4, 1e6]}, "method": method}
    evaluation = {"folds": 2, "repeats": 1}
    study = study_of(
        "logistic_regression", "binary", search=search, evaluation=evaluation
    )
    record = trained(tmp_path, study)
    assert record.search.method == method
    assert record.algorithm.parameters["l2"] == 1.0
    chosen = [c for c in record.search.candidates if c.chosen]
    assert [c.parameters for c in chosen] == [{"l2": 1.0}]
    assert len(record.search.candidates) == 3


def test_a_search_stays_inside_what_the_domains_allow(tmp_path):
    search = {"parameters": {"l2": [1.0, 1e4]}}
    evaluation = {"folds": 2, "repeats": 1}
    study = study_of(
        "logistic_regression", "binary", search=search, evaluation=evaluation
    )
    node = {"algorithms": {"logistic_regression": {"l2": [0.1, 10.0]}}}
    with pytest.raises(PolicyError) as caught:
        trained(tmp_path, study, node=node)
    assert caught.value.reason == "parameter.out_of_range"


PREPARED = [
    {"numeric": "robust", "impute": "median"},
    {"impute": "constant", "fill_value": -1.0, "indicators": True},
    {"categorical": "onehot", "min_count": 30},
]


@pytest.mark.parametrize("words", PREPARED)
def test_every_preparation_trains_in_a_run(tmp_path, words):
    study = study_of("logistic_regression", "binary", preparation=words)
    record = trained(tmp_path, study)
    assert record.certificate.distance_bound < 1e-6


def test_exact_quantiles_need_every_domain_to_allow_them(tmp_path):
    words = {"numeric": "robust", "edges": "exact"}
    study = study_of("logistic_regression", "binary", preparation=words)
    with pytest.raises(PolicyError) as caught:
        trained(tmp_path / "refused", study)
    assert caught.value.reason == "edges.exact"
    trained(tmp_path / "allowed", study, node={"exact_quantiles": True})


def test_undersampling_leaves_so_many_rows_of_a_class_for_one_of_the_rarest(tmp_path):
    study = study_of("gaussian_nb", "multiclass")
    plain = Mesh.open(make_mesh(tmp_path / "plain", made(study))).train("made")
    study |= {"sampling": {"undersample": 1.0}}
    even = Mesh.open(make_mesh(tmp_path / "even", made(study))).train("made")
    prior = even.model.named_steps["model"].class_prior_
    assert np.ptp(prior) < 0.1 < np.ptp(plain.model.named_steps["model"].class_prior_)
    tested = [sum(map(sum, r.record.confusion_matrix)) for r in (plain, even)]
    assert tested[0] == tested[1]
