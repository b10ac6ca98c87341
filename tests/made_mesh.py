"""A mesh made of tables that a test has at hand, without dbt: for data of any kind."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.fingerprint import policy_fingerprint

REPOSITORY = Path(__file__).parents[1]
PURPOSE, CONSUMER, STUDY, MODEL = "credit_risk", "ml_coe", "made", "rows_of_it"
STEWARD = "steward@bank.example"
USES = ("aggregate", "train_horizontal", "evaluate")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a made mesh consists of.

    Args:
        tables: Domain to its rows; a column `row_id` is the key.
        roles: Column to the roles it may have; a feature where it is not named.
        accepted: Column to its accepted values, as an accepted_values test lists them.
        study: Words of the study beside consumer, purpose and mode.
        product: Words of every product's contract beside the usual ones.
        columns: Column to further words of its contract (bounds).
        node: Words of every domain's node.yml beside the usual ones.
        event_time: The column that says when a row came about.
        epsilon: That every grant covers.
        uses: That every contract offers and every grant covers.
    """

    tables: Mapping[str, pa.Table]
    study: Mapping[str, Any]
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    accepted: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    product: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    node: Mapping[str, Any] = field(default_factory=dict)
    event_time: str | None = None
    epsilon: float | None = None
    uses: Sequence[str] = USES


