"""How the model treats the groups of a protected column: rows, a sentence, a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import Fairness, GroupResult, RunRecord
from fl_plugin.report.plots import INK, SERIES, SOFT, Canvas, Plot, style
from fl_plugin.report.wording import (
    NOTHING,
    amount,
    category,
    figure,
    percent,
    signed,
    title,
)

# By kind of target: what a table shows of each group, with its heading.
_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "binary": (
        ("selection_rate", "Called positive"),
        ("positive_rate", "Were positive"),
        ("true_positive_rate", "Found"),
        ("false_positive_rate", "False alarms"),
        ("calibration_gap", "Predicted less observed"),
    ),
    "multiclass": (
        ("accuracy", "Right answers"),
        ("balanced_accuracy", "Mean over classes"),
    ),
    "number": (
        ("mean_target", "Observed mean"),
        ("mean_prediction", "Predicted mean"),
        ("mean_residual", "Observed less predicted"),
        ("mae", "Mean absolute error"),
    ),
}
_DRAWN = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate"),
    "multiclass": ("accuracy",),
    "number": ("mean_residual",),
}
_DIFFERENCES = {
    "demographic_parity_difference": "Demographic parity difference",
    "demographic_parity_ratio": "Demographic parity ratio",
    "equalised_odds_difference": "Equalised odds difference",
    "accuracy_difference": "Accuracy difference",
    "mean_residual_difference": "Difference of observed less predicted",
    "mae_difference": "Difference of mean absolute errors",
    "mean_prediction_difference": "Difference of mean predictions",
}
# The "four fifths" below which a ratio of selection rates calls for a reason.
_FOUR_FIFTHS = 0.8
# Beyond so many classes the table would be wider than the page.
_CLASSES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class FairnessView:
    """One protected column, ready to be shown."""

    column: str
    sentence: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    differences: tuple[tuple[str, str], ...]
    plot: Plot | None


def fairness_views(run: RunRecord) -> tuple[FairnessView, ...]:
    """Return one view for each protected column."""
    shape, names = _shape(run), [category(c) for c in run.classes]
    shown = names if shape == "multiclass" and len(names) <= _CLASSES_SHOWN else []
    return tuple(
        _view(table, shape, shown, place) for place, table in enumerate(run.groups)
    )


def fairness_limits(run: RunRecord) -> Iterator[str]:
    """Yield what the groups' figures warn of."""
    for table in run.groups:
        ratio = table.figures.get("demographic_parity_ratio")
        if run.target_kind == "binary" and ratio is not None and ratio < _FOUR_FIFTHS:
            yield f"{_title(table)}: {_runs(table, 'selection_rate')}."
        hidden = sum(group.share is None for group in table.groups)
        if hidden:
            yield (
                f"{_title(table)}: {_kept_back(hidden, len(table.groups))}; nothing is "
                "known of how the model treats them."
            )


def sentence_of(table: Fairness, shape: str) -> str:
    """Return what a protected column's figures say."""
    shown = [g for g in table.groups if g.group is not None and g.share is not None]
    if len(shown) < 2:  # noqa: PLR2004 - one group alone is not compared
        return "Too few groups are large enough to be compared."
    first = _DRAWN[shape][0]
    text = f"{_runs(table, first)}."
    worst = ", in the class where they differ most" if shape == "multiclass" else ""
    odds = table.figures.get("equalised_odds_difference")
    if odds is not None:
        text += (
            f" Hits and false alarms differ by at most {100 * odds:.0f} percentage "
            f"points between groups{worst}."
        )
    hidden = sum(group.share is None for group in table.groups)
    if hidden:
        text += f" {_kept_back(hidden, len(table.groups))}."
    return text


def _runs(table: Fairness, name: str) -> str:
    """Return from which group to which a figure runs."""
    known = [
        (value, category(group.group))
        for group in table.groups
        if group.group is not None
        for value in [group.figures.get(name)]
        if value is not None
    ]
    if not known:
        return "Nothing can be shown"
    (least, low), (most, high) = min(known), max(known)
    text = {
        "selection_rate": "The share called positive runs",
        "accuracy": "The share of right answers runs",
        "mean_residual": "The mean of observed less predicted runs",
    }[name]
    show = _signed_amount if name == "mean_residual" else percent
    ratio = table.figures.get("demographic_parity_ratio")
    text += f" from {show(least)} ({low}) to {show(most)} ({high})"
    if name == "selection_rate" and ratio is not None:
        text += f", a ratio of {figure(ratio, 2)}"
    return text


