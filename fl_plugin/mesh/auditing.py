"""The domains' ledgers as an auditor reads them."""

from collections.abc import Mapping
from pathlib import Path

from fl_plugin.ledger.chain import Verification, verify
from fl_plugin.ledger.record import AuditRecord, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.registry.store import Listing


def show_ledgers(
    ledgers: Mapping[str, Path], *, last: int | None = None, **only: str | None
) -> dict[str, tuple[AuditRecord, ...]]:
    """Return each ledger's newest matching records; nothing for one not begun yet."""
    found: dict[str, tuple[AuditRecord, ...]] = {}
    for domain, path in ledgers.items():
        if not path.exists():
            found[domain] = ()
            continue
        with Ledger.open(path, write=False) as ledger:
            found[domain] = ledger.show(last=last, **only)
    return found


def verify_ledgers(
    ledgers: Mapping[str, Path], models: Listing
) -> dict[str, Verification]:
    """Check each chain, and against the heads that registered runs keep.

    A head in the registry of a ledger that is gone is a break as well.
    """
    found = {}
    for domain, path in ledgers.items():
        kept = [
            e.run.audit_heads[domain]
            for e in models.entries
            if domain in e.run.audit_heads
        ]
        heads = [Head(h.sequence, h.hash) for h in kept]
        if path.exists() or heads:
            found[domain] = verify(path, heads)
    return found
