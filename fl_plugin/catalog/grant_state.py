"""Whether a grant is live today, by the very rules that a domain decides with."""

from dataclasses import dataclass, replace
from datetime import datetime

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.grants import grant_refusals
from fl_plugin.policy.types import Facts, Measured, Node, Request


@dataclass(frozen=True, kw_only=True)
class GrantState:
    """A grant on one product: live, or the first reason why it is not."""

    grant: Grant
    product: Product
    live: bool
    reason: str = ""
    sentence: str = ""
    remedy: str = ""

    @property
    def words(self) -> str:
        """Its state in a few words, for a table."""
        if self.live:
            return f"live until {self.grant.expires}"
        if self.reason == "grant.expired":
            return f"expired on {self.grant.expires}"
        told = {
            "grant.not_approved": self.grant.status,
            "grant.revoked": "revoked",
            "grant.unsigned": "stopped: a steward's signature is missing",
            "grant.policy_changed": "stopped: the policy has changed since",
            "grant.approvers": "stopped: not approved by enough stewards",
            "grant.not_yet_valid": f"begins on {self.grant.decided_at}",
            "grant.too_long": "stopped: runs longer than the contract allows",
        }
        return told.get(self.reason, "stopped")


def state_of(
    grant: Grant,
    product: Product,
    now: datetime,
    *,
    node: Node | None = None,
    revoked: frozenset[str] = frozenset(),
) -> GrantState:
    """Return a grant's state on a product it names.

    Args:
        grant: The grant.
        product: As the domain's manifest has it.
        now: UTC.
        node: The domain's settings, for the signatures it requires; None asks for none.
        revoked: The approvals that the domain's ledger has ended.
    """
    facts = _facts(grant, product, now)
    facts = replace(facts, node=node or facts.node, revoked=revoked)
    refusal = next(grant_refusals(grant, facts, product), None)
    if refusal is None:
        return GrantState(grant=grant, product=product, live=True)
    return GrantState(
        grant=grant,
        product=product,
        live=False,
        reason=refusal.reason,
        sentence=refusal.sentence,
        remedy=refusal.remedy,
    )


def _facts(grant: Grant, product: Product, now: datetime) -> Facts:
    """Return what the grant itself would be asked for; nothing is measured or run."""
    request = Request(
        study=grant.study,
        consumer=grant.consumer,
        actor="",
        purpose=grant.purpose,
        product=product.name,
        version=product.version,
        uses=grant.uses,
        columns={},
        algorithm="",
        parameters={},
        secure_aggregation=True,
        parties=1,
    )
    return Facts(
        request=request,
        caller=grant.consumer,
        now=now,
        clock_floor=None,
        node=Node(domain=product.domain, database="", consumers={}, algorithms={}),
        product=product,
        grants=(grant,),
        policy_fingerprint=policy_fingerprint(product),
        table=None,
        measured=Measured(),
        mesh_min_cohort=1,
    )
