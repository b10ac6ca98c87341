"""What a steward's decision leaves in the domain's own ledger."""

from fl_plugin.ledger.record import AuditEntry
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.policy.approval import approval_digest


def entry_of(
    action: str, by: str, grant: Grant, product: Product, manifest: Manifest
) -> AuditEntry:
    """Return the record of one steward's word on a grant.

    Args:
        action: approve | confirm | reject | revoke.
        by: The steward.
        grant: As decided; a revocation names the approval that it ends.
        product: As the domain's manifest has it.
        manifest: The domain's.
    """
    return AuditEntry(
        action=action,
        decision="allowed",
        consumer=grant.consumer,
        actor=by,
        purpose=grant.purpose,
        study=grant.study,
        run="",
        product=product.name,
        version=product.version,
        columns=tuple(sorted(grant.columns)),
        rule=grant.name,
        policy=grant.policy or "",
        manifest=manifest.fingerprint,
        released=approval_digest(grant) if action == "revoke" else None,
    )
