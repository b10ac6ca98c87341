"""Step 3: the permission to select, in the domain's own `permissions.yml`."""

from collections.abc import Iterator
from datetime import UTC

from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.permissions.consumers import product_holding
from fl_plugin.policy.permissions.holding import Holding
from fl_plugin.policy.rule import Refusal, Rule, no_product
from fl_plugin.policy.types import Facts


class PermissionRule(Rule):
    """The consumer holds `select` on the product, by name or by tags.

    The chain of permissions must lead up to the domain; a deny wins. It comes on top
    of the contract's own rules: where the domain has no `permissions.yml`, those
    decide alone. Remedy: whoever holds `select` with the grant option passes it on.
    """

    step = 3
    name = "permission"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look for a chain."""
        product = facts.product
        if product is None:
            yield no_product(facts)
            return
        if facts.node.permissions is None:
            return
        found = _holding(facts, product)
        ask = whom_to_ask(product)
        if found.reason == "denied":
            yield Refusal(
                "permission.denied",
                f"The permission {found.chain[0]} of {product.domain} denies "
                f"{facts.caller} to select from {product.name}.",
                f"Ask {ask}.",
            )
        elif found.reason == "role":
            yield Refusal(
                "permission.role",
                f"No role of {facts.caller} may select anything.",
                "Ask the mesh owner for a role in principals.yml.",
            )
        elif not found.held:
            yield Refusal(
                "permission.missing",
                f"{facts.caller} holds no permission to select from {product.name} "
                f"that leads up to {product.domain}.",
                f"Ask {ask} for one in permissions.yml.",
            )

    def says(self, facts: Facts) -> str:
        """Name the chain."""
        product = facts.product
        if product is None or facts.node.permissions is None:
            return f"{facts.node.domain} has no permissions beside its contracts."
        chain = _holding(facts, product).chain
        by = f" by {', then '.join(chain)}" if chain else ""
        return f"{facts.caller} may select from {product.name}{by}."


def _holding(facts: Facts, product: Product) -> Holding:
    today = facts.now.astimezone(UTC).date()
    return product_holding(facts.node, facts.caller, product, "select", today)
