"""The fingerprint of a policy: what a grant was approved for.

It covers everything that a decision about a product depends on: the `mesh` block,
each column's block, type, nullability and accepted values, access, the enforced
contract, version, deprecation date, key and the stewards. It does not cover what
people read: descriptions, dbt tags, the owner's name and addresses. A word left at
its default counts as absent, so that a later release of this package, with more
words, does not stop every grant.
"""

import hashlib
import json
from typing import Any

from fl_plugin.manifest.types import Column, Product
from fl_plugin.policy.sql_types import canonical_type

# Raise it when a default changes its meaning: every grant is then looked at again.
FORMAT = 1


def policy_fingerprint(product: Product) -> str:
    """Return "sha256:" and the digest of the product's policy in canonical JSON."""
    text = json.dumps(
        _policy(product), sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def _policy(product: Product) -> dict[str, Any]:
    ends = product.deprecation_date
    return {
        "format": FORMAT,
        "name": product.name,
        "version": product.version,
        "deprecation_date": ends.isoformat() if ends else None,
        "access": product.access,
        "contract_enforced": product.contract_enforced,
        "key": list(product.key),
        "stewards": sorted({s.strip().casefold() for s in product.owner.stewards}),
        "contract": product.contract.model_dump(mode="json", exclude_defaults=True),
        "columns": {name: _column(c) for name, c in product.columns.items()},
    }


def _column(column: Column) -> dict[str, Any]:
    accepted = column.accepted_values
    return {
        "data_type": canonical_type(column.data_type),
        "nullable": column.nullable,
        "accepted_values": None if accepted is None else list(accepted),
        "contract": column.contract.model_dump(mode="json", exclude_defaults=True),
    }
