"""Figures of the model's inside and of the run: weights, importances, convergence."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import Coefficient, RunRecord
from fl_plugin.report.plots import (
    BAD,
    FEDERATED,
    GOOD,
    INK,
    SOFT,
    Canvas,
    Plot,
    style,
)
from fl_plugin.report.wording import (
    TIMES,
    metric_in_text,
    power_of_ten,
    short,
)

SHOWN = 18  # weights in the figure; the table beside it holds all of them
_WIDE = 4.0  # from the least to the greatest odds ratio: fine ticks would collide
_DOTTED = 60  # rounds above which dots would run into each other
_MOST = 5.0  # of the logarithm of the odds: an axis wider than this shows nothing


def strongest(run: RunRecord) -> list[Coefficient]:
    """Return the weights but the intercept, strongest first."""
    weights = [c for c in run.coefficients if c.name != "intercept"]
    return sorted(weights, key=lambda c: (-abs(c.value), c.name))


def ratio_name(run: RunRecord) -> str:
    """Return what a weight's exponential multiplies; empty where it means nothing."""
    return {"binary": "odds", "multiclass": "odds", "count": "rate"}.get(
        run.target_kind, ""
    )


def coefficient_plot(run: RunRecord) -> Plot | None:
    """Return ratios or weights, strongest on top; None without coefficients."""
    shown = strongest(run)[:SHOWN]
    if not shown:
        return None
    return _ratios(run, shown) if ratio_name(run) else _weights(run, shown)


def _weights(run: RunRecord, shown: list[Coefficient]) -> Plot:
    canvas = Canvas(
        name="coefficients",
        title="What moves the prediction",
        caption=_coefficient_caption(run, shown, "prediction"),
        alt=f"The {len(shown)} strongest of the model's weights.",
        height=0.9 + 0.23 * len(shown),
    )
    with style():
        axes = canvas.axes()
        axes.axvline(0, color=SOFT, linewidth=1)
        for place, weight in enumerate(shown):
            colour = BAD if weight.value > 0 else GOOD
            ends = [0, weight.value]
            axes.plot(ends, [place, place], color=colour, linewidth=4, alpha=0.35)
            axes.scatter([weight.value], [place], s=30, color=colour, zorder=3)
        axes.set_yticks(range(len(shown)), [c.name for c in shown], color=INK)
        axes.set(xlabel="weight", ylim=(len(shown) - 0.4, -0.6))
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def importance_plot(run: RunRecord) -> Plot | None:
    """Return the importances, greatest on top; None without any."""
    found = sorted(run.importances, key=lambda i: (-i.value, i.name))[:SHOWN]
    if not found:
        return None
    measure = metric_in_text(run.main)
    canvas = Canvas(
        name="importances",
        title="Which columns it needs",
        caption=f"How much worse the {measure} on hold-out rows gets when a column's "
        "values are shuffled within each domain. Columns that tell the same share "
        "their importance.",
        alt=f"Importance of the {len(found)} columns that matter most.",
        height=0.9 + 0.23 * len(found),
    )
    with style():
        axes = canvas.axes()
        names, values = [i.name for i in found], [i.value for i in found]
        spread = [i.sd or 0.0 for i in found]
        look: Any = {"color": FEDERATED, "alpha": 0.8, "ecolor": SOFT}
        axes.barh(names, values, 0.6, xerr=spread if any(spread) else None, **look)
        axes.set(xlabel=f"loss of {measure}", ylim=(len(found) - 0.4, -0.6))
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def _ratios(run: RunRecord, shown: list[Coefficient]) -> Plot:
    what = ratio_name(run)
    canvas = Canvas(
        name="coefficients",
        title=f"What moves the {what}",
        caption=_coefficient_caption(run, shown, what),
        alt=f"{what.title()} ratios of the model's {len(shown)} strongest weights.",
        height=0.9 + 0.23 * len(shown),
    )
    with style():
        axes = canvas.axes()
        axes.axvline(1, color=SOFT, linewidth=1)
        for place, weight in enumerate(shown):
            colour = BAD if weight.value > 0 else GOOD
            ratio = _odds(weight.value)
            axes.plot([1, ratio], [place, place], color=colour, linewidth=4, alpha=0.35)
            axes.scatter([ratio], [place], s=30, color=colour, zorder=3)
            if weight.standard_error is not None:
                reach = 1.96 * weight.standard_error
                ends = [_odds(weight.value - reach), _odds(weight.value + reach)]
                axes.plot(ends, [place, place], color=colour, linewidth=1)
        axes.set_yticks(range(len(shown)), [c.name for c in shown], color=INK)
        axes.set(xscale="log", xlabel=f"{what} ratio", ylim=(len(shown) - 0.4, -0.6))
        _odds_ticks(axes)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def convergence_plot(run: RunRecord) -> Plot | None:
    """Return the gradient's fall by round, or the loss's; None without either."""
    sizes = [r.gradient_norm for r in run.rounds if r.gradient_norm]
    losses = [r.loss for r in run.rounds if r.loss is not None]
    if sizes:
        caption = (
            f"Size of the summed gradient: {short(sizes[-1])} after {len(sizes)} "
            "rounds. Where it is zero no step makes the model better."
        )
        return _falling(sizes, caption, "gradient norm")
    if len(losses) > 1:
        caption = f"The summed loss: {short(losses[-1])} after {len(losses)} rounds."
        return _falling(losses, caption, "loss")
    return None


def _falling(y: list[float], caption: str, what: str) -> Plot:
    decades = what == "gradient norm"
    canvas = Canvas(
        name="convergence",
        title="Convergence",
        caption=caption,
        alt=f"{what.capitalize()} over {len(y)} rounds"
        f"{', on a logarithmic scale' if decades else ''}.",
        height=2.7,
    )
    with style():
        axes = canvas.axes()
        x = range(1, len(y) + 1)
        axes.fill_between(x, y, min(y), color=FEDERATED, alpha=0.10, linewidth=0)
        marker: Any = {"marker": "o", "markersize": 5} if len(y) <= _DOTTED else {}
        axes.plot(x, y, color=FEDERATED, **marker)
        axes.set(xlabel="round", ylabel=what)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        if decades:
            axes.set(yscale="log")
            axes.yaxis.set_major_formatter(_decades)
        axes.minorticks_off()
        axes.grid(axis="x", visible=False)
        return canvas.plot()


def _decades(value: float, _place: float) -> str:
    return power_of_ten(round(math.log10(value)))


def _odds(weight: float) -> float:
    return math.exp(min(max(weight, -_MOST), _MOST))


def _odds_ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    few = (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 10, 30, 100)
    many = (0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3)
    ticks = few if high / low > _WIDE else many
    kept = [t for t in ticks if low <= t <= high]
    axes.set_xticks(kept, [f"{TIMES} {t:g}" for t in kept])
    axes.minorticks_off()


def _coefficient_caption(run: RunRecord, shown: list[Coefficient], what: str) -> str:
    total = len([c for c in run.coefficients if c.name != "intercept"])
    it = "them" if what == "odds" else "it"
    part = f"The {len(shown)} strongest of {total} weights. " if total > SHOWN else ""
    return (
        f"{part}Red raises the {what}, green lowers {it}. A number counts per "
        "standard deviation; a category against the average of its column."
    )
