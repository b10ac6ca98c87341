"""Figures of how good the model is: ROC, precision-recall, gain, folds."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.measures import HEADLINES
from fl_plugin.report.plots import (
    FEDERATED,
    INK,
    LINE,
    OWN,
    PLATE,
    SOFT,
    Canvas,
    Plot,
    style,
)
from fl_plugin.report.wording import figure, metric_name, percent, value_of

_LINE: Any = {"color": FEDERATED, "zorder": 3, "clip_on": False}
_CHANCE: Any = {"color": SOFT, "linewidth": 1, "linestyle": (0, (4, 3)), "zorder": 2}
_TENTH = 0.1
_DOT: Any = {"zorder": 4, "clip_on": False, "edgecolor": "none"}


def quality_plots(run: RunRecord) -> tuple[Plot, ...]:
    """Return those figures for which the record holds points."""
    drawn = (_roc(run), _precision_recall(run), _gain(run), _folds(run))
    return tuple(plot for plot in drawn if plot is not None)


def _roc(run: RunRecord) -> Plot | None:
    if not run.curves.roc:
        return None
    area = _value(run, "roc_auc")
    canvas = Canvas(
        name="roc",
        title="ROC curve",
        caption="The higher the curve above the dashed diagonal, the better the model "
        "ranks. The dot is the threshold of the table of errors.",
        alt=f"ROC curve on the hold-out rows; the area under it is {area}.",
    )
    with style():
        axes = _unit_square(canvas, "False positive rate", "True positive rate")
        x, y = np.array(run.curves.roc).T
        axes.fill_between(x, y, color=FEDERATED, alpha=0.10, linewidth=0)
        axes.plot(x, y, **_LINE)
        axes.plot([0, 1], [0, 1], **_CHANCE)
        _mark_threshold(axes, run)
        _note(axes, (0.97, 0.06), f"ROC-AUC {area}", "right")
        return canvas.plot()


def _precision_recall(run: RunRecord) -> Plot | None:
    if not run.curves.pr:
        return None
    area = _value(run, "pr_auc")
    canvas = Canvas(
        name="pr",
        title="Precision and recall",
        caption="What share of the alarms is right, if a given share of the cases is "
        "to be found. Dashed: alarms at random.",
        alt=f"Precision-recall curve on the hold-out rows; the area is {area}.",
    )
    with style():
        axes = _unit_square(canvas, "Recall", "Precision")
        x, y = np.array(run.curves.pr).T
        axes.fill_between(x, y, color=FEDERATED, alpha=0.10, linewidth=0)
        axes.plot(x, y, **_LINE)
        base = _base_rate(run)
        if base is not None:
            axes.plot([0, 1], [base, base], **_CHANCE)
            _note(axes, (0.03, base - 0.075), f"base rate {percent(base)}", "left")
        _note(axes, (0.97, 0.93), f"PR-AUC {area}", "right")
        return canvas.plot()


def _gain(run: RunRecord) -> Plot | None:
    if not run.curves.gain:
        return None
    canvas = Canvas(
        name="gain",
        title="What the top of the list holds",
        caption="Share of all cases that is found by looking at the rows with the "
        "highest scores first. Dashed: looking at random; dotted: a perfect list.",
        alt="Gain curve on the hold-out rows.",
    )
    with style():
        axes = _unit_square(canvas, "Share of the rows", "Share of the cases")
        x, y = np.array(run.curves.gain).T
        axes.fill_between(x, y, color=FEDERATED, alpha=0.10, linewidth=0)
        axes.plot(x, y, **_LINE)
        axes.plot([0, 1], [0, 1], **_CHANCE)
        base = _base_rate(run)
        if base:
            perfect: Any = {**_CHANCE, "linestyle": (0, (1, 2))}
            axes.plot([0, base, 1], [0, 1, 1], **perfect)
        tenth = next((r for r in run.ranking if r.share == _TENTH), None)
        if tenth is not None and tenth.gain.value is not None:
            axes.scatter([_TENTH], [tenth.gain.value], s=42, color=OWN, **_DOT)
            text = f"{percent(tenth.gain.value)} in the top 10 %"
            place = (_TENTH + 0.035, tenth.gain.value - 0.055)
            axes.text(*place, text, color=INK, weight="bold", zorder=5, bbox=PLATE)
        return canvas.plot()


def _folds(run: RunRecord) -> Plot | None:
    name = _judged_by(run)
    found = run.cross_validation.metrics.get(name) if run.cross_validation else None
    if run.cross_validation is None or found is None or not found.values:
        return None
    total, measure = len(found.values), metric_name(name)
    mean, sd = value_of(name, found.mean), value_of(name, found.sd)
    canvas = Canvas(
        name="folds",
        title="How far luck carries",
        caption=f"{measure} of {total} fits, each judged on rows that it had not seen. "
        "The spread is what another draw of rows may do to the figure.",
        alt=f"{measure} of {total} cross-validation folds, mean {mean}.",
    )
    with style():
        axes = canvas.axes()
        place = _stacked(found.values)
        low, high = found.mean - found.sd, found.mean + found.sd
        axes.axvspan(low, high, color=FEDERATED, alpha=0.10, linewidth=0)
        axes.axvline(found.mean, color=FEDERATED, linewidth=1.6)
        axes.scatter(found.values, place, s=34, color=FEDERATED, alpha=0.75, **_DOT)
        _holdout(axes, run, name, max(place))
        axes.set(xlabel=measure, yticks=[], ylim=(-0.8, max(place) + 3.2))
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        top = max(place) + 2.4
        bold: Any = {"ha": "center", "weight": "bold", "bbox": PLATE}
        axes.text(found.mean, top, f"mean {mean} ± {sd}", color=INK, **bold)
        return canvas.plot()


def _judged_by(run: RunRecord) -> str:
    """Return the figure at the head; where folds lack it, what models are chosen by."""
    name, _ = HEADLINES.get(run.target_kind, HEADLINES["binary"])
    folds = run.cross_validation.metrics if run.cross_validation else {}
    return name if name in folds else run.main


def _holdout(axes: Axes, run: RunRecord, name: str, top: float) -> None:
    found = run.metrics.get(name)
    if found is None or found.value is None:
        return
    axes.axvline(found.value, color=OWN, linewidth=1.4, linestyle=(0, (4, 3)))
    label = f"hold-out {value_of(name, found.value)}"
    axes.text(found.value, top + 1.2, label, ha="center", color=SOFT, bbox=PLATE)


def _stacked(values: tuple[float, ...]) -> list[float]:
    """Return a height for each value so that near values stand on each other."""
    low, high = min(values), max(values)
    width = (high - low) / 16 or 1.0
    levels: dict[int, int] = {}
    heights = []
    for value in values:
        column = int((value - low) / width)
        heights.append(float(levels.get(column, 0)))
        levels[column] = levels.get(column, 0) + 1
    return heights


def _unit_square(canvas: Canvas, x: str, y: str) -> Axes:
    axes = canvas.axes()
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.02))
    ticks = (0, 0.25, 0.5, 0.75, 1)
    labels = ("0", ".25", ".5", ".75", "1")
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.spines[["left", "bottom"]].set_color(LINE)
    return axes


def _mark_threshold(axes: Axes, run: RunRecord) -> None:
    table = run.confusion
    if table is None or not (table.fp + table.tn) or not (table.tp + table.fn):
        return
    x = table.fp / (table.fp + table.tn)
    y = table.tp / (table.tp + table.fn)
    axes.scatter([x], [y], s=42, color=OWN, **_DOT)
    _note(axes, (x + 0.035, y - 0.055), f"at {table.threshold:g}", "left")


def _note(axes: Axes, place: tuple[float, float], text: str, align: str) -> None:
    axes.text(*place, text, ha=align, color=INK, weight="bold", zorder=5)


def _value(run: RunRecord, name: str) -> str:
    found = run.metrics.get(name)
    return figure(found.value if found else None)


def _base_rate(run: RunRecord) -> float | None:
    table = run.confusion
    if table is None:
        return None
    total = table.tp + table.fp + table.fn + table.tn
    return (table.tp + table.fn) / total if total else None
