"""Files of a mesh that dbt has really built, made small: 100,000 are damaged."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.approval import approval_statement
from fl_plugin.policy.fingerprint import policy_fingerprint
from tests.fuzz.probes import NAME, STEWARDS
from tests.golden.decision_facts import key_of

DOMAIN = "consumer_banking"
MODEL = "model.consumer_banking.credit_profile.v1"
KEPT_COLUMNS = ("customer_id", "status", "amount", "age", "foreign_worker", "is_bad")
# Nothing here reads these.
_UNREAD = (
    *("raw_code", "compiled_code", "unrendered_config", "description", "checksum"),
    *("fqn", "docs", "doc_blocks", "patch_path", "build_path", "original_file_path"),
    *("refs", "sources", "metrics", "functions", "compiled_path", "time_spine"),
    *("granularity", "dimension", "entity", "quote", "relation_name", "created_at"),
)


def small_manifest(mesh: Path, file: Path) -> dict[str, Any]:
    """Return the domain's manifest with one product, its tests, grant and study.

    The grant is approved for the small product, and signed.
    """
    built = json.loads((mesh / f"domains/{DOMAIN}/target/manifest.json").read_bytes())
    root = json.loads((mesh / "target/manifest.json").read_bytes())
    model = built["nodes"][MODEL]
    for node in (model, *model["columns"].values()):
        for word in _UNREAD:
            node.pop(word, None)
    model["columns"] = {name: model["columns"][name] for name in KEPT_COLUMNS}
    tests = {
        name: {k: v for k, v in test.items() if k not in _UNREAD}
        for name, test in built["nodes"].items()
        if name.startswith("test.") and "accepted_values" in name and "status" in name
    }
    studies = {
        name: exposure
        for name, exposure in root["exposures"].items()
        if "algorithm" in exposure["config"]["meta"].get("mesh", {})
    }
    small = {
        "metadata": built["metadata"],
        "nodes": {MODEL: model} | tests,
        "groups": built["groups"],
        "exposures": built["exposures"] | studies,
    }
    _approve(small, file)
    return small


def _approve(small: dict[str, Any], file: Path) -> None:
    exposure = next(
        e
        for e in small["exposures"].values()
        if "request" in e["config"]["meta"]["mesh"]
    )
    block = exposure["config"]["meta"]["mesh"]
    exposure.pop("meta", None)
    block["request"]["columns"] = ["amount", "age", "is_bad"]
    block["decision"]["by"] = list(STEWARDS)
    file.write_text(json.dumps(small))
    product = read_manifest(file).products[NAME]
    block["decision"]["policy"] = policy_fingerprint(product)
    file.write_text(json.dumps(small))
    (grant,) = read_manifest(file).grants.values()
    grant = replace(grant, approved_by=STEWARDS)
    block["decision"]["signatures"] = {
        address: approval_statement(grant, address).signed_by(key_of(address))
        for address in STEWARDS
    }


def small_yaml(mesh: Path) -> dict[str, Any]:
    """Return the settings and contracts of a domain, by the name of their file."""
    home = mesh / "domains" / DOMAIN
    contract = _read(home / "models/products/credit_profile.yml")
    model = contract["models"][0]
    kept = [c for c in model["columns"] if c["name"] in ("customer_id", "is_bad")]
    short = {
        "models": [
            {
                "name": model["name"],
                "config": model["config"],
                "columns": [
                    {
                        "name": c["name"],
                        "data_type": c["data_type"],
                        "config": c["config"],
                    }
                    for c in kept
                ],
            }
        ]
    }
    (grant,) = (home / "models/grants").glob("*.yml")
    return {
        "contract": short,
        "grant": _read(grant),
        "node": _read(home / "node.yml"),
        "permissions": _read(home / "permissions.yml"),
        "principals": _shortened(_read(mesh / "principals.yml")),
        "mesh_policy": _read(mesh / "mesh_policy.yml"),
    }


def _shortened(principals: dict[str, Any]) -> dict[str, Any]:
    permissions = principals.get("tag_permissions")
    return principals | ({"tag_permissions": permissions[:2]} if permissions else {})


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))
