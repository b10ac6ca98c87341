"""What a domain's stewards may approve: the contract's words, and who may say so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fl_plugin.errors import PolicyError
from fl_plugin.manifest.types import Grant, Product
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.policy.people import is_restricted, whom_to_ask
from fl_plugin.policy.rule import Refusal


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is asked of one product, for whatever study."""

    product: Product
    purpose: str
    uses: Sequence[str]
    columns: Sequence[str]

    @property
    def restricted(self) -> tuple[str, ...]:
        """The columns that need the most stewards."""
        return tuple(c for c in self.columns if is_restricted(self.product, c))

    @property
    def needed(self) -> int:
        """How many stewards must approve."""
        approval = self.product.contract.approval
        return approval.restricted_approvers if self.restricted else approval.approvers

    def refusals(self) -> Iterator[Refusal]:
        """Yield what the contract does not offer, whoever approves it."""
        product, contract = self.product, self.product.contract
        ask = f"Ask {whom_to_ask(product)}, or leave it out."
        if self.purpose not in contract.purposes:
            yield Refusal(
                "purpose.not_allowed",
                f"{product.name} may not be used for {shown(self.purpose)}.",
                f"It offers: {', '.join(contract.purposes)}.",
            )
        for use in self.uses:
            if use not in contract.uses:
                yield Refusal(
                    "use.not_allowed",
                    f"{product.name} does not offer the use {shown(use)}.",
                    f"It offers: {', '.join(contract.uses)}.",
                )
        for name in self.columns:
            yield from self._column_refusals(name, ask)

    def _column_refusals(self, name: str, ask: str) -> Iterator[Refusal]:
        column = self.product.columns.get(name)
        if column is None:
            yield Refusal(
                "column.unknown",
                f"{self.product.name} has no column {shown(name)}.",
                closest(name, self.product.columns),
            )
            return
        where = f"The column {name} of {self.product.name}"
        if not column.contract.roles:
            yield Refusal("column.role", f"{where} has no role and is not given.", ask)
        offered = column.contract.uses
        for use in self.uses if offered is not None else ():
            if use not in (offered or ()):
                yield Refusal(
                    "column.use", f"{where} may not be used to {shown(use)}.", ask
                )


def terms_of(grant: Grant, product: Product) -> Terms:
    """Return what a grant asks of the product."""
    return Terms(
        product=product,
        purpose=grant.purpose,
        uses=grant.uses,
        columns=grant.columns,
    )


def insist(refusals: Iterator[Refusal], domain: str) -> None:
    """Go on only if there is no refusal.

    Raises:
        PolicyError: The first one.
    """
    for refusal in refusals:
        raise error_of(refusal, domain)


def error_of(refusal: Refusal, domain: str) -> PolicyError:
    """Return a refusal as the error that ends the command."""
    return PolicyError(
        refusal.sentence,
        remedy=refusal.remedy,
        reason=refusal.reason,
        domain=domain,
    )


def steward_of(product: Product, address: str) -> str:
    """Return a steward's address as the owner's file spells it.

    Raises:
        PolicyError: It is nobody's of them.
    """
    for steward in product.owner.stewards:
        if same(steward, address):
            return steward
    raise PolicyError(
        f"{shown(address)} is no steward of {product.domain}.",
        remedy=f"Its stewards are: {', '.join(map(shown, product.owner.stewards))}.",
        reason="grant.approvers",
        domain=product.domain,
    )


def same(one: str, other: str) -> bool:
    """Return whether two addresses are one person's."""
    return one.strip().casefold() == other.strip().casefold()


def partial_refusals(grant: Grant, product: Product) -> Iterator[Refusal]:
    """Yield what is wrong with the approvals that a request already carries."""
    ask = f"Ask {whom_to_ask(product)}; git shows who wrote it."
    for person in grant.approved_by:
        if same(person, grant.requested_by):
            yield Refusal(
                "grant.approvers",
                f"The grant {grant.name} on {product.name} is approved by the person "
                "who asked for it.",
                ask,
            )
        elif not any(same(person, steward) for steward in product.owner.stewards):
            yield Refusal(
                "grant.approvers",
                f"The grant {grant.name} on {product.name} is approved by someone who "
                f"is no steward of {product.domain}.",
                ask,
            )
