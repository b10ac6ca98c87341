"""From what a run brought back to the record and the model that are kept."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

from fl_plugin.coordinator.federation import Exchange, Federation
from fl_plugin.coordinator.run import Trained
from fl_plugin.evaluation.metrics import Interval, Metrics, majority_metrics
from fl_plugin.evaluation.summary import spread
from fl_plugin.manifest.types import Manifest, Study
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.spec import CategoricalColumn, ModelSpec, NumericColumn
from fl_plugin.plan.types import PartyPlan, Plan
from fl_plugin.preparation.features import Feature
from fl_plugin.registry import run_record as rec

_FIGURES = ("log_loss", "brier", "accuracy", "balanced_accuracy", "precision")
_FIGURES_TOO = ("recall", "f1")
_FOLD_METRICS = ("roc_auc", "pr_auc", "log_loss", "brier")
_SOFTWARE = ("scikit-learn", "numpy", "duckdb", "pyarrow", "cryptography")
_WHAT = {
    "vocabulary": "values of text columns that at least min_cohort rows have",
    "count": "numbers of rows and of positives; values present and their sums",
    "scatter": "sums of squared deviations from the common means",
    "step": "loss, gradient and Hessian over the training rows",
    "evaluate": "rows per score bin and outcome; sums of losses",
    "compare": "rounded quality of two models on the domain's own rows",
    "open": "a rounded number of rows, fingerprints, a public key",
}
_FORMS: Mapping[str, str] = {"vocabulary": "vocabulary", "compare": "number"}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that has ended: its plan, its results and its traffic."""

    plan: Plan
    study: Study
    manifest: Manifest
    trained: Trained
    federation: Federation
    engine: str


def spec_of_run(done: Finished) -> ModelSpec:
    """Return the hold-out's model as numbers."""
    best = done.trained.fits.fits[0]
    counted = best.moments.counted
    numbers = [f for f in done.trained.features if f.kind == "numeric"]
    return ModelSpec(
        numeric=tuple(
            NumericColumn(
                name=feature.name,
                mean=float(counted.means[i]),
                scale=float(best.moments.scales[i]),
                n_seen=int(counted.present[i]),
                variance=float(best.moments.variances[i]),
            )
            for i, feature in enumerate(numbers)
        ),
        categorical=tuple(
            CategoricalColumn(name=f.name, categories=f.categories or ())
            for f in done.trained.features
            if f.kind == "categorical"
        ),
        coef=best.fitted.coefficients,
        intercept=best.fitted.intercept,
        l2=float(done.plan.parameters.get("l2", 1.0)),
        n_rounds=best.fitted.rounds,
        rows=counted.rows,
    )


def record_of(done: Finished, version: int) -> rec.RunRecord:
    """Return the run's record."""
    plan, trained = done.plan, done.trained
    spec = spec_of_run(done)
    fitted = trained.fits.fits[0].fitted
    holdout = trained.judgement.holdout
    evaluation = plan.evaluation
    return rec.RunRecord(
        run=done.federation.run,
        study=plan.study,
        version=version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        consumer=plan.consumer,
        actor=plan.actor,
        purpose=plan.purpose,
        algorithm=rec.AlgorithmUsed(
            name=plan.algorithm, parameters=dict(plan.parameters)
        ),
        engine=done.engine,
        seed=plan.seed,
        products=tuple(_product(done, p) for p in plan.parties),
        manifest_fingerprint=plan.manifest,
        features=tuple(f.name for f in plan.features),
        target=plan.target,
        preparation=_preparation(spec, plan.features),
        rounds=_rounds(done),
        metrics=_metrics(holdout),
        cross_validation=_cross_validation(done),
        domains=tuple(_domain(done, p) for p in plan.parties),
        baselines={"majority": _majority(done)},
        curves=_curves(holdout),
        confusion=rec.Confusion(
            threshold=evaluation.threshold, **dict(holdout.confusion)
        ),
        coefficients=_coefficients(spec),
        certificate=rec.Certificate(
            gradient_norm=fitted.gradient_norm,
            smallest_eigenvalue=fitted.smallest_eigenvalue,
            distance_bound=fitted.distance_bound,
        ),
        bytes=_traffic(done.federation.traffic),
        left_domain=_left(done),
        seconds=dict(trained.seconds),
        audit_heads={
            party: rec.AuditHead(sequence=head.sequence, hash=head.hash)
            for party, head in sorted(done.federation.heads.items())
        },
        model_digest=model_digest(spec),
        privacy=_privacy(plan),
        software={
            "python": platform.python_version(),
            **{name: installed(name) for name in _SOFTWARE},
        },
        evaluation=evaluation.model_dump(),
        mode="horizontal",
        label=plan.label,
        description=done.study.description,
        owner=done.study.owner.name,
    )


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


