"""The report's tables: a record's figures, arranged and put into words."""

import math
from dataclasses import dataclass

from fl_plugin.registry.run_record import DomainResult, Estimate, RunRecord
from fl_plugin.report.findings import verdict
from fl_plugin.report.inside import strongest
from fl_plugin.report.measures import HEADLINES, order_of
from fl_plugin.report.wording import (
    NOTHING,
    TIMES,
    baseline_name,
    change_of,
    count,
    duration,
    measure_of,
    metric_meaning,
    metric_name,
    percent,
    rows,
    short,
    signed,
    size,
    title,
    value_of,
)

_SHORT = {
    "helped": ("helped", "good"),
    "hurt": ("did not help", "warn"),
    "no clear difference": ("no clear difference", ""),
    "too few rows to say": ("too few rows", ""),
}


@dataclass(frozen=True)
class Tile:
    """One of the large figures at the head."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One metric on the hold-out, over the folds and of each baseline."""

    name: str
    meaning: str
    value: str
    interval: str
    resolution: str
    folds: str
    baselines: tuple[str, ...]


@dataclass(frozen=True)
class LeftRow:
    """One kind of thing that left, with its size by domain."""

    kind: str
    what: str
    form: str
    rounds: int
    bytes: tuple[str, ...]


@dataclass(frozen=True)
class ErrorCell:
    """A cell of the confusion matrix; `share` is the strength of its colour."""

    name: str
    count: str
    colour: str
    share: str


@dataclass(frozen=True, kw_only=True)
class DomainRow:
    """One domain's comparison."""

    name: str
    rows: str
    own: str
    federated: str
    difference: str
    short: str
    tone: str
    verdict: str
    personalised: str


@dataclass(frozen=True)
class WeightRow:
    """One weight."""

    name: str
    value: str
    ratio: str


def tiles(run: RunRecord) -> tuple[Tile, ...]:
    """Return the four figures that a reader looks for first."""
    first, second = HEADLINES.get(run.target_kind, HEADLINES["binary"])
    spent = sum(run.seconds.values())
    return (
        _tile(run, first),
        _tile(run, second),
        Tile("Rounds", count(len(run.rounds)), f"{duration(spent)} in all stages"),
        Tile("Left the domains", size(run.bytes.up), f"and {size(run.bytes.down)} in"),
    )


def _tile(run: RunRecord, name: str) -> Tile:
    found = run.metrics.get(name, Estimate(value=None))
    interval = _interval(name, found)
    bases = [(b, run.baselines[b].get(name)) for b in sorted(run.baselines)]
    known = [f"{baseline_name(b)}: {value_of(name, v)}" for b, v in bases if v]
    if interval != NOTHING:
        note = f"95 %: {interval}"
    elif known:
        note = known[0][:1].lower() + known[0][1:]
    else:
        better = measure_of(name).better
        note = f"{better} is better" if better else "on hold-out rows"
    return Tile(metric_name(name), value_of(name, found.value), note)


def metric_rows(run: RunRecord) -> tuple[MetricRow, ...]:
    """Return the metrics, the well-known first."""
    names = order_of(set(run.metrics))
    return tuple(_metric_row(run, name, run.metrics[name]) for name in names)


def left_rows(run: RunRecord) -> tuple[LeftRow, ...]:
    """Return one row per kind of thing that left, the domains side by side."""
    domains = sorted({item.domain for item in run.left_domain})
    keys = dict.fromkeys((i.kind, i.what, i.form) for i in run.left_domain)
    found = []
    for kind, what, form in keys:
        same = [
            i for i in run.left_domain if (i.kind, i.what, i.form) == (kind, what, form)
        ]
        sent = {i.domain: size(i.bytes) for i in same}
        times = max(i.rounds for i in same)
        amounts = tuple(sent.get(d, NOTHING) for d in domains)
        found.append(LeftRow(kind, what, form, times, amounts))
    return tuple(found)


def left_the_same(run: RunRecord) -> bool:
    """Return whether every domain sent the same kinds of things."""
    return bool(run.left_domain) and all(
        NOTHING not in row.bytes for row in left_rows(run)
    )


def error_cells(run: RunRecord) -> tuple[ErrorCell, ...]:
    """Return hits, misses, false alarms and right refusals; empty without counts."""
    table = run.confusion
    if table is None:
        return ()
    total = max(table.tp + table.fp + table.fn + table.tn, 1)
    cells = (
        ("found", table.tp, "good"),
        ("missed", table.fn, "bad"),
        ("false alarm", table.fp, "bad"),
        ("rightly left alone", table.tn, "good"),
    )
    return tuple(
        ErrorCell(name, count(cell), colour, f"{0.06 + 0.5 * cell / total:.3f}")
        for name, cell, colour in cells
    )


def error_words(run: RunRecord) -> str:
    """Return what the counts mean for someone who acts on the answers."""
    table = run.confusion
    if table is None or not table.tp + table.fn:
        return ""
    found = f"It finds {percent(table.tp / (table.tp + table.fn))} of the cases"
    if not table.tp + table.fp:
        return f"{found}; it raises no alarm at all."
    right = percent(table.tp / (table.tp + table.fp))
    return (
        f"{found}, and {right} of its alarms are right. A lower threshold finds more "
        "and raises more false alarms; which one pays is a business decision."
    )


def domain_rows(run: RunRecord) -> tuple[DomainRow, ...]:
    """Return the comparison of both models, one row per domain."""
    return tuple(_domain_row(result) for result in run.domains)


def weight_rows(run: RunRecord) -> tuple[WeightRow, ...]:
    """Return all weights, strongest first, the intercept last."""
    last = [c for c in run.coefficients if c.name == "intercept"]
    return tuple(
        WeightRow(c.name, signed(c.value), f"{TIMES} {short(_exp(c.value))}")
        for c in [*strongest(run), *last]
    )


def _metric_row(run: RunRecord, name: str, found: Estimate) -> MetricRow:
    folds = run.cross_validation.metrics.get(name) if run.cross_validation else None
    spread = (
        f"{value_of(name, folds.mean)} ± {value_of(name, folds.sd)}" if folds else ""
    )
    return MetricRow(
        name=metric_name(name),
        meaning=metric_meaning(name),
        value=value_of(name, found.value),
        interval=_interval(name, found),
        resolution=f"{found.resolution:.1g}" if found.resolution else "",
        folds=spread or NOTHING,
        baselines=tuple(
            value_of(name, run.baselines[b].get(name)) for b in sorted(run.baselines)
        ),
    )


def _domain_row(result: DomainResult) -> DomainRow:
    said, tone = _SHORT[result.verdict]
    name = result.measure
    return DomainRow(
        name=title(result.domain),
        rows=rows(result.rows_bucket),
        own=value_of(name, result.own.get(name)),
        federated=value_of(name, result.federated.get(name)),
        difference=change_of(
            name, result.difference.value if result.difference else None
        ),
        short=said,
        tone=tone,
        verdict=verdict(result),
        personalised=value_of(name, result.personalised.get(name)),
    )


def _interval(name: str, found: Estimate) -> str:
    if found.low is None or found.high is None:
        return NOTHING
    return f"{value_of(name, found.low)} to {value_of(name, found.high)}"


def _exp(value: float) -> float:
    return math.exp(min(max(value, -700.0), 700.0))
