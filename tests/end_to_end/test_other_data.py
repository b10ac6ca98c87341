"""Data unlike the demo's: missing values, categories that no contract lists."""

import json
import re

import duckdb
import pytest

from fl_plugin import Mesh, PolicyError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint

pytestmark = pytest.mark.slow
LENDERS = ("auto_finance", "commercial_banking", "consumer_banking")


def confirm(root, domain):
    """Confirm the domain's grant for its policy as it now is."""
    path = root / f"domains/{domain}/target/manifest.json"
    found = read_manifest(path).products[f"{domain}.credit_profile"]
    text = re.sub(
        r'("policy": )"sha256:[0-9a-f]{64}"',
        rf'\1"{policy_fingerprint(found)}"',
        path.read_text(),
    )
    path.write_text(text)


def without_list(path, column):
    manifest = json.loads(path.read_text())
    nodes = manifest["nodes"]
    for name in [n for n in nodes if n.startswith("test.") and "accepted" in n]:
        if nodes[name].get("column_name") == column:
            del nodes[name]
    path.write_text(json.dumps(manifest))


def change(root, statement):
    for domain in LENDERS:
        with duckdb.connect(root / f"domains/{domain}/data/{domain}.duckdb") as file:
            for line in statement.split(";"):
                file.execute(line)


def test_missing_values_are_imputed_and_train(mesh_folder):
    change(
        mesh_folder,
        "alter table credit_profile_v1 alter duration drop not null;"
        "alter table credit_profile_v1 alter job drop not null;"
        "update credit_profile_v1 set duration = null where amount % 7 = 0;"
        "update credit_profile_v1 set job = null where amount % 5 = 0",
    )
    run = Mesh.open(mesh_folder).train("credit_risk")
    certificate, auc = run.record.certificate, run.record.metrics["roc_auc"].value
    assert certificate is not None
    assert certificate.distance_bound < 1e-9
    assert auc is not None
    assert auc > 0.6


def test_categories_that_no_contract_lists_are_the_union_of_the_frequent(mesh_folder):
    without_list(mesh_folder / "target/manifest.json", "job")
    for domain in LENDERS:
        without_list(mesh_folder / f"domains/{domain}/target/manifest.json", "job")
        confirm(mesh_folder, domain)
    run = Mesh.open(mesh_folder).train("credit_risk")
    (job,) = (c for c in run.record.preparation.categorical if c.name == "job")
    assert job.source == "union"
    assert "skilled" in job.categories
    assert any(left.form == "vocabulary" for left in run.record.left_domain)


def test_the_values_of_a_personal_column_do_not_leave(mesh_folder):
    def personal(path):
        manifest = json.loads(path.read_text())
        for node in manifest["nodes"].values():
            column = node.get("columns", {}).get("job")
            if node.get("name") == "credit_profile" and column:
                for block in (column.get("meta", {}), column["config"]["meta"]):
                    if "mesh" in block:
                        block["mesh"]["pii"] = "quasi"
        path.write_text(json.dumps(manifest))

    without_list(mesh_folder / "target/manifest.json", "job")
    for domain in LENDERS:
        path = mesh_folder / f"domains/{domain}/target/manifest.json"
        without_list(path, "job")
        personal(path)
        confirm(mesh_folder, domain)
    with pytest.raises(PolicyError) as caught:
        Mesh.open(mesh_folder).train("credit_risk")
    assert caught.value.reason == "vocabulary.restricted"
