"""A manifest as dbt 1.12 writes it, with only the parts that matter."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

DOMAIN = "consumer_banking"
UNIQUE_ID = f"model.{DOMAIN}.credit_profile.v1"
GRANT_ID = f"exposure.{DOMAIN}.g_credit_risk_ml_coe"
STUDY_ID = "exposure.data_mesh.credit_risk"
MESH: dict[str, Any] = {
    "product": f"{DOMAIN}.credit_profile",
    "status": "active",
    "classification": "confidential",
    "tags": {"lob": DOMAIN, "region": "eu", "subject": "customer"},
    "purposes": ["credit_risk"],
    "uses": ["train_horizontal", "evaluate"],
    "allow": [
        {
            "consumer": {"org_unit": ["ml_coe"]},
            "purposes": ["credit_risk"],
            "uses": ["train_horizontal", "evaluate"],
        }
    ],
    "min_cohort": 25,
}
GRANT: dict[str, Any] = {
    "request": {
        "study": "credit_risk",
        "consumer": "ml_coe",
        "by": "ml-coe@bank.example",
        "at": "2026-11-02",
        "purpose": "credit_risk",
        "uses": ["train_horizontal", "evaluate"],
        "columns": ["age", "is_bad"],
        "epsilon": None,
        "days": 90,
    },
    "decision": {
        "status": "approved",
        "by": ["steward.consumer@bank.example"],
        "at": "2026-11-04",
        "expires": "2027-02-02",
        "policy": "sha256:" + "0" * 64,
    },
}
STUDY: dict[str, Any] = {
    "consumer": "ml_coe",
    "purpose": "credit_risk",
    "mode": "horizontal",
    "algorithm": {"name": "logistic_regression", "l2": 1.0},
    "target": "is_bad",
    "features": ["duration", "amount", "age"],
    "privacy": {"secure_aggregation": True},
}


def column(name: str, data_type: str, mesh: Any = None, **more: Any) -> dict[str, Any]:
    meta = {} if mesh is None else {"mesh": mesh}
    return {
        "name": name,
        "description": f"What {name} is.",
        "data_type": data_type,
        "constraints": [],
        "meta": meta,
        "config": {"meta": meta, "tags": []},
        "tags": [],
    } | more


def model(mesh: Any, version: int | None = 1, **more: Any) -> dict[str, Any]:
    suffix = f".v{version}" if version else ""
    return {
        "resource_type": "model",
        "unique_id": f"model.{DOMAIN}.credit_profile{suffix}",
        "package_name": DOMAIN,
        "name": "credit_profile",
        "alias": "credit_profile_v1",
        "database": DOMAIN,
        "schema": "main",
        "description": "One row per application.",
        "access": "public",
        "group": DOMAIN,
        "version": version,
        "latest_version": 1 if version else None,
        "deprecation_date": None,
        "tags": ["data_product"],
        "contract": {"enforced": True, "alias_types": True, "checksum": "abc"},
        "constraints": [],
        "config": {
            "materialized": "table",
            "event_time": "updated_at",
            "meta": {"mesh": mesh},
        },
        "columns": {
            "customer_id": column(
                "customer_id",
                "varchar",
                {"roles": ["join_key"]},
                constraints=[{"type": "not_null"}],
            ),
            "age": column("age", "integer", {"roles": ["feature"]}),
            "is_bad": column("is_bad", "boolean", {"roles": ["label"]}),
            "note": column("note", "varchar"),
        },
    } | more


def accepted(name: str, values: Any, **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "package_name": DOMAIN,
        "name": f"accepted_values_{name}",
        "attached_node": UNIQUE_ID,
        "column_name": name,
        "config": {"severity": "ERROR", "where": None, "limit": None} | config,
        "test_metadata": {
            "name": "accepted_values",
            "kwargs": {"column_name": name, "values": values, "model": "{{ x }}"},
        },
    }


def exposure(name: str, mesh: Any, package: str = DOMAIN) -> dict[str, Any]:
    meta = {} if mesh is None else {"mesh": mesh}
    return {
        "name": name,
        "resource_type": "exposure",
        "package_name": package,
        "type": "ml",
        "label": None,
        "description": "",
        "owner": {"name": "ML CoE", "email": "ml-coe@bank.example"},
        "config": {"enabled": True, "meta": meta},
        "depends_on": {"macros": [], "nodes": [UNIQUE_ID]},
    }


WHOLE: dict[str, Any] = {
    "metadata": {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.12.0",
        "generated_at": "2026-11-21T04:32:19.758935Z",
        "project_name": DOMAIN,
    },
    "nodes": {
        UNIQUE_ID: model(MESH),
        f"model.{DOMAIN}.stg_credit": {
            "resource_type": "model",
            "unique_id": f"model.{DOMAIN}.stg_credit",
            "package_name": DOMAIN,
            "name": "stg_credit",
            "config": {"meta": {}},
        },
        f"test.{DOMAIN}.accepted_values_age.1": accepted("age", [18, 19, True]),
        f"seed.{DOMAIN}.raw": {"resource_type": "seed", "name": "raw"},
    },
    "groups": {
        f"group.{DOMAIN}.{DOMAIN}": {
            "name": DOMAIN,
            "package_name": DOMAIN,
            "owner": {
                "name": "Consumer banking",
                "email": "consumer@bank.example",
                "stewards": ["steward.consumer@bank.example"],
                "support": "support.consumer@bank.example",
            },
        }
    },
    "exposures": {
        GRANT_ID: exposure("g_credit_risk_ml_coe", GRANT),
        STUDY_ID: exposure("credit_risk", STUDY, "data_mesh"),
        f"exposure.{DOMAIN}.a_dashboard": exposure("a_dashboard", None),
    },
    "macros": {"macro.dbt.x": {"supported_languages": ["a language of tomorrow"]}},
}


class Written:
    """Writes the manifest after a change and returns its path."""

    def __init__(self, folder: Path) -> None:
        self.whole = deepcopy(WHOLE)
        self.model = self.whole["nodes"][UNIQUE_ID]
        self.mesh = self.model["config"]["meta"]["mesh"]
        self.columns = self.model["columns"]
        self.exposures = self.whole["exposures"]
        self.grant = self.exposures[GRANT_ID]["config"]["meta"]["mesh"]
        self.study = self.exposures[STUDY_ID]["config"]["meta"]["mesh"]
        self._path = folder / DOMAIN / "target" / "manifest.json"

    def path(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.whole))
        return self._path

    def add(self, unique_id: str, node: dict[str, Any]) -> None:
        self.whole["nodes"][unique_id] = node

    def depend_on(self, *nodes: str) -> None:
        self.exposures[GRANT_ID]["depends_on"]["nodes"] = list(nodes)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Return a manifest that a test may change before it is written."""
    return Written(tmp_path)


@pytest.fixture
def parts() -> dict[str, Any]:
    """Return the makers of a manifest's parts."""
    return {"model": model, "accepted": accepted, "exposure": exposure, "mesh": MESH}
