"""What a real mesh hands to other tools, and what is left when its time is over."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb
import jsonschema  # type: ignore[import-untyped] # it has no stubs
import pytest
import yaml

from fl_plugin import Mesh
from fl_plugin.contracts.yaml_text import yaml_text
from fl_plugin.errors import PolicyError
from fl_plugin.ledger import event_lines, run_events

ODCS = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
LINEAGE = json.loads(
    (Path(__file__).parents[1] / "data/openlineage_run_event.schema.json").read_text()
)
LENDERS = ("auto_finance", "commercial_banking", "consumer_banking")
pytestmark = pytest.mark.slow


def lineage(mesh):
    """Return the events of the mesh's audit, each looked at by the rules."""
    rules = jsonschema.Draft202012Validator(LINEAGE)
    found = [json.loads(line) for line in event_lines(run_events(mesh.audit()))]
    for event in found:
        rules.validate(event)
    return found


def test_every_product_of_the_demo_is_a_valid_odcs_document(built_mesh, tmp_path):
    exports = Mesh.open(built_mesh).exports
    found = exports.all_odcs()
    assert found.problems == {}
    exports.write(found.documents, tmp_path)
    documents = [yaml.safe_load(f.read_text()) for f in sorted(tmp_path.iterdir())]
    assert {d["name"] for d in documents} == {
        *(f"{lender}.credit_profile" for lender in LENDERS),
        "asset_management.wealth_profile",
    }
    for document in documents:
        jsonschema.Draft201909Validator(ODCS).validate(document)
        assert (built_mesh / document["servers"][0]["database"]).is_file()


def test_a_product_fresh_from_the_template_is_a_valid_odcs_document(mesh_folder):
    mesh = Mesh.open(mesh_folder)
    mesh.scaffold.domain("treasury")
    mesh.scaffold.product("treasury.positions")
    dbt = Path(sys.executable).with_name("dbt")
    folder = mesh_folder / "domains/treasury"
    subprocess.run([dbt, "parse"], cwd=folder, check=True, capture_output=True)
    document = mesh.exports.odcs("treasury.positions")
    jsonschema.Draft201909Validator(ODCS).validate(yaml.safe_load(yaml_text(document)))
    assert document["status"] == "draft"
    assert "roles" not in document  # nobody is allowed yet


def test_every_table_of_the_demo_is_built_as_its_contract_says(built_mesh):
    mesh = Mesh.open(built_mesh)
    products = [
        *((lender, "credit_profile") for lender in LENDERS),
        ("asset_management", "wealth_profile"),
    ]
    for domain, product in products:
        assert mesh.discovery.differences(domain, product) == ()


def test_a_column_that_changed_behind_the_contract_is_found(mesh_folder):
    file = mesh_folder / "domains/auto_finance/data/auto_finance.duckdb"
    with duckdb.connect(file) as database:
        table = "main.credit_profile_v1"
        database.execute(f"create table copy as select * exclude (age) from {table}")
        database.execute(f"drop table {table}")
        database.execute("alter table copy rename to credit_profile_v1")
    found = Mesh.open(mesh_folder).discovery.differences(
        "auto_finance", "credit_profile"
    )
    assert [(d.kind, d.column) for d in found] == [("missing", "age")]


def test_a_run_and_a_refusal_are_valid_lineage(mesh_folder):
    mesh = Mesh.open(mesh_folder)
    run = mesh.train("credit_risk").entry.run.run
    manifest = mesh_folder / "domains/auto_finance/target/manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"status": "approved"', '"status": "revoked"'))
    with pytest.raises(PolicyError):
        mesh.train("credit_risk")
    found = lineage(mesh)
    kinds: dict[str, list[str]] = {}
    for event in found:
        audit = event["run"]["facets"]["mesh_audit"]
        kinds.setdefault(audit["run"], []).append(event["eventType"])
    trained = kinds.pop(run)
    assert (trained[0], trained[-1]) == ("START", "COMPLETE")
    assert set(trained[1:-1]) == {"RUNNING"}
    assert [k[-1] for k in kinds.values()] == ["ABORT"]
    inputs = {(i["namespace"], i["name"]) for e in found for i in e["inputs"]}
    assert inputs == {(f"data-mesh/{d}", "credit_profile") for d in LENDERS}


def snapshot(folder: Path) -> dict[Path, str]:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


# The audit, the domain's key for signing masks, and the keys of those it has met.
LEDGER = ("ledger.sqlite", "identity.pem", "peers.json")


def test_a_run_keeps_no_copy_of_a_row(mesh_folder, tmp_path, monkeypatch):
    """Beside ledgers, keys and the registered model a run leaves no file anywhere.

    What stands in those is searched by `test_canaries`.
    """
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setenv("TMPDIR", str(spool))
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    before = snapshot(mesh_folder)
    home = snapshot(Path.cwd() / "registry")
    run = Mesh.open(mesh_folder).train("credit_risk").record.run
    after = snapshot(mesh_folder)
    written = {p.relative_to(mesh_folder) for p in after if before.get(p) != after[p]}
    assert set(before) <= set(after)
    assert {str(p) for p in written} == {
        *(f"domains/{d}/ledger/{name}" for d in LENDERS for name in LEDGER),
        *(f"domains/{d}/ledger/{f}" for d in LENDERS for f in leftover(mesh_folder, d)),
        *(f"runs/{run}/{name}" for name in ("lock", "rounds.jsonl", "state.json")),
        "registry/credit_risk/.lock",
        *(
            f"registry/credit_risk/v1/{name}"
            for name in (
                "model.skops",
                "run.json",
                "card.md",
                "report.html",
                "digests.json",
            )
        ),
    }
    assert list(spool.iterdir()) == []
    assert snapshot(Path.cwd() / "registry") == home


def leftover(root: Path, domain: str) -> list[str]:
    """Return SQLite's own files beside a ledger, which it removes by itself."""
    folder = root / "domains" / domain / "ledger"
    return [p.name for p in folder.iterdir() if p.name.startswith("ledger.sqlite-")]


def test_when_a_models_time_is_over_only_the_audit_and_a_tombstone_stay(mesh_folder):
    mesh = Mesh.open(mesh_folder)
    mesh.train("credit_risk")
    shutil.rmtree(mesh_folder / "logs", ignore_errors=True)
    for domain in (mesh_folder / "domains").iterdir():
        shutil.rmtree(domain / "logs", ignore_errors=True)
    draft = mesh_folder / "registry/credit_risk/.v2.draft"
    draft.mkdir()
    (draft / "model.skops").write_bytes(b"half a model")
    now = datetime.now(UTC)
    assert mesh.retention.apply(now=now).expired == ()
    soon = mesh.retention.apply(now=now + timedelta(days=2))
    assert [e.kind for e in soon.expired] == ["intermediate"]
    late = mesh.retention.apply(now=now + timedelta(days=731))
    assert [e.version for e in late.expired if e.kind == "model"] == [1]
    left = [p for p in (mesh_folder / "registry").rglob("*") if p.is_file()]
    assert sorted(p.name for p in left) == [".lock", "tombstone.json"]
    for domain, records in mesh.audit(action="retention").items():
        kinds = [r.rule for r in records if r.rule == "retention.model"]
        assert len(kinds) == (1 if domain in LENDERS else 0)
    assert all(v.ok for v in mesh.verify().values())
    assert mesh.models.entries == ()
