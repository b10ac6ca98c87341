"""A run's record, as tables and as JSON."""

from pathlib import Path
from typing import Any

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.text import Cell, Change, Size
from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.registry.store import MODEL, PART, Entry
from fl_plugin.report.findings import exactness
from fl_plugin.report.measures import order_of
from fl_plugin.report.search import search_view
from fl_plugin.report.taking_part import lost, why_not_compared
from fl_plugin.report.wording import baseline_name, metric_name

_CLEAR = {"in the clear": {"number", "vocabulary"}}
_FORMS = {"masked sums": {"masked sum"}, **_CLEAR}
# Of a vertical run: activations are of single rows, and the coordinator reads them.
_FORMS_OF_ROWS = {"activations": {"activation"}, "sealed": {"sealed"}, **_CLEAR}


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
    """Return where a model and what is said of it are kept.

    Of a vertical model there is no whole one: each domain keeps its part of it.
    """
    model = {"model": MODEL} if entry.run.vertical is None else {"part": PART}
    return {
        "report": entry.report,
        "card": entry.card,
        **{word: entry.path / name for word, name in model.items()},
        "folder": entry.path,
    }


def run_shown(entry: Entry) -> list[Shown]:
    """Return a registered model as tables and sentences."""
    run = entry.run
    not_compared = why_not_compared(run)
    return [
        metrics_table(run),
        not_compared or domains_table(run),
        traffic_table(run),
        run.privacy.statement,
        exactness(run).answer,
        *_chosen(run),
        Table(rows=tuple((k, str(v)) for k, v in paths_of(entry).items())),
    ]


def _chosen(run: RunRecord) -> list[str]:
    """Return which setting a search chose; nothing where none was made."""
    view = search_view(run)
    if view is None:
        return []
    return [f"Of {len(view.rows)} settings the search chose {view.rows[0].parameters}."]


def metrics_table(run: RunRecord) -> Table:
    """Return the hold-out's metrics with the folds' and a baseline's beside."""
    baseline = baseline_name(next(iter(run.baselines), "baseline")).lower()
    folds = ("cv mean", "cv sd") if run.cross_validation else ()
    return Table(
        title=f"{run.study} v{run.version}: {_judged(run)}",
        columns=("metric", "hold-out", "low", "high", *folds, baseline),
        rows=tuple(
            (metric_name(name), *figures)
            for name in order_of(set(run.metrics))
            for figures in [_figures(run, name)]
            if any(figure is not None for figure in figures)
        ),
    )


def domains_table(run: RunRecord) -> Table:
    """Return, for each domain, the federated model beside its own."""
    measure, where, own = metric_name(run.main), "in each domain", "the domain's own"
    if run.vertical is not None:  # nobody else can judge: nobody else has the target
        where, own = "at the label's domain", "one of its own columns"
    return Table(
        title=f"{measure} {where}: the federated model and {own}",
        columns=(
            "domain",
            "federated",
            "own",
            "difference",
            "low",
            "high",
            "federation",
        ),
        rows=tuple(_domain(result, lost(run)) for result in run.domains),
    )


def traffic_table(run: RunRecord) -> Table:
    """Return how much left each domain, and in what form."""
    forms = _FORMS if run.vertical is None else _FORMS_OF_ROWS
    rows: list[tuple[Cell, ...]] = []
    for domain, traffic in run.bytes.domains.items():
        left = [item for item in run.left_domain if item.domain == domain]
        amounts = [
            sum(item.bytes for item in left if item.form in named)
            for named in forms.values()
        ]
        protocol = traffic.up - sum(amounts)
        sizes = map(Size, (*amounts, protocol, traffic.up))
        rows.append((domain, *sizes, traffic.messages))
    return Table(
        title="What left each domain",
        columns=("domain", *forms, "decisions, keys", "in all", "messages"),
        rows=tuple(rows),
    )


def _figures(run: RunRecord, name: str) -> tuple[float | None, ...]:
    found = run.metrics[name]
    figures = (found.value, found.low, found.high)
    baseline = next(iter(run.baselines.values()), {}).get(name)
    if run.cross_validation is None:
        return (*figures, baseline)
    folds = run.cross_validation.metrics.get(name)
    return (
        *figures,
        folds.mean if folds else None,
        folds.sd if folds else None,
        baseline,
    )


def _judged(run: RunRecord) -> str:
    folds = run.cross_validation
    if folds is None:
        return "on the hold-out, 95 % interval"
    return (
        "on the hold-out, 95 % interval; "
        f"{folds.folds} folds x {folds.repeats} of cross-validation"
    )


def _domain(result: DomainResult, silent: tuple[str, ...]) -> tuple[Cell, ...]:
    gap = result.difference
    ends = (gap.value, gap.low, gap.high) if gap else (None, None, None)
    return (
        result.domain,
        result.federated.get(result.measure),
        result.own.get(result.measure),
        *(None if end is None else Change(end) for end in ends),
        "fell silent" if result.domain in silent else result.verdict,
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
            ("target", run.target or "none"),
            ("model digest", run.model_digest),
        ),
    )
