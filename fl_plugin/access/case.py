"""A grant on a steward's desk: its file, its product and what is known of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fl_plugin.access.decision_text import Decision
from fl_plugin.access.grant_file import GrantFile, grant_in
from fl_plugin.access.home import Home, home_of
from fl_plugin.access.record import entry_of
from fl_plugin.access.rules import Terms, terms_of
from fl_plugin.catalog.grant_state import GrantState, state_of
from fl_plugin.errors import UsageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.types import Node


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything a steward's word is weighed by.

    Args:
        file: The grant as it stands in the repository.
        grant: What the file says.
        product: As the domain's own manifest has it.
        revoked: The approvals that the domain's ledger has ended.
    """

    home: Home
    file: GrantFile
    grant: Grant
    product: Product
    manifest: Manifest
    node: Node
    revoked: frozenset[str]
    now: datetime

    @property
    def today(self) -> date:
        """The day it is, UTC."""
        return self.now.date()

    @property
    def policy(self) -> str:
        """The fingerprint of the product's policy as it is now."""
        return policy_fingerprint(self.product)

    @property
    def terms(self) -> Terms:
        """What the grant asks of the contract."""
        return terms_of(self.grant, self.product)

    @property
    def built(self) -> Grant | None:
        """The grant as the domain decides by it today, if its build knows it."""
        return self.manifest.grants.get(f"{self.home.name}.{self.grant.name}")

    def state(self, **changes: Any) -> GrantState:
        """Return how the grant would count today, with these changes."""
        grant = replace(self.grant, **changes)
        return state_of(
            grant, self.product, self.now, node=self.node, revoked=self.revoked
        )

    def write(self, decision: Decision, note: str = "") -> None:
        """Put another decision into the file, and nothing else.

        Raises:
            ContractError: The file cannot be edited, or the decision is not valid.
            StorageError: It cannot be written, or was changed meanwhile.
        """
        self.file.replace(self.file.decided(decision, note), decision)

    def record(self, action: str, by: str, decision: Decision, note: str = "") -> bool:
        """Write the decision and its record, both or neither.

        Returns:
            Whether there is a ledger on this machine to keep the record.
        """
        if not self.home.runs_here():
            self.write(decision, note)
            return False
        entry = entry_of(action, by, self.grant, self.product, self.manifest)
        if "policy" in decision:
            entry = replace(entry, policy=str(decision["policy"]))
        with (
            Ledger.open(self.home.ledger) as ledger,
            ledger.transaction(now=self.now) as transaction,
        ):
            transaction.append(entry)
            self.write(decision, note)
        return True


def open_case(
    root: Path, domain: str, grant: str, now: datetime, *, fresh: bool = False
) -> Case:
    """Return a grant with what is known of it.

    Args:
        root: The mesh's folder.
        domain: The domain, or `<domain>.<grant>` where `grant` is empty.
        grant: The grant's name.
        now: UTC.
        fresh: Whether the contracts must be built as they stand.

    Raises:
        UsageError: There is no such domain or grant.
        ContractError: The grant, or its product's contract, is not valid.
        BuildError: The domain is not built, or not since its contracts changed.
    """
    if not grant:
        domain, _, grant = domain.partition(".")
    home = home_of(root, domain)
    if not grant:
        raise UsageError(
            "Which grant?", remedy=f"See them: fl access list --domain {home.name}"
        )
    file = grant_in(home, grant)
    manifest = home.fresh_manifest() if fresh else home.manifest()
    product = file.product(manifest)
    return Case(
        home=home,
        file=file,
        grant=file.grant(product),
        product=product,
        manifest=manifest,
        node=home.node(),
        revoked=home.revoked(),
        now=now,
    )


def words_of(grant: Grant) -> Mapping[str, Any]:
    """Return a decision as the words of a grant's file, without those that say nothing.

    Signatures come last: they are long.
    """
    words = {
        "status": grant.status,
        "by": grant.approved_by,
        "at": grant.decided_at.isoformat() if grant.decided_at else None,
        "expires": grant.expires.isoformat() if grant.expires else None,
        "policy": grant.policy,
        "signatures": dict(grant.signatures),
    }
    return {name: value for name, value in words.items() if value}