def _metrics(found: Metrics) -> dict[str, rec.Estimate]:
    sampling = found.roc_auc_ci
    estimates = {
        "roc_auc": _estimate(found.roc_auc, sampling),
        "pr_auc": _estimate(found.pr_auc, None),
        "ks": _estimate(found.ks, None),
    }
    for name in _FIGURES + _FIGURES_TOO:
        estimates[name] = rec.Estimate(value=getattr(found, name))
    return estimates


def _estimate(bracket: Interval | None, sampling: Interval | None) -> rec.Estimate:
    if bracket is None:
        return rec.Estimate(value=None)
    return rec.Estimate(
        value=bracket.value,
        low=sampling.low if sampling else None,
        high=sampling.high if sampling else None,
        resolution=(bracket.high - bracket.low) / 2.0,
    )


def _cross_validation(done: Finished) -> rec.CrossValidation | None:
    folds = done.trained.judgement.folds
    chosen = done.plan.evaluation
    ratio = 1.0 / (chosen.folds - 1)
    spreads = {}
    for name in _FOLD_METRICS:
        values = [_value(getattr(fold, name)) for fold in folds]
        found = spread(values, test_to_train=ratio)
        if found is not None:
            spreads[name] = rec.Spread(
                mean=found.mean,
                sd=found.sd or 0.0,
                values=tuple(v for v in values if v is not None),
            )
    return rec.CrossValidation(
        folds=chosen.folds, repeats=chosen.repeats, metrics=spreads
    )


def _value(found: Interval | float | None) -> float | None:
    return found.value if isinstance(found, Interval) else found


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
    )


def _majority(done: Finished) -> dict[str, float | None]:
    counted = done.trained.fits.fits[0].moments.counted
    tested = done.trained.judgement.holdout
    found = majority_metrics(
        counted.positives, counted.rows, tested.positives, tested.rows
    )
    names = ("roc_auc", "pr_auc", *_FIGURES, *_FIGURES_TOO)
    return {name: _value(getattr(found, name)) for name in names}


def _curves(found: Metrics) -> rec.Curves:
    return rec.Curves(
        roc=tuple((float(x), float(y)) for x, y in found.curves.roc),
        pr=tuple((float(x), float(y)) for x, y in found.curves.pr),
        calibration=tuple(
            rec.CalibrationCell(
                mean_score=cell.mean_score, rate=cell.rate, share=cell.share
            )
            for cell in found.calibration
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


def _traffic(traffic: list[Exchange]) -> rec.TrafficRecord:
    domains = {}
    for party in sorted({e.party for e in traffic}):
        mine = [e for e in traffic if e.party == party]
        domains[party] = rec.Traffic(
            up=sum(e.bytes_up for e in mine),
            down=sum(e.bytes_down for e in mine),
            messages=2 * len(mine),
        )
    return rec.TrafficRecord(
        up=sum(d.up for d in domains.values()),
        down=sum(d.down for d in domains.values()),
        messages=sum(d.messages for d in domains.values()),
        domains=domains,
    )


def _left(done: Finished) -> tuple[rec.LeftDomain, ...]:
    found = []
    masked = "masked sum" if done.plan.secure_aggregation else "number"
    for party in sorted({e.party for e in done.federation.traffic}):
        for kind, what in _WHAT.items():
            mine = [
                e
                for e in done.federation.traffic
                if e.party == party and e.kind == kind
            ]
            if not mine:
                continue
            form: Any = _FORMS.get(kind, "number" if kind == "open" else masked)
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


def _privacy(plan: Plan) -> rec.Privacy:
    if plan.secure_aggregation:
        statement = (
            "Exact, aggregated: the coordinator saw only sums over all domains, "
            "masked pairwise on the way; no noise was added, so this is not "
            "differential privacy."
        )
    else:
        statement = (
            "Exact, not masked: the coordinator saw each domain's own sums; no noise "
            "was added, so this is not differential privacy."
        )
    return rec.Privacy(secure_aggregation=plan.secure_aggregation, statement=statement)
