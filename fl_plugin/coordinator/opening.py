"""Open the tables at the parties and agree on keys and categories."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.plan.types import Plan
from fl_plugin.plan.wire import features_json, request_json
from fl_plugin.preparation.features import Feature


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What the parties said when they opened, and the features with categories."""

    features: tuple[Feature, ...]
    bodies: Mapping[str, Mapping[str, Any]]


def open_parties(plan: Plan, federation: Federation) -> Opened:
    """Have every party decide, read its rows and agree on the rest.

    Raises:
        MeshError: A party refused.
    """
    bodies = {
        p.domain: {
            "request": request_json(p.request),
            "features": features_json(plan.features),
            "target": plan.target,
            "seed": plan.seed,
        }
        for p in plan.parties
    }
    opened = federation.ask("open", bodies, each=True).bodies
    features = plan.features
    if any(f.kind == "categorical" and f.categories is None for f in features):
        features = _with_categories(features, federation)
    keys = {party: body.get("public_key") for party, body in opened.items()}
    agreement = {"features": features_json(features), "public_keys": keys}
    federation.ask("agree", agreement)
    return Opened(features=features, bodies=opened)


def _with_categories(
    features: tuple[Feature, ...], federation: Federation
) -> tuple[Feature, ...]:
    answers = federation.ask("vocabulary", {})
    union: dict[str, set[str]] = {}
    for body in answers.bodies.values():
        values = body.get("values")
        if not isinstance(values, dict):
            raise MessageError(
                "A party sent no vocabulary.",
                remedy="Check that every node runs the same version of fl_plugin.",
            )
        for name, found in values.items():
            union.setdefault(str(name), set()).update(str(v) for v in found)
    filled = []
    for feature in features:
        if feature.kind == "categorical" and feature.categories is None:
            categories = tuple(sorted(union.get(feature.name, set())))
            if not categories:
                raise TrainingError(
                    f"No value of {feature.name} is frequent enough in any domain.",
                    remedy="Leave it out of the study, or list its accepted values in "
                    "the contracts.",
                )
            filled.append(replace(feature, categories=categories))
        else:
            filled.append(feature)
    return tuple(filled)
