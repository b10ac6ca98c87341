"""Figures of a model's inside (coefficients, importances) and of its convergence."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import Coefficient, Importance, RunRecord
from fl_plugin.report.plots import (
    FEDERATED,
    INK,
    OWN,
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

# Algorithms whose sum of columns is the logarithm of the odds, or of the mean.
_LOGISTIC = {"logistic_regression", "l1_logistic_regression"}
_LOGARITHMIC = {"poisson_regression", "gamma_regression", "tweedie_regression"}
SHOWN = 18  # coefficients in the figure; the table beside it holds all of them
_WIDE = 4.0  # from the least to the greatest odds ratio: fine ticks would collide
_CLOSE = 1.6  # below it the coarser ticks would be one or two
_DOTTED = 60  # rounds above which dots would run into each other
_MOST = 5.0  # of the logarithm of the odds: an axis wider than this shows nothing


def strongest(run: RunRecord) -> list[Coefficient]:
    """Return the coefficients but the intercept, strongest first."""
    weights = [c for c in run.coefficients if c.name != "intercept"]
    return sorted(weights, key=lambda c: (-abs(c.value), c.name))


def ratio_name(run: RunRecord) -> str:
    """Return what a coefficient's exponential multiplies; empty where it means nothing.

    Of several classes each has coefficients of its own, of which only the differences
    between classes count: their exponentials are no odds.
    """
    name = run.algorithm.name.removeprefix("private_")
    if run.target_kind == "binary" and name in _LOGISTIC:
        return "odds"
    if name in _LOGARITHMIC:
        return "rate" if run.target_kind == "count" else "mean"
    return ""


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
        caption=_coefficient_caption(run, "prediction"),
        alt=f"The {len(shown)} greatest of the model's coefficients.",
        height=0.9 + 0.23 * len(shown),
    )
    with style():
        axes = canvas.axes()
        axes.axvline(0, color=SOFT, linewidth=1)
        for place, weight in enumerate(shown):
            colour = _colour(weight.value)
            ends = [0, weight.value]
            axes.plot(ends, [place, place], color=colour, linewidth=4, alpha=0.35)
            axes.scatter([weight.value], [place], s=30, color=colour, zorder=3)
        axes.set_yticks(range(len(shown)), [c.name for c in shown], color=INK)
        axes.set(xlabel="coefficient", ylim=(len(shown) - 0.4, -0.6))
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def most_important(run: RunRecord) -> list[Importance]:
    """Return the columns' importances, greatest first."""
    return sorted(run.importances, key=lambda i: (-i.value, i.name))


def importance_plot(run: RunRecord) -> Plot | None:
    """Return the importances, greatest on top; None without any."""
    found = most_important(run)[:SHOWN]
    if not found:
        return None
    measure = metric_in_text(run.main)
    canvas = Canvas(
        name="importances",
        title="Which columns it needs",
        caption=_importance_caption(run, found),
        alt=f"Importance of the {len(found)} columns that matter most.",
        height=0.9 + 0.23 * len(found),
    )
    with style():
        axes = canvas.axes()
        names, values = [i.name for i in found], [i.value for i in found]
        spread = [i.sd or 0.0 for i in found]
        look: Any = {"color": FEDERATED, "alpha": 0.8, "ecolor": SOFT}
        axes.axvline(0, color=SOFT, linewidth=1)
        axes.barh(names, values, 0.6, xerr=spread if any(spread) else None, **look)
        worse = "drop" if run.better == "higher" else "rise"
        axes.set(xlabel=f"{worse} of {measure}", ylim=(len(found) - 0.4, -0.6))
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def _importance_caption(run: RunRecord, found: list[Importance]) -> str:
    part = f"The {len(found)} of {len(run.importances)} columns that matter most. "
    spread = "A thin line spans a standard deviation over the repeats to either side. "
    return (
        f"{part if len(run.importances) > SHOWN else ''}How much worse the "
        f"{metric_in_text(run.main)} on hold-out rows gets when a column's values are "
        f"shuffled within each domain. {spread if any(i.sd for i in found) else ''}"
        "Columns that tell the same share their importance; what tells domains apart, "
        "and not the rows of one, has none."
    )


def _ratios(run: RunRecord, shown: list[Coefficient]) -> Plot:
    what = ratio_name(run)
    canvas = Canvas(
        name="coefficients",
        title=f"What moves the {what}",
        caption=_coefficient_caption(run, what),
        alt=f"{what.title()} ratios of the model's {len(shown)} greatest coefficients.",
        height=0.9 + 0.23 * len(shown),
    )
    with style():
        axes = canvas.axes()
        axes.axvline(1, color=SOFT, linewidth=1)
        for place, weight in enumerate(shown):
            colour = _colour(weight.value)
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


def _colour(value: float) -> str:
    if not value:
        return SOFT
    return FEDERATED if value > 0 else OWN


def convergence_plot(run: RunRecord) -> Plot | None:
    """Return the gradient's fall by round, or the loss's; None without either."""
    sizes = [r.gradient_norm for r in run.rounds if r.gradient_norm]
    losses = [r.loss for r in run.rounds if r.loss is not None]
    if sizes:
        caption = (
            "Size of the summed gradient at the start of each round: "
            f"{short(sizes[-1])} in round {len(sizes)}."
        )
        # Under a penalty on absolute values it need not vanish, and nothing is proven.
        if run.certificate is not None:
            caption += " Where it is zero no step makes the model better."
        return _falling(sizes, caption, "gradient norm")
    if len(losses) > 1:
        caption = (
            f"The loss in training: {short(losses[-1])} after {len(losses)} rounds."
        )
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
    most = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4)
    ticks = few if high / low > _WIDE else many if high / low > _CLOSE else most
    kept = [t for t in ticks if low <= t <= high]
    axes.set_xticks(kept, [f"{TIMES} {t:g}" for t in kept])
    axes.minorticks_off()


def _coefficient_caption(run: RunRecord, what: str) -> str:
    total = len(strongest(run))
    part = f"The {SHOWN} greatest of {total} coefficients. " if total > SHOWN else ""
    moved = f"the {what} of {run.target}"
    if run.target_kind == "multiclass":
        moved = "the score of the class in brackets; the highest score is the answer"
    return (
        f"{part}Blue raises, orange lowers {moved}. A number counts per "
        f"{step_of(run)}; a category against the others of its column."
    )


def step_of(run: RunRecord) -> str:
    """Return by how much a number moves where its coefficient counts once."""
    if run.privacy.epsilon is not None:
        return "half of the range that its contract gives it"
    steps = [step for column in run.preparation.columns for step in column.steps]
    if any(step.startswith("robust") for step in steps):
        return "interquartile range"
    scaled = any(step.startswith("standard") for step in steps)
    plain = run.preparation.numeric and not run.preparation.columns
    return "standard deviation" if scaled or plain else "unit"
