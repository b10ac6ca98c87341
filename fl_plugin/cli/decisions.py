"""A plan's decisions, as tables and as JSON."""

from collections.abc import Iterator
from typing import Any

import fl_plugin
from fl_plugin.cli.failures import failure_of
from fl_plugin.cli.screen import Shown, Table
from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.plan.types import PartyPlan
from fl_plugin.plan.vertical import keys_at
from fl_plugin.policy.types import Decision, Outcome

__all__ = ["decided", "explained", "matched", "party_facts", "plan_facts", "refusal_of"]


def plan_facts(plan: "fl_plugin.Plan") -> dict[str, Any]:
    """Return a plan for `--json`."""
    return {
        "study": plan.study,
        "label": plan.label,
        "consumer": plan.consumer,
        "purpose": plan.purpose,
        "mode": plan.mode,
        "algorithm": {"name": plan.algorithm, "parameters": plan.parameters},
        "target": plan.target,
        "features": [feature.name for feature in plan.features],
        "secure_aggregation": plan.secure_aggregation,
        "evaluation": plan.evaluation.model_dump(),
        "seed": plan.seed,
        "manifest": plan.manifest,
        "allowed": plan.allowed,
        "domains": [party_facts(party) for party in plan.parties],
    }


def party_facts(party: PartyPlan) -> dict[str, Any]:
    """Return one domain's request and decision for `--json`."""
    decision = party.decision
    asked = {
        "domain": party.domain,
        "product": party.product,
        "version": party.version,
        "uses": party.request.uses,
        "columns": party.request.columns,
    }
    if decision is None:
        failure = failure_of(party.failure).to_json() if party.failure else None
        return asked | {"allowed": False, "rules": [], "failure": failure}
    return asked | {
        "allowed": decision.allowed,
        "grant": decision.grant,
        "contact": decision.contact,
        "min_cohort": decision.min_cohort,
        "row_filter": decision.row_filter,
        "policy": decision.policy_fingerprint,
        "rules": decision.outcomes,
    }


def matched(plan: "fl_plugin.Plan") -> list[Table | str]:
    """Return who has which columns of a vertical plan; nothing for a horizontal one."""
    if plan.match is None:
        return []
    whose = "shares them" if plan.labels == "shared" else "protects them"
    told = Table(
        title="Columns",
        columns=("domain", "features", "key", "label"),
        rows=tuple(
            (
                party.domain,
                ", ".join(feature.name for feature in party.features),
                ", ".join(keys_at(plan.match, party.domain)),
                plan.target if party.domain == plan.label_domain else None,
            )
            for party in plan.parties
        ),
    )
    return [
        told,
        f"Rows are matched by {plan.match.words} ({plan.match.how}). The labels are "
        f"{plan.label_domain}'s, whose contract {whose}.",
    ]


def decided(party: PartyPlan) -> Table:
    """Return one domain's decision, a row for each rule."""
    decision = party.decision
    if party.failure is not None:
        return Table(
            title=f"{_product(party)}: cannot decide",
            rows=(
                ("because", party.failure.problem),
                ("what to do", party.failure.remedy),
            ),
        )
    outcomes = decision.outcomes if decision else ()
    word = "allowed" if decision and decision.allowed else "refused"
    return Table(
        title=f"{_product(party)}: {word}",
        columns=("step", "rule", "says", "because"),
        rows=tuple((o.step, o.rule, said(o), o.sentence) for o in outcomes),
    )


def explained(party: PartyPlan) -> Iterator[Shown]:
    """Yield one domain's decision with its reason codes, remedies and contact."""
    decision = party.decision
    yield decided(party)
    if decision is None:
        return
    refusal = decision.refusal
    facts = [
        ("refused because", refusal.reason if refusal else None),
        ("what to do", refusal.remedy if refusal else None),
        ("grant", decision.grant),
        ("whom to ask", decision.contact),
        ("asked for", ", ".join(party.request.uses)),
        ("columns", ", ".join(party.request.columns)),
        ("rows it may use", decision.row_filter or "all"),
        ("smallest group", f"{decision.min_cohort} rows"),
        ("policy", decision.policy_fingerprint or None),
    ]
    yield Table(rows=tuple((name, fact) for name, fact in facts if fact))


def refusal_of(plan: "fl_plugin.Plan") -> MeshError | None:
    """Return what keeps a plan from running, if anything does: failures first."""
    for party in plan.parties:
        if party.failure is not None:
            return party.failure
    for decision in plan.refusals:
        return _error(decision)
    return None


def said(outcome: Outcome) -> str:
    """Return what a rule says, in words."""
    return outcome.status.replace("_", " ")


def _error(decision: Decision) -> PolicyError:
    refusal = decision.refusal
    if refusal is None:
        return PolicyError(
            f"{decision.domain} refused without saying why.",
            remedy=f"Ask {decision.contact or decision.domain}.",
            domain=decision.domain,
        )
    return PolicyError(
        f"{decision.domain} refused: {refusal.sentence}",
        remedy=refusal.remedy,
        reason=refusal.reason,
        domain=decision.domain,
    )


def _product(party: PartyPlan) -> str:
    return (
        party.product if party.version is None else f"{party.product} v{party.version}"
    )