def _kept_back(hidden: int, total: int) -> str:
    return (
        f"{hidden} of {total} groups are kept back: too small, or what would give a "
        "small one away"
    )


def _shape(run: RunRecord) -> str:
    return run.target_kind if run.target_kind in _COLUMNS else "number"


def _title(table: Fairness) -> str:
    return title(table.column)


def _view(
    table: Fairness, shape: str, classes: Sequence[str], place: int
) -> FairnessView:
    columns = _COLUMNS[shape]
    return FairnessView(
        column=_title(table),
        sentence=sentence_of(table, shape),
        headings=(
            *(heading for _, heading in columns),
            *(f"Called {name}" for name in classes),
        ),
        rows=tuple(
            _row(group, [name for name, _ in columns], len(classes))
            for group in table.groups
        ),
        differences=tuple(
            (said, figure(found) if shape != "number" else amount(found))
            for name, said in _DIFFERENCES.items()
            for found in [table.figures.get(name)]
            if found is not None
        ),
        plot=_plot(table, shape, place),
    )


def _row(
    group: GroupResult, names: Sequence[str], classes: int
) -> tuple[str, str, tuple[str, ...]]:
    called = [figures.get("selection_rate") for figures in group.classes[:classes]]
    cells = (
        *(_cell(name, group.figures.get(name)) for name in names),
        *(percent(rate, 1) for rate in called),
    )
    share = "kept back" if group.share is None else percent(group.share)
    return category(group.group), share, cells


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    if name == "calibration_gap":
        return signed(value)
    if name == "mean_residual":
        return _signed_amount(value)
    if name in {"mean_target", "mean_prediction", "mae"}:
        return amount(value)
    return percent(value, 1)


def _signed_amount(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"+{amount(value)}" if value > 0 else amount(value)


def _plot(table: Fairness, shape: str, place: int) -> Plot | None:
    shown = [g for g in table.groups if g.share is not None]
    names = [
        n for n in _DRAWN[shape] if any(g.figures.get(n) is not None for g in shown)
    ]
    if not shown or not names:
        return None
    said = dict(_COLUMNS[shape])
    canvas = Canvas(
        name=f"groups-{place}",
        title=f"By {_title(table).lower()}",
        caption="Dots with their 95 % intervals; groups kept back are not drawn.",
        alt=f"{', '.join(said[n] for n in names)} by group of {table.column}.",
        height=1.2 + 0.16 * (1 + len(names)) * len(shown),
    )
    with style():
        axes = canvas.axes()
        for i, name in enumerate(names):
            offset = (i - (len(names) - 1) / 2) * 0.24
            _dots(axes, shown, name, (SERIES[i], offset, said[name]))
        if shape == "number":
            axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(
            range(len(shown)), [category(g.group) for g in shown], color=INK
        )
        axes.set(ylim=(len(shown) - 0.4, -0.6), xlabel=_axis(shape))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        if len(names) > 1:
            canvas.figure.legend(loc="outside upper left", ncols=3, handletextpad=0.2)
        return canvas.plot()


def _axis(shape: str) -> str:
    return {
        "number": "observed less predicted",
        "multiclass": "share of right answers",
    }.get(shape, "share of the rows")


def _dots(
    axes: Any,
    groups: Sequence[GroupResult],
    name: str,
    look: tuple[str, float, str],
) -> None:
    colour, offset, label = look
    for y, group in enumerate(groups):
        interval = group.intervals.get(name)
        if interval is not None and interval.low is not None:
            ends = [interval.low, interval.high]
            axes.plot(ends, [y + offset] * 2, color=colour, linewidth=1.6, alpha=0.6)
    places = [
        (value, y + offset)
        for y, group in enumerate(groups)
        for value in [group.figures.get(name)]
        if value is not None
    ]
    x, heights = zip(*places, strict=True)
    axes.scatter(x, heights, s=30, color=colour, zorder=3, label=label)
