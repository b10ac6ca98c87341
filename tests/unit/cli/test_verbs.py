"""What each verb answers."""

import json

import pytest

from fl_plugin.vertical.installed import all_algorithms


def test_a_plan_shows_every_rule_in_order(fl, mesh):
    answer = fl("plan", "credit_risk")
    lines = [line.split("\t") for line in answer.out.splitlines() if "\t" in line]
    steps = [int(line[0]) for line in lines if line[0].isdigit()]
    assert answer.code == 0
    assert steps == sorted(steps)
    assert set(steps) == set(range(1, 10))
    assert {line[2] for line in lines[1:]} == {"passed", "at opening"}
    assert answer.err == ""


def test_a_refused_plan_is_shown_whole_and_exits_with_three(fl, mesh, plan_with):
    mesh.made_plan = plan_with(grants=(), rows=None)
    answer = fl("plan", "credit_risk")
    assert answer.code == 3
    assert "4\tgrant\trefused\t" in answer.out
    assert "9\tbudget\tnot reached\t" in answer.out
    first, second = answer.err.splitlines()
    assert first.startswith("error: consumer_banking refused: ")
    assert second.startswith("hint: ")


def test_a_refused_plan_is_one_object_with_the_error_in_it(fl, mesh, plan_with):
    mesh.made_plan = plan_with(grants=(), rows=None)
    answer = fl("plan", "credit_risk", "--json")
    assert answer.code == 3
    assert answer.json["allowed"] is False
    assert answer.json["error"]["code"] == "refused"
    assert answer.json["error"]["reason"] == "grant.missing"
    assert answer.json["error"]["domain"] == "consumer_banking"
    assert len(answer.json["domains"][0]["rules"]) == 12


def test_explaining_a_refusal_is_a_success_that_says_what_to_do(fl, mesh, plan_with):
    mesh.made_plan = plan_with(grants=(), rows=None)
    answer = fl("access", "explain", "credit_risk", "--domain", "consumer_banking")
    assert answer.code == 0
    assert "refused because\tgrant.missing" in answer.out
    assert "what to do\tAsk Consumer banking (support.consumer@bank.example)" in (
        answer.out
    )


def test_explaining_asks_only_domains_of_the_study(fl, mesh):
    answer = fl("access", "explain", "credit_risk", "--domain", "consumer_bankin")
    assert answer.code == 2
    assert "Did you mean consumer_banking?" in answer.err


def test_a_fingerprint_is_alone_on_its_line(fl, mesh):
    answer = fl("access", "fingerprint", "consumer_banking.credit_profile")
    assert answer.out == "sha256:" + "0" * 64 + "\n"


def test_training_prints_metrics_domains_traffic_certificate_and_paths(fl, mesh):
    answer = fl("train", "credit_risk")
    run = mesh.entry.run
    assert answer.code == 0
    assert f"ROC-AUC\t{run.metrics['roc_auc'].value!r}\t" in answer.out
    for result in run.domains:
        assert f"\n{result.domain}\t" in answer.out
        assert result.verdict in answer.out
    assert "on all rows in one place" in answer.out
    assert run.privacy.statement in answer.out
    for name in ("report.html", "card.md", "model.skops"):
        assert f"registry/credit_risk/v1/{name}\n" in answer.out


def test_training_tells_each_stage_once_on_stderr(fl, mesh):
    answer = fl("train", "credit_risk")
    assert answer.err.splitlines() == [
        "Asking every domain for its decision (round 1)",
        "Opening the granted columns (round 2)",
        "Fitting (round 3)",
    ]


def test_training_for_a_program_is_one_object_and_nothing_else(fl, mesh):
    answer = fl("train", "credit_risk", "--json")
    run = mesh.entry.run
    assert answer.err == ""
    assert answer.json["model_digest"] == run.model_digest
    assert answer.json["metrics"]["roc_auc"]["value"] == run.metrics["roc_auc"].value
    assert answer.json["bytes"]["up"] == run.bytes.up
    assert answer.json["model"] == "registry/credit_risk/v1/model.skops"
    assert {
        "study",
        "run",
        "version",
        "cross_validation",
        "domains",
        "certificate",
        "report",
        "card",
        "audit_heads",
        "engine",
    } <= set(answer.json)


@pytest.mark.parametrize("words", [("models",), ("models", "credit_risk")])
def test_models_alone_lists_them(fl, mesh, words):
    header, line = fl(*words).out.splitlines()
    assert header.startswith("study\tversion\t")
    assert line.startswith(f"credit_risk\t{mesh.entry.version}\t")


def test_a_model_is_shown_with_its_origin(fl, mesh):
    answer = fl("models", "show", "credit_risk")
    assert f"model digest\t{mesh.entry.run.model_digest}" in answer.out
    assert "ROC-AUC\t" in answer.out


@pytest.mark.parametrize("name", sorted(all_algorithms()))
def test_every_algorithm_can_be_shown(fl, name):
    told = fl("algorithms", "show", name, "--json").json
    assert told["mode"] == all_algorithms()[name].partitioning
    assert set(told["parameters"]) == set(all_algorithms()[name]().parameters())


def test_an_algorithm_says_what_leaves_a_domain(fl):
    answer = fl("algorithms", "show", "logistic_regression", "--json")
    assert "Hessian" in answer.json["leaves"]
    assert answer.json["parameters"]["l2"] == 1.0


def test_algorithms_alone_lists_them(fl):
    found = json.loads(fl("algorithms", "--json").out)["algorithms"]
    assert "logistic_regression" in {a["name"] for a in found}
