"""Step 4: an approved, unexpired grant for the policy as it is now."""

from collections.abc import Iterator

from fl_plugin.policy.grants import asked_for, grant_refusals, live_grants
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts


class GrantRule(Rule):
    """Stewards have approved this study for this consumer, and it still holds.

    A grant ends when the day `expires` begins (UTC). Where several were given, one
    that holds is enough; the refusal speaks of the newest. A clock that was moved back
    cannot bring an expired grant back. Remedy: ask the stewards for a decision.
    """

    step = 4
    name = "grant"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look at the clock, then for a grant, then at why none holds."""
        product, request = facts.product, facts.request
        if facts.clock_floor is not None and facts.now < facts.clock_floor:
            yield Refusal(
                "clock.moved_back",
                f"The clock of {facts.node.domain} is behind its own ledger.",
                "Set the clock of that machine right, then run the command again.",
            )
        found = asked_for(facts, product) if product else []
        ask = whom_to_ask(product) if product else facts.node.domain
        if product is None or not found:
            yield Refusal(
                "grant.missing",
                f"{facts.node.domain} has no grant of {request.product} to "
                f"{request.consumer} for the study {request.study}.",
                f"Ask {ask} for one.",
            )
            return
        if not live_grants(facts, product):
            yield from grant_refusals(found[0], facts, product)

    def says(self, facts: Facts) -> str:
        """Name the grant and its last day."""
        live = live_grants(facts, facts.product) if facts.product else []
        grant = live[0]
        return f"The grant {grant.name} holds until {grant.expires}."