def make_mesh(root: Path, made: Made) -> Path:
    """Write the mesh into a folder and return it."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "mesh_policy.yml", root / "mesh_policy.yml")
    nodes: dict[str, Any] = {}
    for domain, table in made.tables.items():
        own = _nodes(domain, table, made)
        nodes |= own
        _write_domain(root, domain, table, own, made)
    exposure = _study(made)
    manifest = _manifest("mesh", nodes, {exposure["unique_id"]: exposure}, made.tables)
    _write(root / "target" / "manifest.json", manifest)
    return root


def _write_domain(
    root: Path, domain: str, table: pa.Table, nodes: dict[str, Any], made: Made
) -> None:
    folder = root / "domains" / domain
    (folder / "data").mkdir(parents=True, exist_ok=True)
    _write_rows(folder / "data" / f"{domain}.duckdb", table)
    algorithm = made.study["algorithm"]["name"]
    words = {
        "domain": domain,
        "database": f"data/{domain}.duckdb",
        "consumers": {CONSUMER: {"org_unit": [CONSUMER]}},
        "algorithms": {algorithm: "any"},
        **made.node,
    }
    (folder / "node.yml").write_text(json.dumps(words))
    path = folder / "target" / "manifest.json"
    _write(path, _manifest(domain, nodes, {}, [domain]))
    vocabulary = load_vocabulary(root / "mesh_policy.yml")
    (product,) = read_manifest(path, vocabulary).products.values()
    grant = _grant(domain, table, policy_fingerprint(product), made)
    _write(path, _manifest(domain, nodes, {grant["unique_id"]: grant}, [domain]))


def _nodes(domain: str, table: pa.Table, made: Made) -> dict[str, Any]:
    unique = f"model.{domain}.{MODEL}"
    mesh = {
        "product": f"{domain}.{MODEL}",
        "status": "active",
        "classification": "internal",
        "purposes": [PURPOSE],
        "uses": list(made.uses),
        "allow": [
            {
                "consumer": {"org_unit": [CONSUMER]},
                "purposes": [PURPOSE],
                "uses": list(made.uses),
            }
        ],
        **made.product,
    }
    types = _types(table.schema)
    node = {
        "unique_id": unique,
        "resource_type": "model",
        "package_name": domain,
        "name": MODEL,
        "alias": MODEL,
        "schema": "main",
        "database": domain,
        "group": "team",
        "access": "public",
        "description": "Rows that a test made.",
        "config": {
            "materialized": "table",
            "contract": {"enforced": True},
            "event_time": made.event_time,
            "meta": {"mesh": mesh},
        },
        "columns": {
            name: {
                "name": name,
                "description": name,
                "data_type": types[name],
                "constraints": [{"type": "primary_key"}] if name == "row_id" else [],
                "meta": {
                    "mesh": {
                        "roles": list(made.roles.get(name, ["feature"])),
                        **made.columns.get(name, {}),
                    }
                },
            }
            for name in table.column_names
        },
    }
    return {unique: node} | {
        test["unique_id"]: test
        for test in (_accepted(domain, unique, c, v) for c, v in made.accepted.items())
    }


def _accepted(domain: str, unique: str, column: str, values: Sequence[Any]) -> Any:
    return {
        "unique_id": f"test.{domain}.accepted_values_{column}",
        "resource_type": "test",
        "package_name": domain,
        "name": f"accepted_values_{column}",
        "attached_node": unique,
        "column_name": column,
        "test_metadata": {
            "name": "accepted_values",
            "kwargs": {"column_name": column, "values": list(values)},
        },
        "depends_on": {"nodes": [unique]},
        "config": {"severity": "ERROR"},
    }


def _study(made: Made) -> dict[str, Any]:
    mesh = {
        "consumer": CONSUMER,
        "purpose": PURPOSE,
        "mode": "horizontal",
        **made.study,
    }
    return {
        "unique_id": f"exposure.mesh.{STUDY}",
        "resource_type": "exposure",
        "package_name": "mesh",
        "name": STUDY,
        "type": "ml",
        "owner": {"name": "ML CoE", "email": "ml-coe@bank.example"},
        "depends_on": {"nodes": [f"model.{d}.{MODEL}" for d in made.tables]},
        "config": {"tags": ["study"], "meta": {"mesh": mesh}},
        "tags": ["study"],
    }


def _grant(domain: str, table: pa.Table, policy: str, made: Made) -> dict[str, Any]:
    today = date.today()  # noqa: DTZ011 a grant's days are days
    matched = made.study.get("match", {}).get("key")
    columns = [n for n in table.column_names if n != "row_id" or n == matched]
    mesh = {
        "request": {
            "study": STUDY,
            "consumer": CONSUMER,
            "by": "scientist@bank.example",
            "at": str(today - timedelta(days=2)),
            "purpose": PURPOSE,
            "uses": list(made.uses),
            "columns": columns,
            "epsilon": made.epsilon,
            "days": 90,
        },
        "decision": {
            "status": "approved",
            "by": [STEWARD],
            "at": str(today - timedelta(days=1)),
            "expires": str(today + timedelta(days=80)),
            "policy": policy,
        },
    }
    return {
        "unique_id": f"exposure.{domain}.g_made",
        "resource_type": "exposure",
        "package_name": domain,
        "name": "g_made",
        "type": "ml",
        "owner": {"name": "ML CoE", "email": "ml-coe@bank.example"},
        "depends_on": {"nodes": [f"model.{domain}.{MODEL}"]},
        "config": {"meta": {"mesh": mesh}},
    }


def _manifest(
    project: str, nodes: Any, exposures: Any, domains: Sequence[str] | Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "metadata": {
            "project_name": project,
            "generated_at": "2026-01-01T00:00:00Z",
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        },
        "nodes": nodes,
        "exposures": exposures,
        "groups": {
            f"group.{d}.team": {
                "name": "team",
                "owner": {
                    "name": "Team",
                    "email": "team@bank.example",
                    "stewards": [STEWARD],
                },
            }
            for d in domains
        },
    }


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    # To open another takes longer than to write a small table.
    return duckdb.connect(":memory:")


def _write_rows(path: Path, table: pa.Table) -> None:
    connection = _duckdb()
    connection.register("given", table)
    connection.execute(f"attach '{path}' as written")
    try:
        connection.execute(
            f"create or replace table written.{MODEL} as select * from given"
        )
    finally:
        connection.execute("detach written")
        connection.unregister("given")


@cache
def _types(schema: pa.Schema) -> Mapping[str, str]:
    connection = _duckdb()
    connection.register("given", schema.empty_table())
    found = connection.execute("describe given").fetchall()
    connection.unregister("given")
    return {name: str(kind).lower() for name, kind, *_ in found}


def _write(path: Path, manifest: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest))
