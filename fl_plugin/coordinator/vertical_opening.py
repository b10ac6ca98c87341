"""Open the parties of a vertical run, and read what they tell in words and numbers."""

from collections.abc import Mapping
from typing import Any

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import MessageError
from fl_plugin.plan.types import Plan
from fl_plugin.plan.vertical import keys_at
from fl_plugin.plan.wire import features_json, request_json
from fl_plugin.privacy.terms import Terms

_NOBODY = {"kind": "none", "classes": []}


def open_matched(plan: Plan, federation: Federation) -> Mapping[str, Mapping[str, Any]]:
    """Have every party decide, read its own columns, and open its sealed channels."""
    terms = Terms.stopping(federation.run, [p.domain for p in plan.parties])
    predicts = target_json(plan)
    bodies = {}
    for party in plan.parties:
        # Rows that are only scored need no target.
        labelled = plan.target in party.request.columns
        bodies[party.domain] = {
            "request": request_json(party.request),
            "features": features_json(party.features),
            "preparation": plan.preparation.model_dump(mode="json"),
            "target": plan.target if labelled else None,
            "predicts": predicts if labelled else _NOBODY,
            "match": list(keys_at(plan.match, party.domain)),
            **_ranked(plan, party.domain, labelled=labelled),
            "seed": plan.seed,
            "identities": {p.domain: p.identity for p in plan.parties},
            "terms": terms.message,
        }
    opened = federation.ask("open", bodies, each=True).bodies
    told = federation.ask("channel", {}).bodies
    keys = {party: body.get("announcement") for party, body in told.items()}
    federation.ask("channel", {"announcements": keys})
    return opened


def _ranked(plan: Plan, domain: str, *, labelled: bool) -> dict[str, Any]:
    """Return what only the label's domain reads: whose rows are ranked, and when."""
    if not labelled or domain != plan.label_domain:
        return {}
    last = plan.evaluation.holdout_by == "last"
    return {"group": plan.evaluation.group, "timed": last}


def task_json(plan: Plan, widths: Mapping[str, int]) -> dict[str, Any]:
    """Return what every party is told of a fit, or of scoring."""
    return {
        "widths": dict(widths),
        "label_party": plan.label_domain,
        "labels": plan.labels,
        "predicts": target_json(plan),
    }


def target_json(plan: Plan) -> dict[str, Any]:
    """Return what is predicted as plain JSON values."""
    return {"kind": plan.predicts.kind, "classes": list(plan.predicts.classes)}


def numbers(bodies: Mapping[str, Mapping[str, Any]], word: str) -> dict[str, int]:
    """Return a whole number that each party has told.

    Raises:
        MessageError: One is missing.
    """
    found = {party: body.get(word) for party, body in bodies.items()}
    if any(type(n) is not int or n < 0 for n in found.values()):
        raise unfit(word)
    return {party: int(n or 0) for party, n in found.items()}


def one_number(bodies: Mapping[str, Mapping[str, Any]], word: str) -> int:
    """Return the number that all parties tell alike.

    Raises:
        MessageError: They do not agree.
    """
    found = set(numbers(bodies, word).values())
    if len(found) != 1:
        raise MessageError(
            f"The domains do not agree on the number of matched rows ({word}).",
            remedy="Build the products again, then start the run again.",
        )
    return found.pop()


def unfit(word: str) -> MessageError:
    """Return the error for something that a party has not told."""
    return MessageError(
        f"A party told no usable {word}.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
