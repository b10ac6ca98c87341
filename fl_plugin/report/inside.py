"""Figures of the model's inside and of the run: weights, convergence, traffic."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import Coefficient, LeftDomain, RunRecord
from fl_plugin.report.plots import (
    BAD,
    FEDERATED,
    GOOD,
    INK,
    SERIES,
    SOFT,
    Canvas,
    Plot,
    style,
)
from fl_plugin.report.wording import TIMES, kind_name, power_of_ten, short, size, title

SHOWN = 18  # weights in the figure; the table beside it holds all of them
_WIDE = 4.0  # from the least to the greatest odds ratio: fine ticks would collide
_MOST = 5.0  # of the logarithm of the odds: an axis wider than this shows nothing


def strongest(run: RunRecord) -> list[Coefficient]:
    """Return the weights but the intercept, strongest first."""
    weights = [c for c in run.coefficients if c.name != "intercept"]
    return sorted(weights, key=lambda c: (-abs(c.value), c.name))


def coefficient_plot(run: RunRecord) -> Plot | None:
    """Return odds ratios, strongest on top; None without coefficients."""
    shown = strongest(run)[:SHOWN]
    if not shown:
        return None
    canvas = Canvas(
        name="coefficients",
        title="What moves the odds",
        caption=_coefficient_caption(run, shown),
        alt=f"Odds ratios of the {len(shown)} strongest of the model's weights.",
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
        axes.set(xscale="log", xlabel="odds ratio", ylim=(len(shown) - 0.4, -0.6))
        _odds_ticks(axes)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def convergence_plot(run: RunRecord) -> Plot | None:
    """Return the gradient's fall by round; None where no round was recorded."""
    steps = [r for r in run.rounds if r.gradient_norm > 0]
    if not steps:
        return None
    last = steps[-1]
    canvas = Canvas(
        name="convergence",
        title="Convergence",
        caption=f"Size of the summed gradient: {short(last.gradient_norm)} after "
        f"{len(steps)} rounds. Where it is zero no step makes the model better.",
        alt=f"Gradient norm over {len(steps)} rounds, on a logarithmic scale.",
        height=2.7,
    )
    with style():
        axes = canvas.axes()
        x = range(1, len(steps) + 1)
        y = [r.gradient_norm for r in steps]
        axes.fill_between(x, y, min(y), color=FEDERATED, alpha=0.10, linewidth=0)
        axes.plot(x, y, color=FEDERATED, marker="o", markersize=5)
        axes.set(yscale="log", xlabel="round", ylabel="gradient norm")
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        axes.yaxis.set_major_formatter(_decades)
        axes.minorticks_off()
        axes.grid(axis="x", visible=False)
        return canvas.plot()


def traffic_plots(run: RunRecord) -> tuple[Plot, ...]:
    """Return the bytes by round and direction, and by domain and purpose."""
    plots = (_by_round(run), _by_domain(run))
    return tuple(plot for plot in plots if plot is not None)


def _by_round(run: RunRecord) -> Plot | None:
    if not run.rounds:
        return None
    up = sum(r.bytes_up for r in run.rounds)
    canvas = Canvas(
        name="traffic-rounds",
        title="Bytes by training round",
        caption=f"All domains together; {size(up)} up in {len(run.rounds)} rounds. "
        "It depends on the number of columns, not of rows.",
        alt="Bytes up and down in each training round.",
        height=2.7,
    )
    with style():
        axes = canvas.axes()
        x = np.arange(1, len(run.rounds) + 1)
        up_bars = [r.bytes_up / 1000 for r in run.rounds]
        down_bars = [r.bytes_down / 1000 for r in run.rounds]
        axes.bar(x - 0.19, up_bars, 0.34, color=SERIES[0], label="from the domains")
        axes.bar(x + 0.19, down_bars, 0.34, color=SERIES[1], label="to the domains")
        axes.set(xlabel="round", ylabel="kB")
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        axes.grid(axis="x", visible=False)
        canvas.figure.legend(loc="outside upper right", ncols=2)
        return canvas.plot()


def _by_domain(run: RunRecord) -> Plot | None:
    if not run.left_domain:
        return None
    domains = sorted({item.domain for item in run.left_domain})
    kinds = list(dict.fromkeys(item.kind for item in run.left_domain))
    canvas = Canvas(
        name="traffic-domains",
        title="Bytes that left, by domain",
        caption="What the bytes were for; the table says what they held.",
        alt="Bytes that left each domain, by what they were for.",
        height=1.5 + 0.42 * len(domains),
    )
    with style():
        axes = canvas.axes()
        start = np.zeros(len(domains))
        for place, kind in enumerate(kinds):
            widths = np.array([_sent(run.left_domain, d, kind) for d in domains]) / 1000
            colour = SERIES[place % len(SERIES)]
            names = [title(d) for d in domains]
            axes.barh(
                names, widths, 0.55, left=start, color=colour, label=kind_name(kind)
            )
            start = start + widths
        axes.set(xlabel="kB", ylim=(len(domains) - 0.5, -0.5))
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        canvas.figure.legend(loc="outside upper left", ncols=4, handlelength=0.9)
        return canvas.plot()


def _sent(items: tuple[LeftDomain, ...], domain: str, kind: str) -> int:
    return sum(i.bytes for i in items if (i.domain, i.kind) == (domain, kind))


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


def _coefficient_caption(run: RunRecord, shown: list[Coefficient]) -> str:
    total = len([c for c in run.coefficients if c.name != "intercept"])
    part = f"The {len(shown)} strongest of {total} weights. " if total > SHOWN else ""
    return (
        f"{part}Red raises the odds, green lowers them. A number counts per standard "
        "deviation; a category against the average of its column."
    )
