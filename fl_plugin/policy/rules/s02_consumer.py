"""Step 2: who calls."""

from collections.abc import Iterator

from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts


class ConsumerRule(Rule):
    """The caller is known here, and asks in its own name.

    What a consumer is comes from the domain's own list, never from the message.
    Remedy: it is added to `principals.yml`, and the domain pins the new file; or the
    domain adds it to `consumers` in its `node.yml`, where it keeps its own list.
    """

    step = 2
    name = "consumer"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look the authenticated caller up, then compare it with the request."""
        domain = facts.node.domain
        if not facts.node.principals_pinned:
            yield Refusal(
                "consumer.list_changed",
                f"principals.yml is not the one that {domain} has looked at and "
                "pinned.",
                f"Ask {domain} to look at the change, then: fl access pin {domain}",
            )
        if not facts.caller or facts.caller not in facts.node.consumers:
            yield Refusal(
                "consumer.unknown",
                f"{domain} does not know this consumer.",
                f"Ask {domain} to pin a principals.yml that names it, or to add it to "
                "`consumers` in its node.yml.",
            )
        if facts.caller != facts.request.consumer:
            yield Refusal(
                "consumer.mismatch",
                f"The request to {domain} names another consumer than the caller.",
                "Ask in your own name.",
            )

    def says(self, facts: Facts) -> str:
        """Say who it is."""
        return f"{facts.node.domain} knows {facts.caller}."
