"""Figures of calibration: what was predicted beside what came, in all and by domain."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from fl_plugin.registry.run_record import CalibrationCell, RunRecord
from fl_plugin.report.plots import FEDERATED, SERIES, SOFT, Canvas, Plot, style
from fl_plugin.report.wording import title

Cell = tuple[float, float, float]

_DIAGONAL: Any = {
    "color": SOFT,
    "linewidth": 1,
    "linestyle": (0, (4, 3)),
    "zorder": 2,
    "scalex": False,
    "scaley": False,
}
_DOT: Any = {"zorder": 4, "edgecolor": "none"}
_CAPTIONS = {
    "binary": "Where the model says 30 %, do 30 % turn out so? Dots on the diagonal "
    "say yes; a larger dot stands for more rows.",
    "multiclass": "Where the model is 70 % sure of its answer, is it right 70 % of the "
    "time? Dots on the diagonal say yes; a larger dot stands for more rows.",
    "number": "Rows by size of the prediction, about as many in each dot: what was "
    "predicted on average, and what came. On the diagonal both are the same.",
}
_AXES = {
    "binary": ("Predicted probability", "Observed rate"),
    "multiclass": ("Probability of the answer", "Share of right answers"),
    "number": ("Predicted mean", "Observed mean"),
}


def calibration_plot(run: RunRecord) -> Plot | None:
    """Return the hold-out's calibration; None without a bin to show."""
    cells = _shown(run.curves.calibration)
    hidden = len(run.curves.calibration) - len(cells)
    if not cells:
        return None
    note = f" {hidden} of {len(run.curves.calibration)} bins hold too few rows to show."
    shape = _shape(run)
    canvas = Canvas(
        name="calibration",
        title="Calibration",
        caption=_CAPTIONS[shape] + (note if hidden else ""),
        alt=f"{_AXES[shape][1]} against {_AXES[shape][0].lower()}, by bin.",
    )
    with style():
        axes = _square(canvas, shape, cells)
        x, y, share = zip(*cells, strict=True)
        axes.plot(x, y, color=FEDERATED, linewidth=1.2, alpha=0.5)
        sizes = [14 + 420 * part for part in share]
        axes.scatter(x, y, s=sizes, color=FEDERATED, alpha=0.85, **_DOT)
        return canvas.plot()


def domain_calibration_plot(run: RunRecord) -> Plot | None:
    """Return each domain's calibration; None where no domain shows two bins."""
    found = [(d.domain, _shown(d.calibration)) for d in run.domains]
    known = [(name, cells) for name, cells in found if len(cells) > 1]
    if not known:
        return None
    drawn = known[: len(SERIES)]
    left = (
        f" The first {len(drawn)} of {len(known)}." if len(known) > len(drawn) else ""
    )
    shape = _shape(run)
    canvas = Canvas(
        name="domain-calibration",
        title="Calibration in each domain",
        caption="The federated model on each domain's own rows, out of fold. A line "
        f"above the diagonal: more came than was said.{left}",
        alt=f"{_AXES[shape][1]} against {_AXES[shape][0].lower()}, by domain.",
        height=3.6,
    )
    with style():
        every = [cell for _, cells in drawn for cell in cells]
        axes = _square(canvas, shape, every)
        for colour, (name, cells) in zip(SERIES, drawn, strict=False):
            x, y, _ = zip(*cells, strict=True)
            axes.plot(x, y, color=colour, linewidth=1.4, alpha=0.8, label=title(name))
            axes.scatter(x, y, s=20, color=colour, **_DOT)
        canvas.figure.legend(loc="outside upper left", ncols=3, handlelength=1.2)
        return canvas.plot()


def _shape(run: RunRecord) -> str:
    return run.target_kind if run.target_kind in _AXES else "number"


def _shown(cells: Sequence[CalibrationCell]) -> list[Cell]:
    return [
        (c.mean_score, c.rate, c.share)
        for c in cells
        if c.mean_score is not None and c.rate is not None and c.share
    ]


def _square(canvas: Canvas, shape: str, cells: Sequence[Cell]) -> Axes:
    axes = canvas.axes()
    x, y = _AXES[shape]
    axes.set(xlabel=x, ylabel=y)
    if shape == "number":
        ends = [v for cell in cells for v in cell[:2]]
        room = 0.06 * ((max(ends) - min(ends)) or 1.0)
        low, high = min(ends) - room, max(ends) + room
    else:
        low, high = 0.0, 1.02
        labels = ("0", ".25", ".5", ".75", "1")
        axes.set_xticks((0, 0.25, 0.5, 0.75, 1), labels)
        axes.set_yticks((0, 0.25, 0.5, 0.75, 1), labels)
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.plot([low, high], [low, high], **_DIAGONAL)
    return axes
