"""What lint finds in a mesh that dbt has parsed, one spoiled word at a time."""

import copy
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fl_plugin.contracts.area import Contracts
from fl_plugin.contracts.codeowners import FILE
from fl_plugin.errors import UsageError
from tests.unit.contracts.conftest import MODEL, column, group, mesh, node

DOMAIN = "consumer_banking"


@dataclass
class Linted:
    """A mesh whose one domain can be edited; called, it returns what lint finds."""

    root: Path
    own: dict[str, Any]

    def __call__(self, edit=lambda raw: None, level="error", only=DOMAIN):
        content = copy.deepcopy(self.own)
        edit(content)
        path = self.root / "domains" / DOMAIN / "target" / "manifest.json"
        path.write_text(json.dumps(content))
        found = Contracts(self.root).lint(only)
        return [f for f in found if f.level == level]


@pytest.fixture
def linted(mesh_folder):
    Contracts(mesh_folder).codeowners.write()
    path = mesh_folder / "domains" / DOMAIN / "target" / "manifest.json"
    return Linted(mesh_folder, json.loads(path.read_text()))


def rules(found):
    return {f.rule for f in found}


def test_the_mesh_as_it_is_has_no_error(linted):
    assert linted(only=None) == []


def no_tests(raw):
    for i in [i for i in raw["nodes"] if i.startswith("test.")]:
        del raw["nodes"][i]


def no_upstream(raw):
    node(raw)["depends_on"]["nodes"] = []


def no_group(raw):
    node(raw)["group"] = node(raw)["config"]["group"] = None


def no_key(raw):
    node(raw)["columns"]["customer_id"]["constraints"] = []
    column(raw, "customer_id")["roles"] = []


def no_label(raw):
    column(raw, "is_bad")["roles"] = ["feature"]
    column(raw, "is_bad").pop("label_sharing")


def unenforced(raw):
    node(raw)["contract"]["enforced"] = False
    node(raw)["config"]["contract"]["enforced"] = False


SPOILED = [
    ("valid", lambda raw: mesh(raw).update(words="unknown")),
    ("valid", lambda raw: mesh(raw).update(classification="secret")),
    ("valid", lambda raw: mesh(raw).update(purposes=["credit_risk", "marketing"])),
    ("valid", lambda raw: mesh(raw).update(min_cohort=5)),
    ("valid", lambda raw: column(raw, "age").update(roles=["target"])),
    ("valid", no_group),
    ("ownership", lambda raw: group(raw).update(name="")),
    ("ownership", lambda raw: group(raw).update(email="")),
    ("ownership", lambda raw: group(raw).update(stewards=[])),
    ("ownership", lambda raw: group(raw).update(support="")),
    ("ownership", lambda raw: group(raw)["stewards"].pop()),
    ("technical", lambda raw: node(raw)["columns"]["age"].update(data_type="")),
    ("technical", lambda raw: node(raw)["columns"].clear()),
    ("technical", no_key),
    ("technical", lambda raw: node(raw).update(schema="")),
    ("technical", unenforced),
    ("business", lambda raw: node(raw).update(description=" ")),
    ("business", lambda raw: node(raw)["columns"]["age"].update(description="")),
    ("business", lambda raw: node(raw).update(description="Credits. TODO: of whom.")),
    ("business", lambda raw: node(raw)["columns"]["age"].update(description="TODO")),
    ("tracking", no_upstream),
    ("tracking", lambda raw: mesh(raw).pop("retention_days")),
    ("quality", no_tests),
    ("quality", lambda raw: mesh(raw)["quality"].pop("validity")),
    ("quality", lambda raw: mesh(raw).pop("freshness_hours")),
    ("access", lambda raw: mesh(raw).update(allow=[])),
    ("access", lambda raw: mesh(raw).pop("approval")),
    ("access", lambda raw: node(raw).update(access="private")),
    ("location", lambda raw: node(raw).update(database="auto_finance")),
    ("codeowners", lambda raw: group(raw)["stewards"].append("new@bank.example")),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILED)
def test_what_is_missing_or_wrong_is_an_error_that_says_what_to_do(linted, rule, spoil):
    found = linted(spoil)
    assert rule in rules(found)
    assert all(f.sentence and f.remedy and f.where for f in found)


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("tracking", lambda raw: node(raw).update(version=None, latest_version=None)),
        ("business", lambda raw: column(raw, "age").pop("classification")),
        ("access", lambda raw: mesh(raw).pop("min_cohort")),
        ("modelling", lambda raw: column(raw, "age").pop("bounds")),
        ("modelling", no_label),
        ("modelling", lambda raw: column(raw, "customer_id").update(roles=[])),
        ("ownership", lambda raw: raw["nodes"].pop(MODEL)),
    ],
)
def test_what_could_be_better_is_a_warning(linted, rule, spoil):
    before = linted(level="warning")
    assert rule in rules(set(linted(spoil, level="warning")) - set(before))


def test_text_without_accepted_values_is_a_warning(linted):
    def edit(raw):
        gone = [
            i
            for i, n in raw["nodes"].items()
            if n.get("column_name") == "job" and "accepted_values" in i
        ]
        for i in gone:
            del raw["nodes"][i]

    (found,) = [f for f in linted(edit, "warning") if f.rule == "modelling"]
    assert found.where.endswith("job")


