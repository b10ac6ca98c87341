"""Figures of what crossed the domains' boundaries: bytes by round and by domain."""

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import LeftDomain, RunRecord
from fl_plugin.report.left import agreed
from fl_plugin.report.plots import INK, SERIES, Canvas, Plot, style
from fl_plugin.report.wording import kind_name, size, title, unit_for

_AGREEMENT, _OTHER = "Agreement", "Other"
_ORDER = (
    "Matching",
    "Preparation",
    "Training",
    "Evaluation",
    "Comparison",
    _AGREEMENT,
    _OTHER,
)
_PARTS = {
    **dict.fromkeys(("vocabulary", "count", "cut"), "Preparation"),
    **dict.fromkeys(("match", "expand"), "Matching"),
    **dict.fromkeys(("turn", "score"), "Training"),
    **dict.fromkeys(("judge", "assess", "deliver"), "Evaluation"),
    **dict.fromkeys(("open", "channel", "keep"), _AGREEMENT),
    "arrange": "Preparation",
}
_BARS = 40  # rounds above which bars would be thinner than their gaps


def traffic_plots(run: RunRecord) -> tuple[Plot, ...]:
    """Return the bytes by round and direction, and by domain and purpose."""
    plots = (_by_round(run), _by_domain(run))
    return tuple(plot for plot in plots if plot is not None)


def _causes(run: RunRecord) -> str:
    if run.vertical is not None:
        return "the number of matched rows"
    return "the model and its columns, not from the number of rows"


def _by_round(run: RunRecord) -> Plot | None:
    if not run.rounds:
        return None
    up = sum(r.bytes_up for r in run.rounds)
    canvas = Canvas(
        name="traffic-rounds",
        title="Bytes by training round",
        caption=f"All domains together; {size(up)} up in {len(run.rounds)} rounds"
        f"{', those of the folds included' if run.cross_validation else ''}. The size "
        f"follows from {_causes(run)}.",
        alt="Bytes up and down in each training round.",
        height=2.7,
    )
    with style():
        axes = canvas.axes()
        x = np.arange(1, len(run.rounds) + 1)
        unit, bytes_of = unit_for(
            max(max(r.bytes_up, r.bytes_down) for r in run.rounds)
        )
        up_bars = [r.bytes_up / bytes_of for r in run.rounds]
        down_bars = [r.bytes_down / bytes_of for r in run.rounds]
        for side, heights, (label, colour) in (
            (-0.19, up_bars, ("from the domains", SERIES[0])),
            (0.19, down_bars, ("to the domains", SERIES[1])),
        ):
            if len(x) > _BARS:
                axes.plot(x, heights, color=colour, label=label)
            else:
                axes.bar(x + side, heights, 0.34, color=colour, label=label)
        axes.set_ylim(bottom=0)
        axes.set(xlabel="round", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        axes.grid(axis="x", visible=False)
        canvas.figure.legend(loc="outside upper right", ncols=2)
        return canvas.plot()


def _by_domain(run: RunRecord) -> Plot | None:
    if not run.left_domain:
        return None
    domains = sorted({item.domain for item in run.left_domain})
    rest = agreed(run)
    parts = {
        domain: _parts(run.left_domain, domain, rest.get(domain, 0))
        for domain in domains
    }
    kinds = [k for k in _ORDER if any(part.get(k) for part in parts.values())]
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
        unit, bytes_of = unit_for(max(sum(parts[d].values()) for d in domains))
        for place, kind in enumerate(kinds):
            widths = np.array([parts[d].get(kind, 0) for d in domains]) / bytes_of
            colour = SERIES[place % len(SERIES)]
            names = [title(d) for d in domains]
            axes.barh(names, widths, 0.55, left=start, color=colour, label=kind)
            start = start + widths
        axes.set(xlabel=unit, ylim=(len(domains) - 0.5, -0.5))
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        look: Any = {"handlelength": 0.9, "columnspacing": 1.0, "handletextpad": 0.4}
        canvas.figure.legend(loc="outside upper left", ncols=len(kinds), **look)
        return canvas.plot()


def _parts(
    items: tuple[LeftDomain, ...], domain: str, agreement: int
) -> dict[str, int]:
    """Return a domain's bytes by what they were for, few enough to tell apart."""
    found = {_AGREEMENT: agreement}
    for item in items:
        if item.domain == domain:
            name = _PARTS.get(item.kind, kind_name(item.kind))
            found[name if name in _ORDER else _OTHER] = item.bytes + found.get(
                name if name in _ORDER else _OTHER, 0
            )
    return found
