"""`fl contract export` and `fl contract discover`, as they answer."""

import json
import shutil

import pytest
import yaml

from fl_plugin.mesh.areas import Areas

POLICY = """
purposes: [credit_risk]
uses: [aggregate, evaluate]
classifications: [public, internal, confidential, restricted]
pii: [identifier]
roles: [feature, label]
floors: {min_cohort: 10}
"""


def node(model, **mesh):
    block = {
        "product": f"lending.{model}",
        "status": "active",
        "classification": "confidential",
        "purposes": ["credit_risk"],
        "uses": ["evaluate"],
    }
    return {
        "unique_id": f"model.lending.{model}",
        "package_name": "lending",
        "name": model,
        "schema": "main",
        "group": "team",
        "description": "Loans.\n\x1b[2J\u202e",
        "config": {"meta": {"mesh": block | mesh}, "materialized": "table"},
        "columns": {"id": {"name": "id", "data_type": "integer"}},
    }


@pytest.fixture
def root(tmp_path):
    mesh = tmp_path / "mesh"
    folder = mesh / "domains" / "lending"
    (folder / "target").mkdir(parents=True)
    (mesh / "mesh_policy.yml").write_text(POLICY)
    (folder / "node.yml").write_text("domain: lending\ndatabase: data/lending.duckdb\n")
    write(mesh, node("loans"), node("debts"))
    return mesh


def write(mesh, *nodes):
    manifest = {
        "metadata": {
            "project_name": "lending",
            "generated_at": "2026-01-01T00:00:00Z",
        },
        "nodes": {n["unique_id"]: n for n in nodes},
        "groups": {"group.lending.team": {"name": "team", "owner": {"name": "T"}}},
        "exposures": {},
    }
    path = mesh / "domains/lending/target/manifest.json"
    path.write_text(json.dumps(manifest))


def test_a_contract_is_printed_as_yaml_that_steers_no_terminal(fl, root):
    answer = fl("contract", "export", "lending.loans", "--project", str(root))
    assert answer.code == 0
    assert yaml.safe_load(answer.out)["name"] == "lending.loans"
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out


def test_a_contract_goes_into_a_file(fl, root, tmp_path):
    file = tmp_path / "loans.yaml"
    words = ["lending.loans", "--output", str(file), "--project", str(root)]
    answer = fl("contract", "export", *words)
    assert answer.code == 0
    assert yaml.safe_load(file.read_text())["kind"] == "DataContract"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["loans.yaml", "mesh"]


def test_a_contract_is_one_object_for_programs(fl, root):
    words = ["lending.loans", "--json", "--project", str(root)]
    answer = fl("contract", "export", *words)
    assert answer.json["contract"]["name"] == "lending.loans"
    assert answer.json["format"] == "odcs"


def test_a_wrong_product_is_told_with_the_nearest(fl, root):
    answer = fl("contract", "export", "lending.loan", "--project", str(root))
    assert answer.code == 2
    assert "Did you mean lending.loans?" in answer.err


@pytest.mark.parametrize(
    "words", [[], ["a.b", "--all", "x"], ["--all", "x", "--output", "y"]]
)
def test_it_is_one_product_or_all_of_them(fl, root, words):
    assert fl("contract", "export", *words, "--project", str(root)).code == 2


def test_all_contracts_go_into_a_folder(fl, root, tmp_path):
    folder = tmp_path / "out" / "odcs"
    answer = fl("contract", "export", "--all", str(folder), "--project", str(root))
    assert answer.code == 0
    assert sorted(p.name for p in folder.iterdir()) == [
        "lending.debts.odcs.yaml",
        "lending.loans.odcs.yaml",
    ]


def test_one_broken_contract_is_told_and_keeps_no_other_back(fl, root, tmp_path):
    write(root, node("loans"), node("debts", purposes=["marketing"]))
    folder = tmp_path / "out"
    answer = fl("contract", "export", "--all", str(folder), "--project", str(root))
    assert answer.code == 4
    assert "not exported: lending.debts" in answer.err
    assert [p.name for p in folder.iterdir()] == ["lending.loans.odcs.yaml"]


def test_a_domain_that_is_not_built_keeps_no_other_back(fl, root, tmp_path):
    shutil.copytree(root / "domains/lending", root / "domains/savings")
    (root / "domains/savings/target/manifest.json").unlink()
    folder = tmp_path / "out"
    words = ["--all", str(folder), "--json", "--project", str(root)]
    answer = fl("contract", "export", *words)
    assert answer.code == 4
    assert list(answer.json["problems"]) == ["savings"]
    assert len(answer.json["written"]) == 2


def test_a_broken_contract_alone_is_the_error(fl, root):
    write(root, node("loans", purposes=["marketing"]))
    answer = fl("contract", "export", "lending.loans", "--project", str(root))
    assert answer.code == 4
    assert "marketing" in answer.err


def test_a_file_that_cannot_be_written_is_named(fl, root, tmp_path):
    file = tmp_path / "absent" / "x.yaml"
    words = ["lending.loans", "--output", str(file), "--project", str(root)]
    answer = fl("contract", "export", *words)
    assert answer.code == 6
    assert "x.yaml" in answer.err


def test_a_domain_without_a_database_is_told_to_build(fl, root):
    answer = fl("contract", "discover", "lending", "loans", "--project", str(root))
    assert answer.code == 5
    assert "dbt build" in answer.err


def test_a_proposal_and_a_comparison_are_not_asked_for_at_once(fl, root):
    words = ["lending", "loans", "--diff", "--output", "x", "--project", str(root)]
    assert fl("contract", "discover", *words).code == 2


@pytest.mark.parametrize("area", ["exports", "discovery"])
def test_python_reaches_the_same(root, area):
    areas = Areas()
    areas.root = root
    assert getattr(areas, area).root == root
