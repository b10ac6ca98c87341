"""`fl policy` on a mesh that dbt has built."""

import json

import pytest

from fl_plugin.cli.main import main

PRODUCT = "consumer_banking.credit_profile"
ASKED = ["--as", "ml_coe", "--purpose", "credit_risk", "--use", "train_horizontal"]


@pytest.fixture
def run(mesh_folder, capsys):
    def answer(*words: str) -> tuple[int, str, str]:
        code = main(["policy", *words, "--project", str(mesh_folder)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return answer


def test_a_policy_is_told_in_words(run):
    code, out, _ = run("explain", PRODUCT)
    assert code == 0
    assert "deny\torg_unit: marketing\tany\tany\tpii: quasi or sensitive" in out
    assert "coe_selects_customers\tallow\tdomain consumer_banking" in out
    assert "customer_id\trestricted\tidentifier\tjoin_key\ttrain_vertical" in out


def test_a_policy_as_json_is_the_contract_itself(run):
    facts = json.loads(run("explain", PRODUCT, "--json")[1])
    assert facts["contract"]["min_cohort"] == 25
    assert facts["columns"]["age"]["pii"] == "quasi"
    assert facts["permissions"][0]["name"] == "coe_selects_customers"


def test_an_allowed_wish_needs_only_a_grant(run):
    columns = "age,amount,is_bad"
    code, out, _ = run("simulate", PRODUCT, *ASKED, "--columns", columns)
    assert code == 0
    assert "4\tgrant\trefused\tpassed" in out
    assert "A grant is all that is missing." in out


def test_a_wish_that_no_grant_helps_says_why(run):
    words = [w.replace("ml_coe", "marketing_analytics") for w in ASKED]
    code, _, err = run("simulate", PRODUCT, *words, "--columns", "age,is_bad")
    assert code == 3
    assert "whatever its stewards approve" in err


def test_a_wish_names_the_column_that_stands_against_it(run):
    code, out, _ = run(
        "simulate", PRODUCT, *ASKED, "--columns", "customer_id", "--json"
    )
    facts = json.loads(out)
    assert code == 3
    assert facts["error"]["reason"] == "column.use"
    assert "customer_id" in facts["error"]["problem"]


def test_a_wish_leaves_a_record_and_no_grant(run, mesh_folder):
    run("simulate", PRODUCT, *ASKED)
    main(["audit", "show", "--json", "--project", str(mesh_folder)])
    assert run("simulate", PRODUCT, *ASKED)[0] == 0


@pytest.mark.parametrize("name", ["nowhere.p", "consumer_banking.p", "..", "a/../b.c"])
def test_a_product_that_is_not_there_is_told(run, name):
    code, _, err = run("explain", name)
    assert code == 2
    assert "Traceback" not in err
