"""What a model must not be trusted with, as far as its record shows."""

from collections.abc import Iterator

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.fairness import fairness_limits
from fl_plugin.report.findings import SILENT, exactness, verdict
from fl_plugin.report.measures import COMPARED
from fl_plugin.report.taking_part import lost, why_not_compared
from fl_plugin.report.wording import (
    baseline_name,
    measure_of,
    metric_name,
    title,
    value_of,
)


def limits(run: RunRecord) -> tuple[str, ...]:
    """Return what the model must not be trusted with, as far as the record shows."""
    return tuple(_limits(run))


def _limits(run: RunRecord) -> Iterator[str]:
    compared = () if why_not_compared(run) else run.domains
    silent = lost(run)
    for result in compared:
        if result.domain in silent:
            yield f"{title(result.domain)}: {SILENT}"
        elif result.verdict != "helped":
            yield f"{title(result.domain)}: {verdict(result)}"
    if exactness(run).tone == "warn":
        yield exactness(run).answer
    yield from _no_better(run)
    yield from fairness_limits(run)
    if run.vertical is not None:
        yield (
            "The model is not differentially private: someone who holds a domain's "
            "part of it may learn something about whether a person was among its rows."
        )
    elif run.privacy.epsilon is None:
        yield (
            "The model is exact, not differentially private: someone who holds it may "
            "learn something about whether a person was among the rows."
        )
    yield (
        "The coefficients describe what went together in past cases; they are no "
        "causes, and they repeat whatever bias those cases had."
        if run.coefficients
        else "The model describes how past cases went; it shows no causes, and it "
        "repeats whatever bias they had."
    )


def _no_better(run: RunRecord) -> Iterator[str]:
    """Yield where the model does not beat the one that knows the target alone."""
    for name in ("r2", "d2") if not run.baselines else ():
        share = run.metrics.get(name)
        if share is not None and share.value is not None and share.value <= 0:
            yield (
                f"{metric_name(name)} is {value_of(name, share.value)}: always "
                "answering with the mean would do as well or better."
            )
    for base in sorted(run.baselines):
        for name in COMPARED.get(run.target_kind, ()):
            mine, theirs = run.metrics.get(name), run.baselines[base].get(name)
            if mine is None or mine.value is None or theirs is None:
                continue
            gain = mine.value - theirs
            if (gain if measure_of(name).better == "higher" else -gain) <= 0:
                figures = (
                    f"{value_of(name, mine.value)} against {value_of(name, theirs)}"
                )
                always = (
                    "the training mean of every column"
                    if run.target_kind == "none"
                    else f"always answering with the {baseline_name(base).lower()}"
                )
                yield f"{metric_name(name)} is no better than {always} ({figures})."
