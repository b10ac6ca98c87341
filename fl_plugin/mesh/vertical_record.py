"""From what a vertical run brought back to the record that is kept."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fl_plugin.alignment.counts import bucket_words
from fl_plugin.errors import MessageError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.mesh.figures import confusion_of, quality_fields
from fl_plugin.mesh.finished import FinishedVertical
from fl_plugin.mesh.record import rounds_of, run_words
from fl_plugin.registry import run_record as rec
from fl_plugin.vertical.installed import find_vertical

_NUMBER_BYTES = 4
_RANKING = TypeAdapter(rec.Ranking)
_SEALED = (
    "What domains say to each other passes the coordinator sealed (X25519, AES-GCM), "
    "under keys that each domain signed."
)


def vertical_record(done: FinishedVertical, version: int) -> rec.RunRecord:
    """Return the run's record."""
    plan, trained = done.plan, done.trained
    used = find_vertical(plan.algorithm)
    evaluation = evaluation_for(
        EvaluationSpec(kind=plan.predicts.kind, classes=plan.predicts.classes)
    )
    told = plan.evaluation.model_dump(
        include={"holdout", "holdout_by", "group", "threshold", "bins"}
    )
    return rec.RunRecord(
        **run_words(done, trained.opened, version),
        algorithm=rec.AlgorithmUsed(
            name=used.name,
            parameters=used.of(plan.parameters).parameters(),
            title=used.title,
            equals=used.exact,
        ),
        preparation=rec.Preparation(),
        rounds=rounds_of(trained.progress, done.federation.traffic),
        cross_validation=None,
        domains=_domains(done, evaluation.main),
        baselines=_baselines(done),
        confusion=confusion_of(trained.holdout, plan.evaluation.threshold),
        coefficients=(),
        certificate=None,
        left_domain=_left(done),
        seconds=dict(trained.seconds),
        privacy=rec.Privacy(
            secure_aggregation=True,
            statement=_statement(done),
            mode="exact",
            signed_keys=True,
        ),
        evaluation=told,
        main=evaluation.main,
        better=evaluation.better,
        notes=trained.fitted.notes,
        vertical=_vertical(done),
        **quality_fields(trained.holdout, plan.predicts.classes, []),
    )


def _statement(done: FinishedVertical) -> str:
    label, target = done.plan.label_domain, done.plan.target
    if done.plan.labels == "shared":
        whose = (
            f"The contract of {label} shares the label {target}, so the coordinator "
            "had it."
        )
    else:
        whose = f"The label {target} and every prediction stayed in {label}."
    return f"{whose} {_SEALED} The model is not differentially private."


def _vertical(done: FinishedVertical) -> rec.Vertical:
    plan, trained, match = done.plan, done.trained, done.plan.match
    columns = {p.domain: len(p.features) for p in plan.parties}
    raw = sum(trained.rows) * sum(columns.values()) * _NUMBER_BYTES
    moved = sum(
        e.bytes_up + e.bytes_down for e in done.federation.traffic if e.kind == "turn"
    )
    figures = dict(trained.figures)
    figures["coordinator"] = dict(trained.fitted.figures)
    return rec.Vertical(
        label_domain=plan.label_domain,
        labels="shared" if plan.labels == "shared" else "protected",
        matched=rec.Matched(
            key=match.words if match else "",
            how=match.how if match else "private",
            normalise=match.normalise if match else "",
            rows=trained.matching.rows,
            lost=dict(trained.matching.lost),
        ),
        columns=columns,
        parts=dict(trained.parts),
        figures={who: told for who, told in figures.items() if told},
        moved=moved / raw if raw else None,
        ranking=_ranking(trained.ranking),
    )


def _ranking(told: Mapping[str, Any] | None) -> rec.Ranking | None:
    """Return the figures of ranks that the label's domain told.

    Raises:
        MessageError: They are no such figures.
    """
    if told is None:
        return None
    try:
        low, high = told["users"]
        words = {**told, "users": bucket_words(int(low), int(high))}
        return _RANKING.validate_json(json.dumps(words))
    except (ValidationError, KeyError, TypeError, ValueError):
        raise MessageError(
            "A party told no usable figures of ranks.",
            remedy="Check that every node runs the same version of fl_plugin.",
        ) from None


def _baselines(done: FinishedVertical) -> dict[str, dict[str, float | None]]:
    classes = done.plan.predicts.kind in {"binary", "multiclass"}
    return {"majority" if classes else "mean": done.trained.baseline.values()}


def _domains(done: FinishedVertical, measure: str) -> tuple[rec.DomainResult, ...]:
    """Return the comparison at the label's domain, the only one that can make it."""
    body: Mapping[str, Any] = done.trained.domain
    if "own" not in body:
        return ()
    difference = body.get("difference")
    return (
        rec.DomainResult(
            domain=done.plan.label_domain,
            rows_bucket=_about(done.trained.rows[1]),
            federated=dict(body["federated"]),
            own=dict(body["own"]),
            difference=rec.Estimate(**difference) if difference else None,
            verdict=body.get("verdict", "too few rows to say"),
            measure=measure,
        ),
    )


def _about(rows: int) -> int:
    """Return a number of rows as people are told it; the figures show it anyway."""
    return int(float(f"{rows:.2g}"))


_WHAT: Mapping[str, tuple[str, rec.Form]] = {
    "open": ("a rounded number of rows, fingerprints", "number"),
    "channel": ("a signed public key for this run", "number"),
    "match": ("keys of rows, blinded: no one can test a guess against them", "sealed"),
    "expand": (
        "sealed for each other domain: which of its rows come, how often, in which "
        "order",
        "sealed",
    ),
    "arrange": ("the numbers of matched rows and of own columns", "number"),
    "turn": ("", "sealed"),  # the algorithm says what, and in which form
    "keep": ("the digest of the own part of the model", "number"),
    "assess": ("figures of the model on the rows held out", "number"),
}


def _left(done: FinishedVertical) -> tuple[rec.LeftDomain, ...]:
    traffic = done.federation.traffic
    used = find_vertical(done.plan.algorithm)
    found = []
    for party in sorted({e.party for e in traffic}):
        for kind, told in _WHAT.items():
            what, form = (used.leaves, used.form) if kind == "turn" else told
            mine = [e for e in traffic if (e.party, e.kind) == (party, kind)]
            if mine:
                found.append(
                    rec.LeftDomain(
                        domain=party,
                        kind=kind,
                        what=what,
                        form=form,
                        bytes=sum(e.bytes_up for e in mine),
                        rounds=len(mine),
                    )
                )
    return tuple(found)
