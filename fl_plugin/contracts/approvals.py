"""A steward's approval of a loosening: `approvals.yml` beside a domain's `node.yml`.

It names both states by digest, so it covers one change and no other. Whoever approves
is a steward before and after: new stewards cannot let themselves in.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from fl_plugin.contracts.change import Change
from fl_plugin.contracts.pairs import Pair
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Fingerprint, Person, ProductName, Signature
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.people import is_restricted
from fl_plugin.policy.principals import Principals
from fl_plugin.signing.statement import Statement

APPROVALS_FILE = "approvals.yml"
Reason = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,500}\z")]


class Approval(ContractBlock):
    """One loosening that stewards have said yes to.

    Args:
        before: State digest of the product in the base ("from" in the file).
        after: Of the product in the head ("to").
        by: Who said yes.
        author: Whose change it is; an approval of their own counts for nothing.
        signatures: By address, over what `statement` says.
    """

    model_config = ConfigDict(populate_by_name=True)

    product: ProductName
    before: Annotated[Fingerprint, Field(alias="from")]
    after: Annotated[Fingerprint, Field(alias="to")]
    by: Annotated[tuple[Person, ...], Field(min_length=1, max_length=100)]
    author: Person
    at: date
    reason: Reason = ""
    signatures: dict[Person, Signature] = Field(default_factory=dict)

    def statement(self, signer: str) -> Statement:
        """Return what a steward signs who approves this."""
        facts = {
            "about": "loosening",
            "product": self.product,
            "from": self.before,
            "to": self.after,
            "author": person(self.author),
            "reason": self.reason,
            "signer": person(signer),
        }
        return Statement("contract", facts)


class ApprovalsFile(ContractBlock):
    """The words of `approvals.yml`."""

    approvals: Annotated[tuple[Approval, ...], Field(max_length=1000)] = ()


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What decides whether an approval counts.

    Args:
        authors: Who wrote the change, as CI knows it, beside the entry's own author.
        principals: Whose key is whose.
        signed: Whether an approval without a signature counts for nothing.
    """

    today: date
    authors: Collection[str] = ()
    principals: Principals = field(default_factory=Principals)
    signed: bool = False

    def objection(self, address: str, approval: Approval, pair: Pair) -> str:
        """Return why somebody's yes does not count; "" where it does."""
        who = person(address)
        if who in {person(a) for a in (approval.author, *self.authors)}:
            return "is the author of the change"
        if who not in stewards(pair):
            return f"is not a steward of {pair.base.domain} before and after the change"
        if approval.at > self.today:
            return "approves on a day that has not come"
        signature = approval.signatures.get(address)
        if signature is None:
            return "has not signed" if self.signed else ""
        key = self.principals.key_of(address)
        if key is None or not approval.statement(address).holds(key, signature):
            return "has no valid signature"
        return ""


def about(pair: Pair, approvals: tuple[Approval, ...]) -> Iterator[Approval]:
    """Yield the approvals of just this change."""
    digests = pair.digests
    for approval in approvals:
        same = (approval.before, approval.after) == digests
        if same and approval.product == pair.head.name:
            yield approval


def stewards(pair: Pair) -> set[str]:
    """Return who is a steward on both sides."""
    before, after = (
        {person(s) for s in p.owner.stewards} for p in (pair.base, pair.head)
    )
    return before & after


def needed(pair: Pair, loosened: Collection[Change]) -> int:
    """Return how many must say yes: as many as for a grant, by the stricter side."""
    about_restricted = any(
        change.column and is_restricted(pair.base, change.column) for change in loosened
    )
    rules = [p.contract.approval for p in (pair.base, pair.head)]
    if about_restricted:
        return max(rule.restricted_approvers for rule in rules)
    return max(rule.approvers for rule in rules)


def person(address: str) -> str:
    """Return an address in the one spelling that is compared."""
    return address.strip().casefold()


def load_approvals(folder: Path) -> tuple[Approval, ...]:
    """Return a domain's approvals; none where it has no such file.

    Raises:
        ContractError: The file is not valid.
    """
    file = folder / APPROVALS_FILE
    if not file.exists():
        return ()
    where = f"{folder.name}/{APPROVALS_FILE}"
    return validated(ApprovalsFile, read_yaml(file), where).approvals