def test_a_domain_that_was_never_parsed_is_told_with_the_command(linted):
    (linted.root / "domains" / DOMAIN / "target" / "manifest.json").unlink()
    found = Contracts(linted.root).lint()
    (one,) = [f for f in found if f.rule == "parsed"]
    assert one.where == DOMAIN
    assert one.remedy == f"Parse it: cd domains/{DOMAIN} && dbt parse"


def test_a_contract_that_was_edited_since_is_not_linted_from_memory(linted):
    file = next((linted.root / "domains" / DOMAIN).glob("models/products/*.yml"))
    later = time.time() + 5
    os.utime(file, (later, later))
    (one,) = [f for f in Contracts(linted.root).lint() if f.rule == "parsed"]
    assert "changed since it was parsed" in one.sentence


def test_one_broken_domain_hides_no_other(linted):
    (linted.root / "domains" / "auto_finance" / "target" / "manifest.json").write_text(
        "{"
    )
    found = linted(lambda raw: mesh(raw).update(allow=[]), only=None)
    assert {"parsed", "access"} <= rules(found)


def test_one_domain_can_be_linted_alone(linted):
    (linted.root / "domains" / "auto_finance" / "target" / "manifest.json").unlink()
    assert linted(only=DOMAIN) == []
    with pytest.raises(UsageError, match="There is no domain"):
        linted(only="nowhere")


def test_settings_and_approvals_that_cannot_be_read_are_errors(linted):
    folder = linted.root / "domains" / DOMAIN
    for name in ("approvals.yml", "node.yml"):
        before = (folder / name).read_text() if (folder / name).exists() else None
        (folder / name).write_text("a: *b")
        assert "valid" in rules(linted())
        (folder / name).unlink() if before is None else (folder / name).write_text(
            before
        )
    assert linted() == []


def test_a_node_of_another_domain_is_an_error(linted):
    file = linted.root / "domains" / DOMAIN / "node.yml"
    settings = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(settings | {"domain": "auto_finance"}))
    assert "location" in rules(linted())


def test_a_product_of_the_root_project_is_nobody_s(linted, raw):
    path = linted.root / "target" / "manifest.json"
    content = json.loads(path.read_text())
    stray = copy.deepcopy(content["nodes"][MODEL])
    stray |= {
        "unique_id": "model.data_mesh.stray",
        "package_name": "data_mesh",
        "name": "stray",
        "group": "mesh",
    }
    stray["config"]["group"] = "mesh"
    stray["config"]["meta"]["mesh"]["product"] = "data_mesh.stray"
    content["nodes"][stray["unique_id"]] = stray
    path.write_text(json.dumps(content))
    found = linted(only=None)
    assert [f.where for f in found if f.rule == "ownership"] == ["data_mesh.stray v1"]


def test_a_floor_that_the_domain_says_is_broken_is_an_error(linted):
    path = linted.root / "domains" / DOMAIN / "target" / "quality.json"
    told = {
        "domain": DOMAIN,
        "products": [
            {
                "product": f"{DOMAIN}.credit_profile",
                "version": 1,
                "built_at": "2026-11-20T00:00:00Z",
                "measured_at": "2026-11-20T00:00:00Z",
                "as_of": "2026-11-20T00:00:00Z",
                "rows": "about 500",
                "broken": {"validity": "2026-11-20T00:00:00Z"},
            }
        ],
    }
    path.write_text(json.dumps(told))
    assert [f.sentence for f in linted() if f.rule == "quality"] == [
        "It is below its own floor: validity."
    ]
    warned = linted(lambda raw: mesh(raw)["quality"].update(on_breach="warn"))
    assert warned == []


def test_codeowners_give_each_domain_its_own_files(mesh_folder):
    owners = Contracts(mesh_folder).codeowners
    lines = owners.text().splitlines()
    (mine,) = [line for line in lines if line.startswith(f"/domains/{DOMAIN}/ ")]
    assert mine.split()[1:] == [
        "data-products.consumer@bank.example",
        "risk.consumer@bank.example",
        "steward.consumer@bank.example",
    ]
    (shared,) = [line for line in lines if line.startswith("/mesh_policy.yml ")]
    assert "mesh-governance@bank.example" in shared
    assert lines.index(shared) < lines.index(mine)  # the last line that fits counts
    assert owners.text() == owners.text()


def test_codeowners_are_stale_when_a_steward_changes(linted):
    def edit(raw):
        group(raw)["stewards"] = ["a@bank.example", "b@bank.example"]

    assert "codeowners" in rules(linted(edit, only=None))
    Contracts(linted.root).codeowners.write()
    assert linted(edit, only=None) == []
    assert not [p for p in (linted.root / FILE).parent.iterdir() if p.name != FILE.name]


@pytest.mark.parametrize(
    "line",
    ["* boss@bank.example", "/domains/ boss@bank.example", "/domains/*/node.yml x@y.z"],
)
def test_a_line_below_that_takes_a_domain_s_files_away_is_found(linted, line):
    file = linted.root / FILE
    file.write_text(f"{file.read_text()}{line}\n")
    assert "codeowners" in rules(linted())


def test_codeowners_refuse_an_address_that_would_be_another_line(linted):
    found = linted(lambda raw: group(raw).update(email="a@b.example\n* x@y.example"))
    assert "not a plain one" in " ".join(f.sentence for f in found)


def test_a_missing_file_is_told(mesh_folder):
    (mesh_folder / FILE).unlink(missing_ok=True)
    found = Contracts(mesh_folder).lint()
    assert ".github/CODEOWNERS is missing." in {f.sentence for f in found}
