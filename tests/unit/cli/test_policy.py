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


def test_the_permissions_of_a_consumer_are_listed_with_their_chain(run):
    code, out, _ = run("permissions", "--as", "marketing_analytics")
    assert code == 0
    told = f"marketing_analytics\t{PRODUCT}\tdescribe\tyes\t"
    assert f"{told}coe_selects_customers, then marketing_sees_credit_profile" in out
    assert "select" not in out.replace("coe_selects_customers", "")


@pytest.fixture
def hidden(mesh_folder):
    """A mesh of which one domain lets only the ML centre of excellence look."""
    file = mesh_folder / "domains" / "auto_finance" / "permissions.yml"
    kept, _, _ = file.read_text().partition("  # By name")
    file.write_text(kept)
    catalog = mesh_folder / "target" / "catalog.json"
    catalog.write_text('{"nodes": {}, "sources": {}}')
    return mesh_folder


def test_a_consumer_finds_only_what_it_may_describe(hidden, capsys):
    def found(*words: str) -> str:
        assert main(["catalog", "search", "credit", *words]) == 0
        return str(capsys.readouterr().out)

    told = ["--project", str(hidden)]
    assert "auto_finance.credit_profile" in found(*told)
    assert "auto_finance.credit_profile" in found("--as", "ml_coe", *told)
    theirs = found("--as", "marketing_analytics", *told)
    assert "auto_finance." not in theirs
    assert "consumer_banking.credit_profile" in theirs


def test_a_consumer_is_shown_only_what_it_may_describe(hidden, capsys):
    words = ["catalog", "show", "auto_finance.credit_profile", "--project", str(hidden)]
    assert main([*words, "--as", "ml_coe"]) == 0
    assert main([*words, "--as", "marketing_analytics"]) == 3
    assert "no permission to describe" in capsys.readouterr().err
    assert main([*words, "--as", "nobody"]) == 2
