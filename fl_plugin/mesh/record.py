"""From what a run brought back to the record that is kept."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any, Protocol

from fl_plugin.algorithms.base import Fitted
from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.losses import notes_of
from fl_plugin.coordinator.traffic import Exchange
from fl_plugin.evaluation.base import evaluation_for
from fl_plugin.manifest.types import Manifest
from fl_plugin.mesh.figures import (
    ProtectedColumn,
    confusion_of,
    cross_validation_of,
    quality_fields,
)
from fl_plugin.mesh.finished import Ended, Finished
from fl_plugin.mesh.leaving import left_domains, privacy_of, traffic_of
from fl_plugin.mesh.prepared import coefficients_of, preparation_of
from fl_plugin.mesh.searched import search_of
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.registry import run_record as rec

_SOFTWARE = ("scikit-learn", "numpy", "duckdb", "pyarrow", "cryptography")


def record_of(done: Finished, version: int) -> rec.RunRecord:
    """Return the run's record."""
    plan, trained = done.plan, done.trained
    best = trained.fits[0]
    evaluation = evaluation_for(trained.spec)
    return rec.RunRecord(
        **run_words(done, trained.opened, version),
        algorithm=_algorithm(done),
        preparation=preparation_of(best.prepared, plan.features),
        rounds=rounds_of(best.progress, done.federation.traffic),
        cross_validation=_cross_validation(done),
        domains=tuple(_domain(done, p, evaluation.main) for p in plan.parties),
        baselines=_baselines(done),
        confusion=confusion_of(trained.judgement.holdout, plan.evaluation.threshold),
        coefficients=coefficients_of(best),
        certificate=_certificate(best.fitted),
        left_domain=left_domains(done),
        seconds=dict(trained.seconds),
        privacy=privacy_of(plan, done.federation.lost),
        evaluation=_settings(plan),
        main=evaluation.main,
        better=evaluation.better,
        search=search_of(trained.searched),
        notes=(*best.fitted.notes, *notes_of(done.federation.lost)),
        **_quality(done),
    )


def run_words(
    done: Ended, opened: Mapping[str, Mapping[str, Any]], version: int
) -> dict[str, Any]:
    """Return the fields of a record that every run has, whatever it learned.

    Args:
        done: The run.
        opened: What each domain said when it opened.
        version: Of the model.
    """
    plan, federation = done.plan, done.federation
    return {
        "run": federation.run,
        "study": plan.study,
        "version": version,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "consumer": plan.consumer,
        "actor": plan.actor,
        "purpose": plan.purpose,
        "engine": done.engine,
        "seed": plan.seed,
        "products": tuple(
            product_of(p, opened[p.domain], done.manifest) for p in plan.parties
        ),
        "manifest_fingerprint": plan.manifest,
        "features": tuple(f.name for f in plan.features),
        "target": plan.target or "",
        "bytes": traffic_of(federation.traffic),
        "audit_heads": audit_heads(federation),
        "model_digest": done.model_digest,
        "software": software(),
        "mode": plan.mode,
        "label": plan.label,
        "description": done.study.description,
        "owner": done.study.owner.name,
    }


def _cross_validation(done: Finished) -> rec.CrossValidation | None:
    judged = done.plan.evaluation
    return cross_validation_of(
        done.trained.judgement.folds, folds_each=judged.folds, repeats=judged.repeats
    )


def _quality(done: Finished) -> dict[str, Any]:
    protected = [
        ProtectedColumn(name=f.name, categories=f.categories or ())
        for f in done.trained.protected
    ]
    return quality_fields(
        done.trained.judgement.holdout, done.plan.predicts.classes, protected
    )


def _algorithm(done: Finished) -> rec.AlgorithmUsed:
    used = find_algorithm(done.plan.algorithm)
    return rec.AlgorithmUsed(
        name=used.name,
        parameters=dict(done.trained.fits[0].candidate.parameters),
        title=used.title,
        equals=used.exact,
    )


def _baselines(done: Finished) -> dict[str, dict[str, float | None]]:
    found = done.trained.judgement.baseline
    if found is None:
        return {}
    classes = done.plan.predicts.kind in {"binary", "multiclass"}
    return {"majority" if classes else "mean": found.values()}


