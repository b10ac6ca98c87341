"""Open the tables at the parties and agree on keys and categories."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fl_plugin.coordinator.federation import Federation
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.plan.types import Plan
from fl_plugin.plan.wire import features_json, request_json
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.signing.keys import is_signed


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What the parties said when they opened, and the columns with categories.

    Args:
        min_cohort: The largest of the parties' smallest cohorts.
    """

    features: tuple[Feature, ...]
    protected: tuple[Feature, ...]
    bodies: Mapping[str, Mapping[str, Any]]
    min_cohort: int

    def schema(self, plan: Plan) -> Schema:
        """Return what both halves of the preparation know."""
        return Schema(
            features=self.features,
            target=plan.predicts,
            prepares=plan.prepares,
            min_cohort=self.min_cohort,
            edges=plan.preparation.edges,
        )


def open_parties(plan: Plan, federation: Federation) -> Opened:
    """Have every party decide, read its rows and agree on the rest.

    Raises:
        MeshError: A party refused.
    """
    alike: dict[str, Any] = {
        "features": features_json(plan.features),
        "protected": features_json(plan.protected),
        "preparation": plan.preparation.model_dump(mode="json"),
        "target": plan.target,
        "predicts": {
            "kind": plan.predicts.kind,
            "classes": list(plan.predicts.classes),
        },
        "group": plan.evaluation.group,
        "timed": plan.evaluation.holdout_by == "time",
        "seed": plan.seed,
        "identities": {p.domain: p.identity for p in plan.parties},
    }
    terms = None
    if plan.secure_aggregation:
        recovers = plan.privacy.on_dropout == "recover"
        propose = Terms.recovering if recovers else Terms.stopping
        terms = propose(federation.run, [p.domain for p in plan.parties])
        alike["terms"] = terms.message
    bodies = {
        p.domain: {**alike, "request": request_json(p.request)} for p in plan.parties
    }
    opened = federation.ask("open", bodies, each=True).bodies
    columns = (*plan.features, *plan.protected)
    if any(f.kind == "categorical" and f.categories is None for f in columns):
        columns = _with_categories(columns, federation)
    floors = [_floor(body) for body in opened.values()]
    agreement = {
        "features": features_json(columns),
        "min_cohort": max(floors),
    }
    federation.ask("agree", agreement)
    if terms is not None:
        federation.protect(terms, _trust(plan))
    size = len(plan.features)
    return Opened(
        features=columns[:size],
        protected=columns[size:],
        bodies=opened,
        min_cohort=max(floors),
    )


def splits_json(splits: Any) -> list[dict[str, object]]:
    """Return row selections as plain JSON values."""
    return [asdict(split) for split in splits]


def _trust(plan: Plan) -> Trust:
    """Return whose keys are known here: those that the domains named themselves.

    The parties do not rely on it; each holds the others' keys against its own list.
    """
    known = {p.domain: p.identity for p in plan.parties if p.identity}
    return Trust(identities=known, is_signed=is_signed, unsigned=True)


def _floor(body: Mapping[str, Any]) -> int:
    floor = body.get("min_cohort")
    return floor if type(floor) is int and floor > 0 else 1


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
