"""A contract proposed from a table is valid and opens nothing; a difference is seen."""

import json

import duckdb
import pytest
import yaml

from fl_plugin.contracts.discovered import Difference, Discovery, proposal_text
from fl_plugin.errors import BuildError, ContractError, UsageError
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.party.shape import Crawler

POLICY = """
purposes: [credit_risk, fraud_detection]
uses: [aggregate, evaluate]
classifications: [public, internal, confidential, restricted]
pii: [identifier]
roles: [feature, label]
floors: {min_cohort: 10}
"""
TABLE = (
    "create table main.loans_v1 (id integer not null, amount decimal(12, 2), "
    "grade varchar, paid boolean)"
)
ROWS = (
    "insert into main.loans_v1 "
    "select i, i % 7, 'secret' || i % 3, true from range(50) r(i)"
)
PROMISED = {
    "id": ("integer", True),
    "amount": ("decimal(12,2)", False),
    "grade": ("text", True),
    "paid": ("bool", False),
}


@pytest.fixture
def mesh(tmp_path):
    folder = tmp_path / "domains" / "lending"
    (folder / "data").mkdir(parents=True)
    (folder / "target").mkdir()
    (tmp_path / "mesh_policy.yml").write_text(POLICY)
    (folder / "node.yml").write_text("domain: lending\ndatabase: data/lending.duckdb\n")
    sql(tmp_path, TABLE, ROWS)
    promise(tmp_path)
    return tmp_path


def sql(root, *statements):
    with duckdb.connect(root / "domains/lending/data/lending.duckdb") as file:
        for statement in statements:
            file.execute(statement)


def promise(root, key=("id",), **changes):
    """Write the manifest of a product that promises the table, but for the changes."""
    columns = {n: c for n, c in (PROMISED | changes).items() if c}
    mesh = {
        "product": "lending.loans",
        "status": "active",
        "classification": "confidential",
        "purposes": ["credit_risk"],
        "uses": ["evaluate"],
    }
    node = {
        "unique_id": "model.lending.loans.v1",
        "package_name": "lending",
        "name": "loans",
        "alias": "loans_v1",
        "schema": "main",
        "version": 1,
        "latest_version": 1,
        "group": "team",
        "config": {"meta": {"mesh": mesh}},
        "constraints": [{"type": "primary_key", "columns": list(key)}] if key else [],
        "columns": {
            name: {
                "name": name,
                "data_type": kind,
                "constraints": [{"type": "not_null"}] if required else [],
            }
            for name, (kind, required) in columns.items()
        },
    }
    manifest = {
        "metadata": {
            "project_name": "lending",
            "generated_at": "2026-01-01T00:00:00Z",
        },
        "nodes": {node["unique_id"]: node},
        "groups": {"group.lending.team": {"name": "team", "owner": {"name": "T"}}},
        "exposures": {},
    }
    (root / "domains/lending/target/manifest.json").write_text(json.dumps(manifest))


def proposal(root, relation="loans_v1"):
    found = Discovery(root).proposal("lending", relation)
    (model,) = found["models"]
    return model


def column(model, name):
    return next(c for c in model["columns"] if c["name"] == name)


def test_a_proposal_is_a_valid_contract_that_opens_nothing(mesh):
    model = proposal(mesh)
    block = validated(ProductContract, model["config"]["meta"]["mesh"], "proposal")
    assert (block.status, block.classification) == ("draft", "restricted")
    assert block.allow == ()
    assert block.product == "lending.loans"
    assert model["config"]["contract"] == {"enforced": True}
    for found in model["columns"]:
        validated(ColumnContract, found.get("config", {}), found["name"])


def test_a_proposal_has_every_column_with_its_type(mesh):
    model = proposal(mesh)
    assert [(c["name"], c["data_type"]) for c in model["columns"]] == [
        ("id", "integer"),
        ("amount", "decimal(12,2)"),
        ("grade", "varchar"),
        ("paid", "boolean"),
    ]


def test_only_what_is_never_missing_is_promised_so(mesh):
    sql(mesh, "insert into main.loans_v1 values (99, null, 'x', null)")
    model = proposal(mesh)
    assert {"type": "not_null"} in column(model, "grade")["constraints"]
    assert "constraints" not in column(model, "amount")
    assert "constraints" not in column(model, "paid")


def test_the_likeliest_key_is_proposed_with_its_test(mesh):
    found = column(proposal(mesh), "id")
    assert {"type": "primary_key"} in found["constraints"]
    assert found["data_tests"] == ["unique"]


def test_a_key_of_two_columns_belongs_to_the_model(mesh):
    sql(
        mesh,
        "create table pairs as select i // 7 as a, i % 7 as b, 1 as c "
        "from range(49) r(i)",
    )
    model = proposal(mesh, "pairs")
    assert model["constraints"] == [{"type": "primary_key", "columns": ["a", "b"]}]
    assert "data_tests" not in column(model, "a")


def test_of_an_empty_table_nothing_is_promised_that_nobody_saw(mesh):
    sql(mesh, "delete from main.loans_v1")
    model = proposal(mesh)
    assert column(model, "id")["constraints"] == [{"type": "not_null"}]
    assert "constraints" not in column(model, "grade")


def test_the_version_in_a_tables_name_is_the_models(mesh):
    model = proposal(mesh)
    assert (model["latest_version"], model["versions"]) == (1, [{"v": 1}])
    sql(mesh, "create table plain (a integer)")
    assert "versions" not in proposal(mesh, "plain")


