"""Ask every domain for its decision, without opening a row."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.plan.wire import read_decision, request_json

LONGEST_IDENTITY = 128


def with_decisions(plan: Plan, federation: Federation) -> Plan:
    """Return the plan with every domain's decision in it, or why it has none.

    A domain that cannot decide, since it is not built for one, hides no other's answer.
    """
    bodies = {p.domain: {"request": request_json(p.request)} for p in plan.parties}
    answers = federation.ask_all("decide", bodies)
    return replace(
        plan, parties=tuple(_answered(p, answers[p.domain]) for p in plan.parties)
    )


def _answered(party: PartyPlan, answer: Mapping[str, Any] | MeshError) -> PartyPlan:
    if isinstance(answer, MeshError):
        return replace(party, failure=answer)
    try:
        decision = read_decision(answer.get("decision"))
        identity = str(answer.get("identity", ""))[:LONGEST_IDENTITY]
        return replace(party, decision=decision, identity=identity)
    except MeshError as error:
        return replace(party, failure=error)


def insist(plan: Plan) -> None:
    """Raise what keeps a plan from running.

    Raises:
        PolicyError: A domain has refused.
        MeshError: A domain could not decide.
    """
    for party in plan.parties:
        if party.failure is not None:
            raise party.failure
    for decision in plan.refusals:
        refusal = decision.refusal
        if refusal is not None:
            raise PolicyError(
                f"{decision.domain} refused: {refusal.sentence}",
                remedy=refusal.remedy,
                reason=refusal.reason,
                domain=decision.domain,
            )
