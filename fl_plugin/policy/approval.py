"""What a steward approves, as one statement to sign, and what ends it for good.

A signature covers everything of the grant that a decision looks at, but for the list of
those who approve: each puts their own name under it, one after the other.
"""

import hashlib
from typing import Any

from fl_plugin.manifest.types import Grant
from fl_plugin.policy.types import Node
from fl_plugin.signing.statement import Statement


def approval_statement(grant: Grant, signer: str) -> Statement:
    """Return what a steward signs who approves this grant."""
    facts = _facts(grant) | {"signer": signer.strip().casefold()}
    return Statement("grant", facts)


def approval_digest(grant: Grant) -> str:
    """Return "sha256:" and the digest that a revocation in a ledger ends a grant by.

    It covers the domain and the grant's name and nothing else: whatever is edited in
    the file of a revoked grant, or put back, it stays revoked. A new request has a
    new name.
    """
    facts = {"domain": grant.domain, "grant": grant.name}
    text = Statement("grant", facts).bytes
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def unsigned_by(grant: Grant, node: Node) -> tuple[str, ...]:
    """Return the approvers whose valid signature is missing."""
    by_address = {a.strip().casefold(): s for a, s in grant.signatures.items()}
    return tuple(
        approver
        for approver in grant.approved_by
        if not _has_signed(approver, by_address, grant, node)
    )


def _has_signed(
    approver: str, signatures: dict[str, str], grant: Grant, node: Node
) -> bool:
    key = node.principals.key_of(approver)
    signature = signatures.get(approver.strip().casefold())
    if key is None or signature is None:
        return False
    return approval_statement(grant, approver).holds(key, signature)


def _facts(grant: Grant) -> dict[str, Any]:
    def day(value: Any) -> str | None:
        return value.isoformat() if value else None

    return {
        "domain": grant.domain,
        "grant": grant.name,
        "products": list(grant.products),
        "product_ids": list(grant.product_ids),
        "study": grant.study,
        "consumer": grant.consumer,
        "requested_by": grant.requested_by.strip().casefold(),
        "requested_at": day(grant.requested_at),
        "purpose": grant.purpose,
        "uses": sorted(grant.uses),
        "columns": sorted(grant.columns),
        "epsilon": grant.epsilon,
        "days": grant.days,
        "decided_at": day(grant.decided_at),
        "expires": day(grant.expires),
        "policy": grant.policy,
    }