def test_a_proposal_never_holds_a_value(mesh):
    sql(
        mesh,
        "create type grade as enum ('secret_a')",
        "create table graded as select 'secret_a'::grade as g, 123456789 as n",
    )
    for relation in ("loans_v1", "graded"):
        text = json.dumps(Discovery(mesh).proposal("lending", relation))
        assert "secret" not in text
        assert "123456789" not in text


def test_a_written_proposal_is_yaml_that_the_mesh_reads(mesh, tmp_path):
    found = Discovery(mesh).proposal("lending", "loans_v1")
    file = tmp_path / "loans.yml"
    file.write_text(proposal_text(found, "lending.loans_v1\n- evil: true"))
    assert read_yaml(file) == found
    assert yaml.safe_load(file.read_text()) == found


@pytest.mark.parametrize(
    "name", ["loans_v1", "main.loans_v1", "loans", "lending.loans"]
)
def test_a_relation_goes_by_its_name_or_its_products(mesh, name):
    shape = Discovery(mesh).shape("lending", name)
    assert (shape.schema, shape.name) == ("main", "loans_v1")


def test_a_relation_that_is_not_there_is_told_with_the_nearest(mesh):
    with pytest.raises(UsageError) as told:
        Discovery(mesh).shape("lending", "loans_v2")
    assert "loans_v1" in told.value.remedy


def test_a_name_in_two_schemas_must_be_said_in_full(mesh):
    sql(mesh, "create schema other", "create table other.loans_v1 (a integer)")
    with pytest.raises(UsageError) as told:
        Discovery(mesh).shape("lending", "loans_v1")
    assert "main.loans_v1, other.loans_v1" in told.value.remedy
    assert Discovery(mesh).shape("lending", "other.loans_v1").columns[0].name == "a"


@pytest.mark.parametrize("domain", ["trading", "..", "../lending", "", "lending/."])
def test_only_the_meshs_own_domains_are_looked_at(mesh, domain):
    with pytest.raises(UsageError):
        Discovery(mesh).shape(domain, "loans_v1")


@pytest.mark.parametrize("name", ["a b", "ünï", "a-b", "1a", "a;b"])
def test_a_column_that_no_contract_can_name_is_refused(mesh, name):
    sql(mesh, f'create table odd (fine integer, "{name}" integer)')
    with pytest.raises(ContractError) as told:
        proposal(mesh, "odd")
    assert "number 2" in told.value.problem


@pytest.mark.parametrize("name", ["Loans", "a b", "x" * 65])
def test_a_table_that_no_product_can_be_called_is_refused(mesh, name):
    sql(mesh, f'create table "{name}" (a integer)')
    with pytest.raises(ContractError):
        proposal(mesh, name)


def differences(root):
    return Discovery(root).differences("lending", "loans")


def test_a_table_that_is_as_promised_differs_in_nothing(mesh):
    assert differences(mesh) == ()


def test_the_spelling_of_a_type_or_a_name_is_no_difference(mesh):
    promise(
        mesh,
        key=("ID",),
        **{"id": None, "ID": ("INT4", True), "paid": ("LOGICAL", False)},
    )
    assert differences(mesh) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"rate": ("double", False)},
            Difference(kind="missing", column="rate", contract="double", table=""),
        ),
        (
            {"paid": None},
            Difference(kind="extra", column="paid", contract="", table="boolean"),
        ),
        (
            {"amount": ("decimal(12,3)", False)},
            Difference(
                kind="type",
                column="amount",
                contract="decimal(12,3)",
                table="decimal(12,2)",
            ),
        ),
    ],
)
def test_what_is_missing_extra_or_of_another_type_is_told(mesh, changes, expected):
    promise(mesh, **changes)
    assert differences(mesh) == (expected,)


def test_a_missing_value_where_none_is_promised_is_told(mesh):
    sql(mesh, "insert into main.loans_v1 values (99, null, null, null)")
    (found,) = differences(mesh)  # amount and paid may be missing
    assert (found.kind, found.column) == ("nulls", "grade")


@pytest.mark.parametrize(
    ("key", "told"),
    [(("grade",), ["grade"]), (("grade", "amount"), ["grade, amount"]), ((), [])],
)
def test_a_key_that_identifies_nothing_is_told(mesh, key, told):
    promise(mesh, key=key, amount=("decimal(12,2)", False))
    found = [d for d in differences(mesh) if d.kind == "key"]
    assert [d.column for d in found] == told


def test_a_key_that_is_not_built_is_missing_and_not_broken(mesh):
    promise(mesh, key=("rate",), rate=("double", False))
    assert [d.kind for d in differences(mesh)] == ["missing"]


def test_a_difference_never_tells_what_an_enum_holds(mesh):
    sql(
        mesh,
        "create type grade as enum ('secret_a')",
        "create or replace table main.loans_v1 as "
        "select 1 as id, 1::decimal(12, 2) as amount, 'secret_a'::grade as grade, "
        "true as paid",
    )
    (found,) = differences(mesh)
    assert (found.kind, found.table) == ("type", "enum")


def test_a_table_that_is_no_products_has_no_contract_to_differ_from(mesh):
    sql(mesh, "create table notes (a integer)")
    with pytest.raises(UsageError) as told:
        Discovery(mesh).differences("lending", "notes")
    assert "main.notes" in told.value.problem


def test_a_domain_that_is_not_built_says_so(mesh):
    (mesh / "domains/lending/target/manifest.json").unlink()
    with pytest.raises(BuildError):
        Discovery(mesh).differences("lending", "loans_v1")


def test_a_key_that_is_too_much_to_look_at_is_not_called_broken(mesh, monkeypatch):
    monkeypatch.setattr(Crawler, "identifies", lambda *_: None)
    assert differences(mesh) == ()
