"""How a run was set up: which rows it was judged on, and how columns were prepared."""

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.taking_part import noised_figures
from fl_plugin.report.wording import percent, short, times


def judged(run: RunRecord) -> str:
    """Return which rows the figures are of."""
    noise = (
        " Every figure holds noise for differential privacy, and so does its interval."
        if noised_figures(run)
        else ""
    )
    return f"Judged on rows that training never saw{_holdout(run)}.{noise}{_folds(run)}"


def prepared_rows(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return each numeric column and what was done to it."""
    found = run.preparation
    # The contract's bounds decide: a missing value is their middle.
    private = run.privacy.epsilon is not None
    told = {c.name for c in found.columns if not private}
    steps = [(c.name, ", then ".join(c.steps)) for c in found.columns if c.name in told]
    plain = [
        (
            c.name,
            f"missing becomes {short(c.mean)}, then less {short(c.mean)}, over "
            f"{short(c.scale)}",
        )
        for c in found.numeric
        if c.name not in told
    ]
    return (*plain, *steps)


def _holdout(run: RunRecord) -> str:
    settings = run.evaluation
    if run.vertical is not None:
        share, group = settings.get("holdout"), settings.get("group")
        if settings.get("holdout_by") == "last":
            return (
                f": the last ones of each {group}, inside the domain that has the label"
            )
        told = f": {percent(share)} of the" if isinstance(share, float) else ", of the"
        return f"{told} matched rows, inside the domain that has the label"
    share, group = settings.get("holdout"), settings.get("group")
    if not isinstance(share, float) or not share:
        return ""
    if settings.get("holdout_by") == "time":
        return f": the latest {percent(share)} of all domains' rows together"
    kept = f", rows of one {group} on one side" if group else ""
    return f": {percent(share)} of each domain's, drawn by a keyed hash{kept}"


def _folds(run: RunRecord) -> str:
    found = run.cross_validation
    if found is None:
        return ""
    settings = run.evaluation
    how = ", each with its share of every class" if settings.get("stratified") else ""
    if settings.get("group"):
        how += f", rows of one {settings['group']} in one fold"
    return (
        f" Cross-validation, on all rows: {found.folds} folds{how}, drawn "
        f"{times(found.repeats)}; mean and standard deviation of the fits."
    )
