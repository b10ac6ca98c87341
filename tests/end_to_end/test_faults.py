"""Whatever is wrong: one sentence, its own exit code, a record, nothing half-done."""

import json
import re
import subprocess
import sys

import duckdb
import pytest

from fl_plugin import Mesh, MeshError
from fl_plugin.errors import (
    BuildError,
    ContractError,
    PolicyError,
    StorageError,
    UsageError,
)
from fl_plugin.ledger.record import AuditRecord
from fl_plugin.ledger.store import Ledger
from fl_plugin.party import database

pytestmark = pytest.mark.slow
AUTO = "domains/auto_finance"
FILE = f"{AUTO}/data/auto_finance.duckdb"


def edit(path, old, new):
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def change_mesh(root, domain, change):
    """Change the `mesh` block of a domain's product in its own manifest."""
    path = root / f"domains/{domain}/target/manifest.json"
    manifest = json.loads(path.read_text())
    (node,) = (
        n
        for n in manifest["nodes"].values()
        if n["resource_type"] == "model" and n["name"] == "credit_profile"
    )
    change(node)
    path.write_text(json.dumps(manifest))


def change_study(root, change):
    path = root / "target/manifest.json"
    manifest = json.loads(path.read_text())
    study = manifest["exposures"]["exposure.data_mesh.credit_risk"]
    for block in (study.get("meta", {}), study["config"]["meta"]):
        if "mesh" in block:
            change(block["mesh"])
    path.write_text(json.dumps(manifest))


def table(root):
    with duckdb.connect(root / FILE) as file:
        found = file.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where table_name like 'credit_profile%'"
        ).fetchall()
    return found[0][0]


def run_sql(root, statement):
    name = table(root)
    with duckdb.connect(root / FILE) as file:
        file.execute(statement.format(table=name))


def widen(node):
    blocks = [b for b in (node.get("meta", {}), node["config"]["meta"]) if "mesh" in b]
    for block in blocks:
        block["mesh"]["min_cohort"] = 30


def misspell(node):
    blocks = [b for b in (node.get("meta", {}), node["config"]["meta"]) if "mesh" in b]
    for block in blocks:
        block["mesh"]["retention"] = block["mesh"].pop("retention_days")


def restrict_age(node):
    column = node["columns"]["age"]
    for block in (column.get("meta", {}), column["config"]["meta"]):
        if "mesh" in block:
            block["mesh"]["classification"] = "restricted"


FAULTS = {
    "an unbuilt domain": (
        lambda root: (root / f"{AUTO}/target/manifest.json").unlink(),
        BuildError,
        "dbt build",
    ),
    "a missing database": (
        lambda root: (root / FILE).unlink(),
        BuildError,
        "database of auto_finance does not exist",
    ),
    "a corrupt database": (
        lambda root: (root / FILE).write_bytes(b"no database" * 1000),
        StorageError,
        "database of auto_finance is not a DuckDB database",
    ),
    "an empty database": (
        lambda root: (root / FILE).write_bytes(b""),
        MeshError,
        "auto_finance",
    ),
    "a manifest that is cut": (
        lambda root: (root / f"{AUTO}/target/manifest.json").write_text('{"metadata'),
        BuildError,
        "not valid JSON",
    ),
    "a column that is gone": (
        lambda root: run_sql(root, "alter table {table} rename age to years"),
        PolicyError,
        "auto_finance",
    ),
    "a column of another type": (
        lambda root: run_sql(root, "alter table {table} alter duration type varchar"),
        PolicyError,
        "auto_finance",
    ),
    "an expired grant": (
        lambda root: edit(
            root / f"{AUTO}/target/manifest.json", "2027-10-30", "2026-11-05"
        ),
        PolicyError,
        "grant",
    ),
    "a policy that has changed": (
        lambda root: change_mesh(root, "auto_finance", widen),
        PolicyError,
        "policy",
    ),
    "a column whose classification has changed": (
        lambda root: change_mesh(root, "auto_finance", restrict_age),
        PolicyError,
        "Auto Finance",
    ),
    "an unknown word in a contract": (
        lambda root: change_mesh(root, "auto_finance", misspell),
        ContractError,
        "retention",
    ),
    "a broken node.yml": (
        lambda root: (root / f"{AUTO}/node.yml").write_text("domain: [auto"),
        ContractError,
        "node.yml",
    ),
    "a broken mesh_policy.yml": (
        lambda root: (root / "mesh_policy.yml").write_text("purposes: {a: *b}"),
        ContractError,
        "mesh_policy.yml",
    ),
    "a column that is not granted": (
        lambda root: change_study(
            root, lambda mesh: mesh["features"].append("foreign_worker")
        ),
        PolicyError,
        "foreign_worker",
    ),
    "a column that no product has": (
        lambda root: change_study(root, lambda mesh: mesh["features"].append("shoe")),
        ContractError,
        "shoe",
    ),
    "an algorithm that is not allowed": (
        lambda root: change_study(root, lambda mesh: mesh["algorithm"].update(l2=1e6)),
        PolicyError,
        "l2",
    ),
    "a consumer that nobody knows": (
        lambda root: change_study(root, lambda mesh: mesh.update(consumer="stranger")),
        PolicyError,
        "consumer",
    ),
}
# Before the domain can read its own files it has no request to put on record.
RECORDED = {name for name, (_, kind, _) in FAULTS.items() if kind is PolicyError} | {
    "a missing database",
    "a corrupt database",
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_told_in_one_sentence_and_leaves_nothing(fault, mesh_folder):
    cause, kind, words = FAULTS[fault]
    cause(mesh_folder)
    with pytest.raises(kind) as caught:
        Mesh.open(mesh_folder).train("credit_risk")
    shown = f"{caught.value.problem} {caught.value.remedy}"
    assert words.lower() in shown.lower()
    assert caught.value.remedy
    assert "Traceback" not in shown
    assert not list((mesh_folder / "registry").rglob("run.json"))
    assert not list((mesh_folder / "registry").rglob("*.draft"))
    if fault in RECORDED:
        assert refusals(mesh_folder)


def refusals(root):
    found: list[AuditRecord] = []
    for path in root.glob("domains/*/ledger/ledger.sqlite"):
        with Ledger.open(path) as ledger:
            found += ledger.show(action="refuse")
    return found


def test_a_locked_database_names_who_holds_it(mesh_folder, monkeypatch):
    monkeypatch.setattr(database, "LOCK_WAIT_SECONDS", 0.3)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); "
            "print('open', flush=True); time.sleep(60)",
            mesh_folder / FILE,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StorageError) as caught:
            Mesh.open(mesh_folder).train("credit_risk")
        holder.kill()
    assert f"process {holder.pid}" in caught.value.problem
    assert "auto_finance" in caught.value.problem


