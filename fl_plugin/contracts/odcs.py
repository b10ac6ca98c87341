"""A product as an Open Data Contract Standard document, version 3.1.

The standard's words come first; what only a mesh knows (purposes, uses, who may ask,
the row filter, the cohort) stands under `customProperties`. The document describes; it
decides nothing: a domain decides by its own contract.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from fl_plugin.contracts.checks import Check
from fl_plugin.contracts.odcs_columns import (
    Block,
    custom,
    filled,
    property_of,
    quality_of_table,
)
from fl_plugin.manifest.types import Owner, Product
from fl_plugin.policy.fingerprint import policy_fingerprint

API_VERSION = "v3.1.0"
_PRODUCTS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:data-mesh-learning:products")
_DIMENSIONS = {
    "completeness": "completeness",
    "validity": "conformity",
    "uniqueness": "uniqueness",
    "drift_psi": "consistency",
}
# These have a place of their own in the standard.
_ELSEWHERE = {
    "product",
    "status",
    "classification",
    "quality",
    "retention_days",
    "freshness_hours",
}


def odcs_contract(
    product: Product, checks: Sequence[Check] = (), *, database: str
) -> Block:
    """Return the document.

    Args:
        product: As its domain's manifest has it.
        checks: Its dbt tests.
        database: Where its domain keeps it, from the mesh's folder.
    """
    return filled(
        {
            "apiVersion": API_VERSION,
            "kind": "DataContract",
            "id": str(uuid.uuid5(_PRODUCTS, product.name)),
            "name": product.name,
            "version": str(product.version or 1),
            "status": _status(product),
            "domain": product.domain,
            "tags": [*product.tags, *_mesh_tags(product)],
            "description": _description(product),
            "servers": [
                {
                    "server": product.domain,
                    "type": "duckdb",
                    "database": database,
                    "schema": product.relation.schema,
                }
            ],
            "schema": [_table(product, checks)],
            "slaProperties": _service_levels(product),
            "team": _team(product.owner),
            "roles": _roles(product),
            "support": _support(product.owner),
            "customProperties": _custom(product),
        }
    )


def _status(product: Product) -> str:
    if product.contract.status == "active" and product.deprecation_date:
        return "deprecated"
    return product.contract.status


def _mesh_tags(product: Product) -> list[str]:
    return [f"{key}:{value}" for key, value in product.contract.tags.items()]


def _description(product: Product) -> Block:
    contract = product.contract
    purposes, uses = ", ".join(contract.purposes), ", ".join(contract.uses)
    limits = [
        f"Only rows where {contract.row_filter}." if contract.row_filter else "",
        f"No figure about fewer than {contract.min_cohort} rows is released."
        if contract.min_cohort
        else "",
        "" if "query" in contract.uses else "Rows do not leave the domain.",
    ]
    return filled(
        {
            "purpose": product.description,
            "usage": f"For {purposes}; by {uses}. Nobody may without a grant.",
            "limitations": " ".join(limit for limit in limits if limit),
        }
    )


def _table(product: Product, checks: Sequence[Check]) -> Block:
    contract = product.contract
    key = ", ".join(product.key)
    return filled(
        {
            "name": product.name.partition(".")[2],
            "physicalName": product.relation.identifier,
            "logicalType": "object",
            "physicalType": product.materialized,
            "description": product.description,
            "dataGranularityDescription": f"One row for each {key}." if key else "",
            "tags": list(product.tags),
            "properties": [
                property_of(product, column, checks)
                for column in product.columns.values()
            ],
            "quality": [*_floors(product), *quality_of_table(checks)],
            "customProperties": custom({"classification": contract.classification}),
        }
    )


def _floors(product: Product) -> list[Block]:
    floors = product.contract.quality.model_dump(mode="json", exclude_none=True)
    return [
        {
            "type": "custom",
            "name": f"{name}_floor",
            "dimension": dimension,
            "engine": "data-mesh-learning",
            "implementation": {"measure": name, "floor": floors[name]},
            "severity": "error",
        }
        for name, dimension in _DIMENSIONS.items()
        if name in floors
    ]


def _service_levels(product: Product) -> list[Block]:
    contract, element = product.contract, product.name.partition(".")[2]
    if product.event_time:
        element = f"{element}.{product.event_time}"
    levels: list[Block] = []
    if contract.freshness_hours is not None:
        levels.append(
            {
                "property": "latency",
                "value": contract.freshness_hours,
                "unit": "h",
                "element": element,
                "description": "An older build is not used.",
            }
        )
    if contract.retention_days is not None:
        levels.append(
            {"property": "retention", "value": contract.retention_days, "unit": "d"}
        )
    if product.deprecation_date is not None:
        day = product.deprecation_date.isoformat()
        levels.append({"property": "endOfSupport", "value": day})
    return levels


def _team(owner: Owner) -> Block:
    members = [{"username": s, "role": "data steward"} for s in owner.stewards]
    if owner.email:
        members.insert(0, {"username": owner.email, "role": "owner"})
    return filled({"name": owner.name, "members": members})


def _roles(product: Product) -> list[Block]:
    contract, stewards = product.contract, ", ".join(product.owner.stewards)
    second = contract.approval.restricted_approvers > 1
    return [
        filled(
            {
                "role": " and ".join(
                    f"{key}={'|'.join(values)}" for key, values in rule.consumer.items()
                ),
                "description": f"May ask for {', '.join(rule.purposes)}.",
                "access": ", ".join(rule.uses),
                "firstLevelApprovers": stewards,
                "secondLevelApprovers": stewards if second else "",
            }
        )
        for rule in contract.allow
    ]


def _support(owner: Owner) -> list[Block]:
    channel = owner.support or owner.email
    if not channel:
        return []
    if "@" in channel and not any(c.isspace() for c in channel):
        url = f"mailto:{channel}"
        return [{"channel": channel, "tool": "email", "url": url}]
    linked = channel.startswith(("https://", "http://"))
    return [filled({"channel": channel, "url": channel if linked else ""})]


def _custom(product: Product) -> list[Block]:
    contract = product.contract.model_dump(
        mode="json", exclude_none=True, exclude=_ELSEWHERE
    )
    words: dict[str, Any] = {
        "access": product.access,
        "contract_enforced": product.contract_enforced,
        "dbt_unique_id": product.unique_id,
        "policy_fingerprint": policy_fingerprint(product),
        **contract,
        "quality": product.contract.quality.model_dump(mode="json", exclude_none=True),
    }
    return custom(_pruned(words))


def _pruned(value: Any) -> Any:
    """Return a block of the contract without what it does not say."""
    if isinstance(value, list):
        return [_pruned(entry) for entry in value]
    if isinstance(value, dict):
        found = {key: _pruned(entry) for key, entry in value.items()}
        return {k: v for k, v in found.items() if v not in ([], {})}
    return value
