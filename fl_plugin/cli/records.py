"""A run's record, as tables and as JSON."""

from pathlib import Path
from typing import Any

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.text import Cell, Change, Size
from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.registry.store import MODEL, Entry
from fl_plugin.report.findings import exactness
from fl_plugin.report.wording import metric_name


def run_facts(entry: Entry) -> dict[str, Any]:
    """Return a registered model for `--json`."""
    run = entry.run
    return {
        "study": run.study,
        "run": run.run,
        "version": run.version,
        "created_at": run.created_at,
        "engine": run.engine,
        "algorithm": run.algorithm,
        "model_digest": run.model_digest,
        "metrics": run.metrics,
        "cross_validation": run.cross_validation,
        "majority": run.baselines.get("majority"),
        "domains": run.domains,
        "bytes": run.bytes,
        "left_domain": run.left_domain,
        "certificate": run.certificate,
        "privacy": run.privacy,
        "products": run.products,
        "seconds": run.seconds,
        "audit_heads": run.audit_heads,
        **{name: str(path) for name, path in paths_of(entry).items()},
    }


def paths_of(entry: Entry) -> dict[str, Path]:
    """Return where a model and what is said of it are kept."""
    return {
        "report": entry.report,
        "card": entry.card,
        "model": entry.path / MODEL,
        "folder": entry.path,
    }


def run_shown(entry: Entry) -> list[Shown]:
    """Return a registered model as tables and sentences."""
    run = entry.run
    return [
        metrics_table(run),
        domains_table(run),
        traffic_table(run),
        run.privacy.statement,
        exactness(run).answer,
        Table(rows=tuple((k, str(v)) for k, v in paths_of(entry).items())),
    ]


def metrics_table(run: RunRecord) -> Table:
    """Return the hold-out's metrics with the folds' and the majority class beside."""
    folds = run.cross_validation.metrics if run.cross_validation else {}
    name, baseline = next(iter(run.baselines.items()), ("baseline", {}))
    return Table(
        title=f"{run.study} v{run.version}: {_judged(run)}",
        columns=("metric", "hold-out", "low", "high", "cv mean", "cv sd", name),
        rows=tuple(
            (
                metric_name(name),
                found.value,
                found.low,
                found.high,
                folds[name].mean if name in folds else None,
                folds[name].sd if name in folds else None,
                baseline.get(name),
            )
            for name, found in _ordered(run)
        ),
    )


def domains_table(run: RunRecord) -> Table:
    """Return, for each domain, the federated model beside its own."""
    measure = metric_name(run.main)
    return Table(
        title=f"{measure} in each domain: the federated model and the domain's own",
        columns=(
            "domain",
            "federated",
            "own",
            "difference",
            "low",
            "high",
            "federation",
        ),
        rows=tuple(_domain(result) for result in run.domains),
    )


def traffic_table(run: RunRecord) -> Table:
    """Return how much left each domain, and in what form."""
    rows: list[tuple[Cell, ...]] = []
    for domain, traffic in run.bytes.domains.items():
        left = [item for item in run.left_domain if item.domain == domain]
        forms = {
            form: sum(item.bytes for item in left if item.form == form)
            for form in ("masked sum", "number", "vocabulary")
        }
        protocol = traffic.up - sum(forms.values())
        amounts = (*forms.values(), protocol, traffic.up)
        rows.append((domain, *map(Size, amounts), traffic.messages))
    return Table(
        title="What left each domain",
        columns=(
            "domain",
            "masked sums",
            "numbers",
            "vocabularies",
            "decisions, keys",
            "in all",
            "messages",
        ),
        rows=tuple(rows),
    )


def _ordered(run: RunRecord) -> list[tuple[str, Any]]:
    """Return the metrics, the ranking ones that a reader looks for first."""
    first = ("roc_auc", "pr_auc", "ks", "log_loss", "brier")
    names = [n for n in first if n in run.metrics]
    names += [n for n in run.metrics if n not in first]
    return [(name, run.metrics[name]) for name in names]


def _judged(run: RunRecord) -> str:
    folds = run.cross_validation
    if folds is None:
        return "on the hold-out, 95 % interval"
    return (
        "on the hold-out, 95 % interval; "
        f"{folds.folds} folds x {folds.repeats} of cross-validation"
    )


def _domain(result: DomainResult) -> tuple[Cell, ...]:
    gap = result.difference
    ends = (gap.value, gap.low, gap.high) if gap else (None, None, None)
    return (
        result.domain,
        result.federated.get(result.measure),
        result.own.get(result.measure),
        *(None if end is None else Change(end) for end in ends),
        result.verdict,
    )


def origin_table(entry: Entry) -> Table:
    """Return where a model comes from, as facts."""
    run = entry.run
    products = (
        p.product if p.version is None else f"{p.product} v{p.version}"
        for p in run.products
    )
    return Table(
        title=run.label or run.study,
        rows=(
            ("study", run.study),
            ("version", str(run.version)),
            ("trained", run.created_at),
            ("run", run.run),
            ("consumer", run.consumer),
            ("purpose", run.purpose),
            ("algorithm", run.algorithm.name),
            ("engine", run.engine),
            ("products", ", ".join(products)),
            ("features", ", ".join(run.features)),
            ("target", run.target),
            ("model digest", run.model_digest),
        ),
    )