def test_an_unknown_study_lists_those_there_are(mesh_folder):
    with pytest.raises(UsageError) as caught:
        Mesh.open(mesh_folder).train("credit_riks")
    assert "credit_risk" in caught.value.remedy


def test_a_folder_without_a_mesh_is_said_to_be_none(tmp_path):
    with pytest.raises(UsageError, match=r"mesh_policy\.yml"):
        Mesh.open(tmp_path)


def test_one_domain_s_fault_leaves_the_others_databases_alone(mesh_folder):
    others = [
        p for p in mesh_folder.glob("domains/*/data/*.duckdb") if "auto" not in p.name
    ]
    before = [p.read_bytes() for p in others]
    (mesh_folder / FILE).unlink()
    with pytest.raises(MeshError):
        Mesh.open(mesh_folder).train("credit_risk")
    assert [p.read_bytes() for p in others] == before


def test_a_run_leaves_the_databases_as_they_were(mesh_folder):
    paths = sorted(mesh_folder.glob("domains/*/data/*"))
    before = [(p, p.read_bytes()) for p in paths]
    Mesh.open(mesh_folder).train("credit_risk")
    assert [
        (p, p.read_bytes()) for p in sorted(mesh_folder.glob("domains/*/data/*"))
    ] == before


def test_a_row_more_is_refused_until_enough_have_changed(mesh_folder):
    mesh = Mesh.open(mesh_folder)
    mesh.train("credit_risk")
    again = mesh.train("credit_risk")
    assert again.record.version == 2
    columns = "* replace ('C9999' as customer_id)"
    run_sql(
        mesh_folder, "insert into {table} select " + columns + " from {table} limit 1"
    )
    with pytest.raises(PolicyError) as caught:
        mesh.train("credit_risk")
    assert caught.value.reason == "cohort.too_close"
    assert not re.search(r"\d{3}", caught.value.problem)


def test_the_same_study_gives_the_same_model_again(mesh_folder):
    mesh = Mesh.open(mesh_folder)
    first, second = mesh.train("credit_risk"), mesh.train("credit_risk")
    assert first.record.model_digest == second.record.model_digest
    assert first.record.metrics == second.record.metrics


def test_the_record_of_a_run_matches_the_ledgers(mesh_folder):
    run = Mesh.open(mesh_folder).train("credit_risk").record
    for domain, head in run.audit_heads.items():
        with Ledger.open(
            mesh_folder / f"domains/{domain}/ledger/ledger.sqlite"
        ) as ledger:
            records = ledger.show(run=run.run)
            assert ledger.head() == (head.sequence, head.hash)
        actions = [r.action for r in records]
        assert actions[:3] == ["decide", "decide", "open"]
        assert actions[-1] == "close"
        released = [r for r in records if r.action == "release"]
        assert all(r.released for r in released)
        assert len(released) == len({r.round for r in released})
