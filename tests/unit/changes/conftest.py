"""A small mesh on disk whose manifest, builds and studies a test may change."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.changes.changes import Changes
from fl_plugin.changes.event import Event
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
V1, V2 = "model.lending.credit_profile.v1", "model.lending.credit_profile.v2"
GRANT, STUDY = "exposure.lending.g_risk", "exposure.data_mesh.credit_risk"
STEWARD, OWNER, ASKER = (
    "steward.lending@bank.example",
    "ml-coe@bank.example",
    "data-scientist.ml-coe@bank.example",
)
POLICY = """\
purposes: [credit_risk, fraud_detection]
uses: [aggregate, train_horizontal, evaluate]
classifications: [public, internal, confidential, restricted]
pii: [identifier, quasi, sensitive]
roles: [join_key, feature, label, protected]
floors: {min_cohort: 10}
"""
CONTRACT: dict[str, Any] = {
    "product": "lending.credit_profile",
    "status": "active",
    "classification": "confidential",
    "purposes": ["credit_risk"],
    "uses": ["train_horizontal", "evaluate"],
    "allow": [
        {
            "consumer": {"org_unit": ["ml_coe"]},
            "purposes": ["credit_risk"],
            "uses": ["train_horizontal"],
        }
    ],
    "row_filter": "age >= 18",
    "min_cohort": 25,
    "dp": {"epsilon": 4.0, "delta": 1e-5, "period_days": 365},
    "approval": {"approvers": 1, "restricted_approvers": 1, "max_days": 365},
    "quality": {"completeness": 0.9},
    "freshness_hours": 24,
}
COLUMNS: dict[str, tuple[str, dict[str, Any]]] = {
    "customer_id": ("varchar", {"roles": ["join_key"], "classification": "restricted"}),
    "age": ("integer", {"roles": ["feature"], "pii": "quasi"}),
    "is_bad": ("boolean", {"roles": ["label"]}),
}


def column(name: str, data_type: str, mesh: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"The {name}.",
        "data_type": data_type,
        "constraints": [{"type": "primary_key"}] if name == "customer_id" else [],
        "config": {"meta": {"mesh": deepcopy(mesh)}},
    }


def model(unique_id: str, version: int) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "unique_id": unique_id,
        "package_name": "lending",
        "name": "credit_profile",
        "alias": f"credit_profile_v{version}",
        "database": "lending",
        "schema": "main",
        "description": "One row per application.",
        "access": "public",
        "group": "lending",
        "version": version,
        "latest_version": 1,
        "contract": {"enforced": True},
        "constraints": [],
        "config": {"materialized": "table", "meta": {"mesh": deepcopy(CONTRACT)}},
        "columns": {n: column(n, t, m) for n, (t, m) in COLUMNS.items()},
    }


def exposure(unique_id: str, mesh: dict[str, Any], nodes: list[str]) -> dict[str, Any]:
    _, package, name = unique_id.split(".")
    return {
        "name": name,
        "package_name": package,
        "type": "ml",
        "owner": {"name": "ML CoE", "email": OWNER},
        "config": {"meta": {"mesh": mesh}},
        "depends_on": {"nodes": nodes},
    }


class Lending:
    """A mesh of one domain; what is changed here is published by `publish`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.folder = root / "domains" / "lending"
        self.versions = {V1: model(V1, 1)}
        self.owner = {"name": "Lending", "email": "", "stewards": [STEWARD]}
        self.request: dict[str, Any] = {
            "study": "credit_risk",
            "consumer": "ml_coe",
            "by": ASKER,
            "at": "2026-11-01",
            "purpose": "credit_risk",
            "uses": ["train_horizontal"],
            "columns": ["age", "is_bad"],
            "days": 90,
        }
        self.decision: dict[str, Any] = {
            "status": "approved",
            "by": [STEWARD],
            "at": "2026-11-02",
            "expires": "2027-01-20",
        }
        self.has_grant = True
        self.study: dict[str, Any] | None = {
            "consumer": "ml_coe",
            "purpose": "credit_risk",
            "mode": "horizontal",
            "algorithm": {"name": "logistic_regression", "l2": 1.0},
            "target": "is_bad",
            "features": ["age"],
        }
        self.built = NOW - timedelta(hours=2)
        self.measured: dict[str, Any] = {"completeness": 99.0}
        self.parses = 0

    @property
    def product(self) -> dict[str, Any]:
        return self.versions[V1]

    @property
    def contract(self) -> dict[str, Any]:
        block: dict[str, Any] = self.product["config"]["meta"]["mesh"]
        return block

    def mesh_of(self, name: str) -> dict[str, Any]:
        block: dict[str, Any] = self.product["columns"][name]["config"]["meta"]["mesh"]
        return block

    def publish(self, *, confirm: bool = False) -> "Lending":
        """Write every artifact, as a fresh parse would: nothing but `at` may differ.

        Args:
            confirm: Bind the grant to today's policy.
        """
        self.parses += 1
        (self.root / "mesh_policy.yml").write_text(POLICY)
        for folder in (self.folder, self.root):
            (folder / "target").mkdir(parents=True, exist_ok=True)
        (self.folder / "node.yml").write_text(
            "domain: lending\ndatabase: data/lending.duckdb\n"
        )
        self._write(self.folder, {GRANT: self._grant()} if self.has_grant else {})
        if confirm:
            path = self.folder / "target" / "manifest.json"
            found = read_manifest(path).products["lending.credit_profile"]
            self.decision["policy"] = policy_fingerprint(found)
            self._write(self.folder, {GRANT: self._grant()})
        study = {} if self.study is None else {STUDY: self._study()}
        self._write(self.root, study)
        self._results()
        return self

    def look(self) -> list[Event]:
        return list(self.changes.look().events)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.look()]

    @property
    def changes(self) -> Changes:
        return Changes(self.root, clock=lambda: self.now)

    def _grant(self) -> dict[str, Any]:
        known = {"policy": "sha256:" + "0" * 64} | self.decision
        return exposure(GRANT, {"request": self.request, "decision": known}, [V1])

    def _study(self) -> dict[str, Any]:
        assert self.study is not None
        return exposure(STUDY, self.study, [V1])

    def _write(self, folder: Path, exposures: dict[str, Any]) -> None:
        group = {"name": "lending", "package_name": "lending", "owner": self.owner}
        manifest = {
            "metadata": {
                "project_name": "data_mesh" if folder == self.root else "lending",
                "generated_at": f"2026-11-21T04:00:{self.parses % 60:02d}Z",
                "dbt_version": "1.12.0",
                "invocation_id": str(self.parses),
            },
            "nodes": self.versions,
            "groups": {"group.lending.lending": group},
            "exposures": exposures,
        }
        (folder / "target" / "manifest.json").write_text(json.dumps(manifest))

    def _results(self) -> None:
        stats = {n: {"value": v} for n, v in self.measured.items()}
        stats["last_built"] = {"value": f"{self.built:%Y-%m-%d %H:%M} UTC"}
        catalog = {"nodes": {V1: {"stats": stats}}}
        (self.root / "target" / "catalog.json").write_text(json.dumps(catalog))
        run = {
            "metadata": {"invocation_started_at": self.built.isoformat()},
            "results": [
                {"unique_id": node, "status": "success", "timing": []}
                for node in self.versions
            ],
        }
        path = self.folder / "target" / "run_results.json"
        path.write_text(json.dumps(run))


@pytest.fixture
def lending(tmp_path: Path) -> Lending:
    """A mesh that has been looked at once, its grant live."""
    mesh = Lending(tmp_path)
    mesh.publish(confirm=True)
    mesh.look()
    return mesh


@pytest.fixture
def new_mesh(tmp_path: Path) -> Lending:
    """A mesh that nobody has looked at."""
    mesh = Lending(tmp_path)
    mesh.publish(confirm=True)
    return mesh


@pytest.fixture
def after(lending: Lending) -> Callable[[Callable[[Lending], None]], list[Event]]:
    """Return the step: change, publish, look; and looking again finds no more."""

    def step(change: Callable[[Lending], None]) -> list[Event]:
        change(lending)
        lending.publish()
        found = lending.look()
        lending.publish()
        assert lending.look() == []
        return found

    return step
