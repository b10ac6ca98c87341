"""From what a run brought back to the record that is kept."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

from fl_plugin.algorithms.base import Fitted
from fl_plugin.mesh.figures import (
    cross_validation_of,
    curve_points_of,
    estimates_of,
    majority_of,
)
from fl_plugin.mesh.finished import Finished, spec_of_run
from fl_plugin.mesh.leaving import left_domains, privacy_of, traffic_of
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.spec import ModelSpec
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.preparation.features import Feature
from fl_plugin.registry import run_record as rec

_SOFTWARE = ("scikit-learn", "numpy", "duckdb", "pyarrow", "cryptography")


def record_of(done: Finished, version: int) -> rec.RunRecord:
    """Return the run's record."""
    plan, trained = done.plan, done.trained
    spec = spec_of_run(done)
    holdout = trained.judgement.holdout
    return rec.RunRecord(
        run=done.federation.run,
        study=plan.study,
        version=version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        consumer=plan.consumer,
        actor=plan.actor,
        purpose=plan.purpose,
        algorithm=_algorithm(plan),
        engine=done.engine,
        seed=plan.seed,
        products=tuple(_product(done, p) for p in plan.parties),
        manifest_fingerprint=plan.manifest,
        features=tuple(f.name for f in plan.features),
        target=plan.target,
        preparation=_preparation(spec, plan.features),
        rounds=_rounds(done),
        metrics=estimates_of(holdout),
        cross_validation=cross_validation_of(done),
        domains=tuple(_domain(done, p) for p in plan.parties),
        baselines={"majority": majority_of(done)},
        curves=curve_points_of(holdout),
        confusion=_confusion(done),
        coefficients=_coefficients(spec),
        certificate=_certificate(trained.fits.fits[0].fitted),
        bytes=traffic_of(done.federation.traffic),
        left_domain=left_domains(done),
        seconds=dict(trained.seconds),
        audit_heads=_audit_heads(done),
        model_digest=model_digest(spec),
        privacy=privacy_of(plan),
        software=_software(),
        evaluation=plan.evaluation.model_dump(),
        mode="horizontal",
        label=plan.label,
        description=done.study.description,
        owner=done.study.owner.name,
    )


def _algorithm(plan: Plan) -> rec.AlgorithmUsed:
    return rec.AlgorithmUsed(name=plan.algorithm, parameters=dict(plan.parameters))


def _confusion(done: Finished) -> rec.Confusion:
    counts = dict(done.trained.judgement.holdout.confusion)
    return rec.Confusion(threshold=done.plan.evaluation.threshold, **counts)


def _certificate(fitted: Fitted) -> rec.Certificate:
    return rec.Certificate(
        gradient_norm=fitted.gradient_norm,
        smallest_eigenvalue=fitted.smallest_eigenvalue,
        distance_bound=fitted.distance_bound,
    )


def _audit_heads(done: Finished) -> dict[str, rec.AuditHead]:
    heads = sorted(done.federation.heads.items())
    return {p: rec.AuditHead(sequence=h.sequence, hash=h.hash) for p, h in heads}


def _software() -> dict[str, str]:
    versions = {name: installed(name) for name in _SOFTWARE}
    return {"python": platform.python_version(), **versions}


def _product(done: Finished, party: PartyPlan) -> rec.ProductUsed:
    body = done.trained.opened[party.domain]
    product = done.manifest.products[party.product]
    grant = done.manifest.grants.get(f"{party.domain}.{body.get('grant')}")
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


def _preparation(spec: ModelSpec, features: tuple[Feature, ...]) -> rec.Preparation:
    by_contract = {f.name for f in features if f.categories is not None}
    return rec.Preparation(
        numeric=tuple(
            rec.NumericPrepared(name=c.name, mean=c.mean, scale=c.scale)
            for c in spec.numeric
        ),
        categorical=tuple(
            rec.CategoricalPrepared(
                name=c.name,
                categories=c.categories,
                source="contract" if c.name in by_contract else "union",
            )
            for c in spec.categorical
        ),
    )


def _rounds(done: Finished) -> tuple[rec.RoundRecord, ...]:
    found = []
    for step in done.trained.fits.progress:
        sent = [e for e in done.federation.traffic if e.round == step.round]
        found.append(
            rec.RoundRecord(
                round=step.round,
                loss=step.loss,
                gradient_norm=step.gradient_norm,
                step=step.step,
                bytes_up=sum(e.bytes_up for e in sent),
                bytes_down=sum(e.bytes_down for e in sent),
                seconds=round(max(e.seconds for e in sent), 4),
            )
        )
    return tuple(found)


def _domain(done: Finished, party: PartyPlan) -> rec.DomainResult:
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
        calibration=tuple(
            rec.CalibrationCell(**cell) for cell in body.get("calibration", ())
        ),
    )


def _coefficients(spec: ModelSpec) -> tuple[rec.Coefficient, ...]:
    names = [c.name for c in spec.numeric] + [
        f"{c.name} = {str(value).lower() if isinstance(value, bool) else value}"
        for c in spec.categorical
        for value in c.categories
    ]
    return tuple(
        rec.Coefficient(name=name, value=float(value))
        for name, value in zip(names, spec.coef, strict=True)
    )
