"""Figures of who gains: the federated model beside each domain's own."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fl_plugin.registry.run_record import DomainResult, RunRecord
from fl_plugin.report.plots import (
    BAD,
    FEDERATED,
    GOOD,
    INK,
    OWN,
    PLATE,
    SERIES,
    SOFT,
    Canvas,
    Plot,
    style,
)
from fl_plugin.report.wording import (
    change_of,
    listed,
    measure_of,
    metric_in_text,
    metric_name,
    tick,
    title,
)

_TICKS = 6
_COLOURS = {"helped": GOOD, "hurt": BAD}


def comparison_plots(run: RunRecord) -> tuple[Plot, ...]:
    """Return the figures for the domains that could be compared."""
    compared = [
        d
        for d in run.domains
        if _both(d) is not None and d.measure == run.domains[0].measure
    ]
    if not compared:
        return ()
    measured = [d for d in compared if d.difference and d.difference.low is not None]
    plots = [_levels(compared, _where(run))]
    if measured:
        plots.append(_differences(measured))
    return tuple(plots)


def _both(result: DomainResult) -> tuple[float, float] | None:
    own = result.own.get(result.measure)
    federated = result.federated.get(result.measure)
    return None if own is None or federated is None else (own, federated)


def _height(count: int) -> float:
    return 1.15 + 0.5 * count


def _where(run: RunRecord) -> str:
    if run.vertical is not None:
        return "the rows held out"
    return "each domain's own rows, out of fold"


def _levels(domains: list[DomainResult], where: str) -> Plot:
    names = [title(d.domain) for d in domains]
    measure = metric_name(domains[0].measure)
    canvas = Canvas(
        name="levels",
        title="Own model, federated model",
        caption=f"{measure} on {where}{_best(domains)}.",
        alt=f"{measure} of both models in {listed(names)}.",
        height=_height(len(domains)),
    )
    with style():
        axes = canvas.axes()
        for place, result in enumerate(domains):
            own, federated = _both(result) or (0.0, 0.0)
            colour = _COLOURS.get(result.verdict, SOFT)
            axes.plot([own, federated], [place, place], color=colour, alpha=0.45)
        pairs = [_both(d) or (0.0, 0.0) for d in domains]
        places = range(len(domains))
        own_dots, federated_dots = zip(*pairs, strict=True)
        axes.scatter(own_dots, places, s=52, color=OWN, zorder=3, label="own")
        axes.scatter(
            federated_dots, places, s=52, color=FEDERATED, zorder=4, label="federated"
        )
        axes.set_yticks(places, names, color=INK)
        axes.set(xlabel=measure, ylim=(len(domains) - 0.5, -0.5))
        axes.xaxis.set_major_locator(MaxNLocator(_TICKS))
        axes.xaxis.set_major_formatter(_thousands)
        axes.margins(x=0.12)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        _personalised(axes, domains)
        canvas.figure.legend(loc="outside upper right", ncols=3, handletextpad=0.2)
        return canvas.plot()


def _differences(domains: list[DomainResult]) -> Plot:
    names = [title(d.domain) for d in domains]
    name, best = domains[0].measure, _best(domains)
    canvas = Canvas(
        name="differences",
        title="What federation adds",
        caption=f"Federated less own {metric_in_text(name)}, paired, with its 95 % "
        f"interval{best}. An interval that holds zero may be chance.",
        alt=f"Difference in {metric_name(name)} with intervals for {listed(names)}.",
        height=_height(len(domains)),
    )
    with style():
        axes = canvas.axes()
        axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        for place, result in enumerate(domains):
            gap = result.difference
            if gap is None or gap.low is None or gap.high is None or gap.value is None:
                continue
            colour = _COLOURS.get(result.verdict, SOFT)
            axes.plot([gap.low, gap.high], [place, place], color=colour, linewidth=2.4)
            axes.scatter([gap.value], [place], s=52, color=colour, zorder=3)
            text = change_of(name, gap.value)
            axes.annotate(
                text,
                (gap.value, place),
                (0, 7),
                textcoords="offset points",
                ha="center",
                color=INK,
                weight="bold",
                bbox=PLATE,
            )
        axes.set_yticks(range(len(domains)), names, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(_TICKS))
        axes.xaxis.set_major_formatter(_thousands)
        axes.set(
            xlabel=f"difference in {metric_in_text(name)}",
            ylim=(len(domains) - 0.5, -0.7),
        )
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return canvas.plot()


def _thousands(value: float, _place: float) -> str:
    return tick(value)


def _best(domains: list[DomainResult]) -> str:
    lower = measure_of(domains[0].measure).better == "lower"
    return "; lower is better" if lower else ""


def _personalised(axes: Axes, domains: list[DomainResult]) -> None:
    """Mark the models that were fine-tuned on a domain's own rows."""
    found = [
        (value, place)
        for place, domain in enumerate(domains)
        for value in [domain.personalised.get(domain.measure)]
        if value is not None
    ]
    if found:
        x, y = zip(*found, strict=True)
        axes.scatter(
            x, y, s=52, marker="D", color=SERIES[2], zorder=5, label="fine-tuned"
        )
