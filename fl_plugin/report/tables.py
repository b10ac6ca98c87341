"""The report's tables: a record's figures, arranged and put into words."""

import math
from dataclasses import dataclass

from fl_plugin.registry.run_record import DomainResult, Estimate, RunRecord
from fl_plugin.report.findings import SILENT, verdict
from fl_plugin.report.inside import most_important, strongest
from fl_plugin.report.measures import headlines, order_of
from fl_plugin.report.taking_part import lost, noised_figures
from fl_plugin.report.wording import (
    NOTHING,
    TIMES,
    amount,
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


# Coefficients that three decimals do not tell, or tell too finely.
_SMALLEST, _LARGEST = 0.01, 10.0


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
    detail: str
    personalised: str


@dataclass(frozen=True)
class WeightRow:
    """One weight."""

    name: str
    value: str
    ratio: str


@dataclass(frozen=True)
class ImportanceRow:
    """What permuting one column costs, and how far the repeats differ."""

    name: str
    value: str
    spread: str


def tiles(run: RunRecord) -> tuple[Tile, ...]:
    """Return the four figures that a reader looks for first."""
    known = {name for name, found in run.metrics.items() if found.value is not None}
    first, second = headlines(run.target_kind, known)
    spent = sum(run.seconds.values())
    rounds = training_rounds(run)
    return (
        _tile(run, first),
        _tile(run, second),
        Tile("Training rounds", count(rounds), f"{duration(spent)} in all stages"),
        Tile("Left the domains", size(run.bytes.up), f"and {size(run.bytes.down)} in"),
    )


def training_rounds(run: RunRecord) -> int:
    """Return the rounds of the kept model; where it reports none, of all fits."""
    steps = [item.rounds for item in run.left_domain if item.kind == "step"]
    return len(run.rounds) or max(steps, default=0)


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
    """Return the metrics, the well-known first; none that nothing is known of."""
    names = order_of(set(run.metrics))
    rows = tuple(_metric_row(run, name, run.metrics[name]) for name in names)
    return tuple(
        row for row in rows if {row.value, row.folds, *row.baselines} != {NOTHING}
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
    if noised_figures(run):
        return (
            "The counts hold noise for differential privacy: a share of few rows says "
            "little. Recall and F1 in the table above have their intervals."
        )
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
    silent = lost(run)
    return tuple(
        _domain_row(result, silent=result.domain in silent) for result in run.domains
    )


def weight_rows(run: RunRecord) -> tuple[WeightRow, ...]:
    """Return all weights, strongest first, the intercept last."""
    last = [c for c in run.coefficients if c.name == "intercept"]
    return tuple(
        WeightRow(c.name, _weight(c.value), f"{TIMES} {short(_exp(c.value))}")
        for c in [*strongest(run), *last]
    )


def importance_rows(run: RunRecord) -> tuple[ImportanceRow, ...]:
    """Return what every column is worth to the main figure, the greatest first."""
    return tuple(
        ImportanceRow(i.name, short(i.value), short(i.sd)) for i in most_important(run)
    )


def _metric_row(run: RunRecord, name: str, found: Estimate) -> MetricRow:
    folds = run.cross_validation.metrics.get(name) if run.cross_validation else None
    spread = (
        f"{value_of(name, folds.mean)} ± {value_of(name, folds.sd)}" if folds else ""
    )
    return MetricRow(
        name=metric_name(name),
        meaning=metric_meaning(name, run.target_kind),
        value=value_of(name, found.value),
        interval=_interval(name, found),
        resolution=f"{found.resolution:.1g}" if found.resolution else "",
        folds=spread or NOTHING,
        baselines=tuple(
            value_of(name, run.baselines[b].get(name)) for b in sorted(run.baselines)
        ),
    )


def _domain_row(result: DomainResult, *, silent: bool) -> DomainRow:
    said, tone = ("fell silent", "warn") if silent else _SHORT[result.verdict]
    name = result.measure
    text = SILENT if silent else verdict(result)
    # The tag beside it says the first words already.
    detail = text.partition(": ")[2] or text
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
        verdict=text,
        detail=detail[:1].upper() + detail[1:],
        personalised=value_of(name, result.personalised.get(name)),
    )


def _interval(name: str, found: Estimate) -> str:
    if found.low is None or found.high is None:
        return NOTHING
    return f"{value_of(name, found.low)} to {value_of(name, found.high)}"


def _weight(value: float) -> str:
    """Return a coefficient in as many decimals as its size asks for."""
    small = 0 < abs(value) < _SMALLEST
    if not small and abs(value) < _LARGEST:
        return signed(value)
    return f"+{amount(value)}" if value > 0 else amount(value)


def _exp(value: float) -> float:
    return math.exp(min(max(value, -700.0), 700.0))
