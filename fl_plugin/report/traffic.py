"""Figures of what crossed the domains' boundaries: bytes by round and by domain."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import LeftDomain, RunRecord
from fl_plugin.report.plots import INK, SERIES, Canvas, Plot, style
from fl_plugin.report.wording import kind_name, size, title

_BARS = 40  # rounds above which bars would be thinner than their gaps


def traffic_plots(run: RunRecord) -> tuple[Plot, ...]:
    """Return the bytes by round and direction, and by domain and purpose."""
    plots = (_by_round(run), _by_domain(run))
    return tuple(plot for plot in plots if plot is not None)


def _by_round(run: RunRecord) -> Plot | None:
    if not run.rounds:
        return None
    up = sum(r.bytes_up for r in run.rounds)
    what = "rows" if run.vertical else "the number of columns, not of rows"
    canvas = Canvas(
        name="traffic-rounds",
        title="Bytes by training round",
        caption=f"All domains together; {size(up)} up in {len(run.rounds)} rounds. "
        f"It depends on {what}.",
        alt="Bytes up and down in each training round.",
        height=2.7,
    )
    with style():
        axes = canvas.axes()
        x = np.arange(1, len(run.rounds) + 1)
        up_bars = [r.bytes_up / 1000 for r in run.rounds]
        down_bars = [r.bytes_down / 1000 for r in run.rounds]
        for side, heights, (label, colour) in (
            (-0.19, up_bars, ("from the domains", SERIES[0])),
            (0.19, down_bars, ("to the domains", SERIES[1])),
        ):
            if len(x) > _BARS:
                axes.plot(x, heights, color=colour, label=label)
            else:
                axes.bar(x + side, heights, 0.34, color=colour, label=label)
        axes.set_ylim(bottom=0)
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