def _settings(plan: Plan) -> dict[str, Any]:
    told = plan.evaluation.model_dump()
    return {**told, "fairness": ", ".join(plan.evaluation.fairness)}


def _certificate(fitted: Fitted) -> rec.Certificate | None:
    found = fitted.certificate
    if found is None:
        return None
    return rec.Certificate(
        gradient_norm=found.gradient_norm,
        smallest_eigenvalue=found.smallest_eigenvalue,
        distance_bound=found.distance_bound,
    )


def audit_heads(federation: Federation) -> dict[str, rec.AuditHead]:
    """Return the last link of each domain's audit chain."""
    heads = sorted(federation.heads.items())
    return {p: rec.AuditHead(sequence=h.sequence, hash=h.hash) for p, h in heads}


def software() -> dict[str, str]:
    """Return the versions that a model depends on."""
    versions = {name: installed(name) for name in _SOFTWARE}
    return {"python": platform.python_version(), **versions}


def product_of(
    party: PartyPlan, body: Mapping[str, Any], manifest: Manifest
) -> rec.ProductUsed:
    """Return a product as it was used, and whom to ask about it.

    Args:
        party: Of the plan.
        body: What the domain said when it opened.
        manifest: The mesh's.
    """
    product = manifest.products[party.product]
    grant = manifest.grants.get(f"{party.domain}.{body.get('grant')}")
    return rec.ProductUsed(
        product=party.product,
        version=party.version,
        domain=party.domain,
        policy=str(body.get("policy", "")),
        manifest=str(body.get("manifest", "")),
        rows_bucket=_bucket(body),
        grant=body.get("grant"),
        owner=product.owner.name,
        contact=product.owner.support or product.owner.email,
        classification=product.contract.classification,
        approved_by=grant.approved_by if grant else (),
        expires=grant.expires.isoformat() if grant and grant.expires else None,
    )


def _bucket(body: Mapping[str, Any]) -> int | None:
    text = str(body.get("rows", ""))
    return int(text) if text.isdigit() else None


class Progressed(Protocol):
    """One round, and what the algorithm had to say of it."""

    @property
    def round(self) -> int:
        """Its number."""

    @property
    def figures(self) -> Mapping[str, float]:
        """For people."""


def rounds_of(
    progress: Sequence[Progressed], traffic: Sequence[Exchange]
) -> tuple[rec.RoundRecord, ...]:
    """Return the rounds of a fit, with what each cost all parties."""
    by_round: dict[int, list[Exchange]] = {}
    for sent in traffic:
        by_round.setdefault(sent.round, []).append(sent)
    found = []
    for step in progress:
        mine = by_round.get(step.round, [])
        figures = dict(step.figures)
        found.append(
            rec.RoundRecord(
                round=step.round,
                loss=figures.pop("loss", None),
                gradient_norm=figures.pop("gradient_norm", None),
                step=figures.pop("step", None),
                progress=figures,
                bytes_up=sum(e.bytes_up for e in mine),
                bytes_down=sum(e.bytes_down for e in mine),
                seconds=round(max((e.seconds for e in mine), default=0.0), 4),
                domains=_by_domain(mine),
            )
        )
    return tuple(found)


def _by_domain(sent: Sequence[Exchange]) -> dict[str, rec.RoundTraffic]:
    return {
        party: rec.RoundTraffic(
            up=sum(e.bytes_up for e in sent if e.party == party),
            down=sum(e.bytes_down for e in sent if e.party == party),
        )
        for party in sorted({e.party for e in sent})
    }


def _domain(done: Finished, party: PartyPlan, measure: str) -> rec.DomainResult:
    body = done.trained.judgement.domains.get(party.domain, {})
    difference = body.get("difference")
    return rec.DomainResult(
        domain=party.domain,
        rows_bucket=_bucket(done.trained.opened[party.domain]),
        federated=dict(body.get("federated", {})),
        own=dict(body.get("own", {})),
        difference=rec.Estimate(**difference) if difference else None,
        verdict=body.get("verdict", "too few rows to say"),
        majority=dict(body.get("majority", {})),
        personalised=dict(body.get("personal", {})),
        calibration=tuple(
            rec.CalibrationCell(**cell) for cell in body.get("calibration", ())
        ),
        measure=measure,
    )
