"""Ask every domain for its decision, without opening a row."""

from dataclasses import replace

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import PolicyError
from fl_plugin.plan.types import Plan
from fl_plugin.plan.wire import read_decision, request_json


def with_decisions(plan: Plan, federation: Federation) -> Plan:
    """Return the plan with every domain's decision in it."""
    bodies = {p.domain: {"request": request_json(p.request)} for p in plan.parties}
    answers = federation.ask("decide", bodies, each=True)
    decided = tuple(
        replace(p, decision=read_decision(answers.bodies[p.domain].get("decision")))
        for p in plan.parties
    )
    return replace(plan, parties=decided)


def insist(plan: Plan) -> None:
    """Raise the first refusal of a plan.

    Raises:
        PolicyError: A domain has refused.
    """
    for decision in plan.refusals:
        refusal = decision.refusal
        if refusal is not None:
            raise PolicyError(
                f"{decision.domain} refused: {refusal.sentence}",
                remedy=refusal.remedy,
                reason=refusal.reason,
                domain=decision.domain,
            )
