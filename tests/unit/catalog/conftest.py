"""A small mesh as dbt leaves it in target/, and ways to change it."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.catalog.reading import read_view
from fl_plugin.catalog.view import TrainedModel, View
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PRODUCT = "model.lending.credit_profile.v1"
STAGING = "model.lending.stg_credit"
GRANT = "exposure.lending.g_credit_risk"
STUDY = "exposure.data_mesh.credit_risk"
POLICY = """\
purposes: [credit_risk, fraud_detection]
uses: [aggregate, train_horizontal, train_vertical, evaluate, predict, query]
classifications: [public, internal, confidential, restricted]
pii: [identifier, quasi, sensitive]
roles: [join_key, feature, label, protected]
tags: {region: [eu]}
floors: {min_cohort: 10}
"""
PAGE = (
    '<script>var n={manifest:"MANIFEST.JSON INLINE DATA",'
    'catalog:"CATALOG.JSON INLINE DATA"}</script>'
)
MESH: dict[str, Any] = {
    "product": "lending.credit_profile",
    "status": "active",
    "classification": "confidential",
    "tags": {"region": "eu"},
    "purposes": ["credit_risk", "fraud_detection"],
    "uses": ["aggregate", "train_horizontal", "evaluate"],
    "allow": [
        {
            "consumer": {"org_unit": ["ml_coe"]},
            "purposes": ["credit_risk"],
            "uses": ["train_horizontal", "evaluate"],
        }
    ],
    "deny": [{"consumer": {"org_unit": ["marketing"]}, "columns": {"pii": ["quasi"]}}],
    "row_filter": "age >= 18 and not coalesce(opt_out, false)",
    "min_cohort": 25,
    "quality": {"completeness": 0.98},
    "freshness_hours": 24,
    "retention_days": 730,
}


def column(name: str, data_type: str, mesh: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"The {name}.",
        "data_type": data_type,
        "constraints": [{"type": "primary_key"}] if name == "customer_id" else [],
        "meta": {"mesh": mesh},
        "config": {"meta": {"mesh": mesh}},
        "tags": [],
    }


COLUMNS: dict[str, tuple[str, dict[str, Any]]] = {
    "customer_id": ("varchar", {"roles": ["join_key"], "classification": "restricted"}),
    "age": ("integer", {"roles": ["feature"], "pii": "quasi", "bounds": [18, 100]}),
    "sex": ("varchar", {"roles": ["protected"], "uses": ["evaluate"]}),
    "is_bad": ("boolean", {"roles": ["label"], "classification": "restricted"}),
}
OWNER = {
    "name": "Lending team",
    "email": "lending@bank.example",
    "stewards": ["steward.lending@bank.example", "risk.lending@bank.example"],
    "support": "#lending",
}


def exposure(unique_id: str, mesh: dict[str, Any]) -> dict[str, Any]:
    _, package, name = unique_id.split(".")
    return {
        "name": name,
        "resource_type": "exposure",
        "package_name": package,
        "type": "ml",
        "label": "Credit risk",
        "description": "What the owner says.",
        "owner": {"name": "ML CoE", "email": "ml-coe@bank.example"},
        "meta": {"mesh": mesh},
        "config": {"enabled": True, "meta": {"mesh": mesh}},
        "depends_on": {"macros": [], "nodes": [PRODUCT]},
    }


def model(unique_id: str, meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "unique_id": unique_id,
        "package_name": "lending",
        "name": unique_id.split(".")[2],
        "alias": "credit_profile_v1",
        "database": "lending",
        "schema": "main",
        "description": "One row per *application*.\n\nMore of it.",
        "access": "public",
        "group": "lending",
        "version": 1 if unique_id == PRODUCT else None,
        "latest_version": 1 if unique_id == PRODUCT else None,
        "tags": ["data_product"],
        "raw_code": "select 1",
        "root_path": "/home/somebody/mesh",
        "contract": {"enforced": True},
        "constraints": [],
        "meta": meta,
        "config": {"materialized": "table", "meta": meta},
        "columns": {},
    }


MANIFEST: dict[str, Any] = {
    "metadata": {
        "dbt_version": "1.12.0",
        "generated_at": "2026-11-21T04:32:19Z",
        "project_name": "data_mesh",
        "user_id": "somebody",
    },
    "nodes": {
        PRODUCT: model(PRODUCT, {"mesh": MESH, "cost_centre": "42"})
        | {"columns": {n: column(n, t, m) for n, (t, m) in COLUMNS.items()}},
        STAGING: model(STAGING, {}),
    },
    "groups": {
        "group.lending.lending": {
            "name": "lending",
            "package_name": "lending",
            "owner": OWNER,
        }
    },
    "exposures": {
        GRANT: exposure(
            GRANT,
            {
                "request": {
                    "study": "credit_risk",
                    "consumer": "ml_coe",
                    "by": "ml-coe@bank.example",
                    "at": "2026-11-02",
                    "purpose": "credit_risk",
                    "uses": ["train_horizontal", "evaluate"],
                    "columns": ["age", "is_bad"],
                    "days": 90,
                },
                "decision": {
                    "status": "approved",
                    "by": OWNER["stewards"],
                    "at": "2026-11-04",
                    "expires": "2027-01-30",
                    "policy": "sha256:" + "0" * 64,
                },
            },
        ),
        STUDY: exposure(
            STUDY,
            {
                "consumer": "ml_coe",
                "purpose": "credit_risk",
                "mode": "horizontal",
                "algorithm": {"name": "logistic_regression", "l2": 1.0},
                "target": "is_bad",
                "features": ["age"],
            },
        ),
    },
    "docs": {
        "doc.dbt.__overview__": {
            "name": "__overview__",
            "package_name": "dbt",
            "block_contents": "Welcome to dbt!",
        }
    },
    "parent_map": {PRODUCT: [STAGING], STAGING: ["seed.lending.raw_credit"]},
    "child_map": {PRODUCT: ["test.lending.a.1", "exposure.data_mesh.credit_risk"]},
}


def stats(**values: Any) -> dict[str, Any]:
    return {name: {"id": name, "value": value} for name, value in values.items()}


CATALOG: dict[str, Any] = {
    "metadata": {},
    "nodes": {
        PRODUCT: {
            "metadata": {"name": "credit_profile_v1", "comment": "x"},
            "columns": {},
            "stats": stats(
                row_count=500,
                bytes=67000,
                last_built="2026-11-21 04:50 UTC",
                completeness=99.5,
                validity=100.0,
            ),
        }
    },
    "sources": {},
    "errors": None,
}


class SmallMesh:
    """Its folder and artifacts; what is changed here is written by `view`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = deepcopy(MANIFEST)
        self.catalog = deepcopy(CATALOG)
        self.product = self.manifest["nodes"][PRODUCT]
        self.mesh = self.product["config"]["meta"]["mesh"]
        self.group = self.manifest["groups"]["group.lending.lending"]
        self.grant = self.manifest["exposures"][GRANT]
        self.decision = self.grant["config"]["meta"]["mesh"]["decision"]
        self.stats = self.catalog["nodes"][PRODUCT]["stats"]

    def write(self, *, confirm: bool = True) -> Path:
        """Write the artifacts; the grant is of today's policy unless told not to."""
        target = self.root / "target"
        target.mkdir(exist_ok=True)
        (self.root / "mesh_policy.yml").write_text(POLICY)
        path = target / "manifest.json"
        path.write_text(json.dumps(self.manifest))
        product = read_manifest(path).products.get("lending.credit_profile")
        if confirm and product is not None:
            self.decision["policy"] = policy_fingerprint(product)
            path.write_text(json.dumps(self.manifest))
        (target / "catalog.json").write_text(json.dumps(self.catalog))
        (target / "index.html").write_text(PAGE)
        return self.root

    def view(
        self, *, confirm: bool = True, models: dict[str, TrainedModel] | None = None
    ) -> View:
        return read_view(self.write(confirm=confirm), NOW, models)


@pytest.fixture
def small(tmp_path: Path) -> SmallMesh:
    return SmallMesh(tmp_path)
