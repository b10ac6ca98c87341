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
# A product is frozen, and one decision asks for its fingerprint half a dozen times.
_MOST_KEPT = 64
_KEPT: dict[int, tuple[Product, str]] = {}


def policy_fingerprint(product: Product) -> str:
    """Return "sha256:" and the digest of the product's policy in canonical JSON."""
    kept = _KEPT.get(id(product))
    if kept is not None and kept[0] is product:
        return kept[1]
    text = json.dumps(
        _policy(product), sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    found = f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[id(product)] = (product, found)
    return found


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
