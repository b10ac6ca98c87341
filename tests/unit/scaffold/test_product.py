"""A new product: a contract that allows nobody and repeats no value of the file."""

import json

import pytest
import yaml

from fl_plugin.cli.main import main
from fl_plugin.errors import UsageError
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.scaffold.product import Wanted, new_product


@pytest.fixture
def made(root, credits_file):
    wanted = Wanted(file=credits_file, label="is bad")
    return new_product(root, "lending.credits", wanted)


def contract(made):
    (model,) = read_yaml(made.folder / made.contract)["models"]
    return model


def test_the_contract_is_valid_and_a_draft_that_allows_nobody(made):
    model = contract(made)
    block = model["config"]["meta"]["mesh"]
    found = validated(ProductContract, block, "product")
    assert (found.product, found.status) == ("lending.credits", "draft")
    assert found.allow == ()
    assert found.purposes == ("credit_risk",)
    assert not {"query", "predict"} & set(found.uses)
    assert found.approval.restricted_approvers == 2
    for column in model["columns"]:
        validated(ColumnContract, column["config"]["meta"]["mesh"], column["name"])
        assert column["description"]


def test_the_columns_are_those_of_the_file(made):
    columns = {c["name"]: c for c in contract(made)["columns"]}
    assert {n: c["data_type"] for n, c in columns.items()} == {
        "credit_id": "varchar",
        "amount": "integer",
        "sex": "varchar",
        "e_mail": "varchar",
        "opened_on": "date",
        "purpose": "varchar",
        "is_bad": "boolean",
        "order_value": "double",
    }
    assert columns["credit_id"]["constraints"][1] == {"type": "primary_key"}
    assert "constraints" not in columns["amount"]
    roles = {n: c["config"]["meta"]["mesh"].get("roles") for n, c in columns.items()}
    assert roles["credit_id"] == ["join_key"]
    assert roles["is_bad"] == ["label"]
    assert roles["sex"] == ["protected"]
    assert roles["e_mail"] is None


def test_no_value_of_the_file_stands_anywhere_but_in_data(made, credits_file):
    lines = credits_file.read_text().splitlines()[1:]
    values = {v for line in lines for v in line.split(",") if len(v) > 4}
    for path in made.folder.rglob("*"):
        if path.is_file() and "data" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not [value for value in values if value in text], path
    raw = made.folder / "data" / "raw_credits.csv"
    assert raw.read_bytes() == credits_file.read_bytes()
    ignored = (made.folder / "data" / ".gitignore").read_text().splitlines()
    assert "*" in ignored


def test_staging_reads_the_files_own_names(made):
    text = (made.folder / "models/staging/stg_credits.sql").read_text()
    assert 'cast("Credit ID" as varchar) as credit_id' in text
    assert "cast(amount as integer) as amount" in text
    assert 'cast("Order" as double) as order_value' in text
    source = read_yaml(made.folder / "models/staging/raw_credits.yml")["sources"][0]
    assert [c["name"] for c in source["tables"][0]["columns"]][:2] == [
        "Credit ID",
        "amount",
    ]


def test_limits_come_from_the_type_and_the_sign_alone(made):
    tests = {c["name"]: c.get("data_tests") for c in contract(made)["columns"]}
    (amount,), (order,) = tests["amount"], tests["order_value"]
    assert amount["in_range"]["arguments"] == {"low": 0, "high": 2147483647}
    assert order["in_range"]["arguments"] == {"low": -1e300, "high": 1e300}
    assert tests["credit_id"] == ["unique"]
    assert tests["purpose"] is None


def test_a_file_of_text_alone_still_has_a_validity_to_promise(root, tmp_path):
    file = tmp_path / "words.csv"
    file.write_text("word_id,kind\na,x\nb,x\n")
    found = new_product(root, "lending.words", Wanted(file=file))
    key = contract(found)["columns"][0]
    assert [list(t) for t in key["data_tests"] if t != "unique"] == [["in_range"]]


def test_a_seed_has_plain_names_and_stands_in_git(root, credits_file):
    wanted = Wanted(file=credits_file, keep_in_git=True, description="A: 'credit' # 1.")
    found = new_product(root, "lending.credits", wanted)
    seed = (found.folder / "seeds/raw_credits.csv").read_text().splitlines()
    assert seed[0].startswith("credit_id,amount,sex,e_mail")
    assert len(seed) == 5
    assert contract(found)["description"] == "A: 'credit' # 1."
    assert not (found.folder / "data" / "raw_credits.csv").exists()


def test_without_a_file_there_are_made_up_rows(root):
    found = new_product(root, "lending.loans", Wanted())
    assert (found.folder / "seeds/raw_loans.csv").read_text().count("\n") == 4
    assert "Made-up rows" in contract(found)["description"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"key": "amount"}, "is no key"),
        ({"key": "amout"}, "has no column 'amout'"),
        ({"label": "amount"}, "is no label"),
        ({"key": "credit_id", "label": "credit_id"}, "is no label"),
        ({"purposes": ("credit_rsk",)}, "knows no purpose"),
        ({"description": "{{ x }}"}, "description cannot be used"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    root, credits_file, words, why
):
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match=why):
        new_product(root, "lending.credits", Wanted(file=credits_file, **words))
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    [
        "credits",
        "lendin.credits",
        "../lending.credits",
        "lending.",
        "lending.stg_credits",
        "lending.credits_v2",
        "lending.a.b",
        "lending.Credits",
        "lending.select",
        ".credits",
        "lending./etc",
    ],
)
def test_a_product_of_a_bad_name_is_not_made(root, name):
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError):
        new_product(root, name, Wanted())
    assert sorted(root.rglob("*")) == before


def test_a_product_is_not_made_twice(root):
    new_product(root, "lending.loans", Wanted())
    with pytest.raises(UsageError, match=r"has these files already: .*raw_loans\.csv"):
        new_product(root, "lending.loans", Wanted())


def test_a_key_that_is_not_clear_is_asked_for(root, tmp_path):
    file = tmp_path / "two.csv"
    file.write_text("a_id,b_id,n\n1,x,1\n2,y,1\n")
    with pytest.raises(UsageError, match="could be a_id, b_id"):
        new_product(root, "lending.two", Wanted(file=file))
    found = new_product(root, "lending.two", Wanted(file=file, key="b_id"))
    test = yaml.safe_load((found.folder / found.contract).read_text())["unit_tests"][0]
    assert test["given"][0]["rows"] == [{"b_id": "R1"}]


def test_the_verb_says_what_was_guessed_and_what_is_next(root, credits_file, capsys):
    words = ["new", "product", "lending.credits", "--from-csv", str(credits_file)]
    words += ["--label", "is_bad", "--project", str(root)]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["columns"][2]["role"] == "protected"
    assert main(words) == 2
    assert "has these files already" in capsys.readouterr().err
