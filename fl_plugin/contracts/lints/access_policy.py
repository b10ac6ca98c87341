"""Access policy: who may ask, for what, and who decides."""

from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.manifest.types import Product


class AccessPolicyCheck(Check):
    """Purposes, uses and approval are words that a contract must have; this is more."""

    name = "access"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product that is offered."""
        for product in domain.products:
            if product.contract.status != "active":
                continue
            where, contract = named(product), product.contract
            if product.access != "public":
                yield self.error(
                    where,
                    "It is active and not public: nobody can use it.",
                    "Set `access: public`, or `status: draft`.",
                )
            if not contract.allow:
                yield self.error(
                    where,
                    "It is active and allows nobody to ask.",
                    "Add `allow` to its mesh block, or set `status: draft`.",
                )
            yield from self._unsaid(product)
            yield from self._idle(product)

    def _unsaid(self, product: Product) -> Iterator[Finding]:
        """A default is no policy: how many approve has to be said."""
        said = product.contract.model_fields_set
        if "approval" not in said:
            yield self.error(
                named(product),
                "It does not say who approves, and for how long.",
                "Add `approval: {approvers, restricted_approvers, max_days}`.",
            )
        if "min_cohort" not in said:
            yield self.warning(
                named(product),
                "It names no smallest cohort: the mesh's floor holds.",
                "Add `min_cohort` to its mesh block.",
            )

    def _idle(self, product: Product) -> Iterator[Finding]:
        contract = product.contract
        for what, offered, asked in (
            ("purpose", contract.purposes, [r.purposes for r in contract.allow]),
            ("use", contract.uses, [r.uses for r in contract.allow]),
        ):
            idle = sorted(set(offered) - {word for words in asked for word in words})
            if idle and contract.allow:
                yield self.warning(
                    named(product),
                    f"Nobody may ask for the {what} {', '.join(idle)}.",
                    "Add an allow rule for it, or do not offer it.",
                )
