"""Step 1: the domain's own key under the contract, where the node requires it."""

from collections.abc import Iterator

from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule, no_product
from fl_plugin.policy.types import Facts


class SignedRule(Rule):
    """The domain's key has signed the contract as it is now.

    Only where `require_signatures` in the node's own settings names contracts.
    Remedy: the domain looks at the change and signs: fl contract sign PRODUCT.
    """

    step = 1
    name = "signed"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look at the signature that was checked against the pinned key."""
        required = "contracts" in facts.node.require_signatures
        if facts.product is None:
            yield no_product(facts)
        elif required and not facts.contract_signed:
            yield Refusal(
                "contract.unsigned",
                f"The contract of {facts.product.name} is not signed by its domain as "
                "it stands.",
                f"Ask {whom_to_ask(facts.product)} to look at it and to sign it: "
                f"fl contract sign {facts.product.name}",
            )

    def says(self, facts: Facts) -> str:
        """Say whether a signature was asked for."""
        if "contracts" in facts.node.require_signatures:
            return f"{facts.node.domain} has signed the contract as it stands."
        return f"{facts.node.domain} asks for no signature under its contracts."
