"""The domains' ledgers as an auditor reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fl_plugin.errors import UsageError
from fl_plugin.flower.places import LinkPlace
from fl_plugin.ledger.chain import Verification, verify
from fl_plugin.ledger.record import AuditRecord, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.registry.store import Listing

SUPERLINK = "superlink"


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
    ledgers: Mapping[str, Path],
    models: Listing,
    signed: Mapping[str, Sequence[Head]] | None = None,
) -> dict[str, Verification]:
    """Check each chain, and against the heads that others keep.

    A kept head of a ledger that is gone is a break as well.

    Args:
        ledgers: By domain.
        models: Registered runs: each keeps the heads of its domains.
        signed: Heads that the domains have signed, by domain.
    """
    found = {}
    for domain, path in ledgers.items():
        seen = [e.run.audit_heads for e in models.entries]
        seen += [t.audit_heads for t in models.tombstones]
        seen += [t.recorded for t in models.tombstones]
        kept = [heads[domain] for heads in seen if domain in heads]
        heads = [Head(h.sequence, h.hash) for h in kept]
        heads += (signed or {}).get(domain, ())
        if path.exists() or heads:
            found[domain] = verify(path, heads)
    return found


def ledgers_of(root: Path, domain: str | None) -> dict[str, Path]:
    """Return where the domains' ledgers lie, by domain.

    Where this machine runs a SuperLink, its own is among them: who was turned away.

    Raises:
        UsageError: The domain does not exist.
    """
    folders = sorted((root / "domains").glob("*/node.yml"))
    known = {f.parent.name: f.parent / "ledger" / "ledger.sqlite" for f in folders}
    gate = LinkPlace(root).ledger
    if gate.exists():
        known.setdefault(SUPERLINK, gate)
    if domain is None:
        return known
    if domain not in known:
        raise UsageError(
            f"There is no domain {domain!r}.",
            remedy=f"Domains of this mesh: {', '.join(known)}.",
        )
    return {domain: known[domain]}


def fingerprint_of(root: Path, product: str) -> str:
    """Return the fingerprint of a product's policy as its domain built it last.

    Raises:
        UsageError: The domain has no such product.
        ContractError: Its contract is not valid.
    """
    domain = product.partition(".")[0]
    manifest = read_manifest(root / "domains" / domain / "target" / "manifest.json")
    if product in manifest.problems:
        raise manifest.problems[product]
    if product not in manifest.products:
        known = ", ".join(sorted(manifest.products)) or "none"
        raise UsageError(
            f"{domain} has no product {product!r}.", remedy=f"It has: {known}."
        )
    return policy_fingerprint(manifest.products[product])
