"""The drawing surface: matplotlib to inline SVG that follows the page's colours.

Figures are drawn in marker colours, one per role. In the SVG each is replaced by a
style-sheet variable, so one drawing serves light, dark and paper. Fonts become the
page's own, and the same record gives the same bytes.
"""

import io
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 5.0  # inches: 360 points, legible from a telephone to half a desktop page

ROLES = {
    "ink": "#101112",
    "soft": "#5a5b5c",
    "line": "#d7d8d9",
    "paper": "#fdfefd",
    "federated": "#2b5fd9",
    "own": "#d9822b",
    "good": "#2b9d62",
    "bad": "#c93d4b",
    "d1": "#4a6fe1",
    "d2": "#e1a23a",
    "d3": "#34a08c",
    "d4": "#b05cc6",
    "d5": "#d8637a",
    "d6": "#7a8b3c",
}
INK, SOFT, LINE, PAPER = (ROLES[r] for r in ("ink", "soft", "line", "paper"))
FEDERATED, OWN, GOOD, BAD = (ROLES[r] for r in ("federated", "own", "good", "bad"))
SERIES = tuple(ROLES[f"d{i}"] for i in range(1, 7))

_STYLE: Any = {
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 8.5,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # names may hold dollars
    "xtick.color": SOFT,
    "xtick.labelsize": 8,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.color": SOFT,
    "ytick.labelsize": 8,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}


# Behind a label, so that a line under it does not strike it out.
PLATE: Any = {"boxstyle": "square,pad=0.15", "facecolor": PAPER, "edgecolor": "none"}


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawn figure: inline SVG, and what it shows for those who do not see it."""

    name: str
    title: str
    caption: str
    alt: str
    svg: Markup = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """An empty figure, and the words that will stand with it.

    Draw on `axes()` and take the `plot()` inside one `with style():`.
    """

    name: str
    title: str
    caption: str
    alt: str
    height: float = 3.2
    figure: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        size = (WIDTH, self.height)
        object.__setattr__(self, "figure", Figure(figsize=size, layout="constrained"))

    def axes(self) -> Axes:
        """Return the one pair of axes of the figure."""
        return self.figure.add_subplot()

    def plot(self) -> Plot:
        """Return the figure as SVG."""
        return Plot(
            name=self.name,
            title=self.title,
            caption=self.caption,
            alt=self.alt,
            svg=_svg(self),
        )


def style() -> AbstractContextManager[None]:
    """Return the context in which every figure is made and drawn."""
    return mpl.rc_context({**_STYLE, "svg.hashsalt": "report"})


def _svg(canvas: Canvas) -> Markup:
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None}
    figure, surface = canvas.figure, FigureCanvasSVG(canvas.figure)
    figure.set_facecolor("none")
    layout = figure.get_layout_engine()
    if layout is not None:
        # `savefig` would draw twice: once for the places alone.
        layout.execute(figure)
        figure.set_layout_engine("none")
    surface.print_svg(buffer, metadata=nothing)  # type: ignore[no-untyped-call] # theirs
    text = buffer.getvalue()
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<svg [^>]*?viewBox", "<svg viewBox", body, count=1)
    opening = f'<svg role="img" aria-label="{escape(canvas.alt)}" '
    body = body.replace("<svg ", opening, 1)
    # Ids must differ between the figures of one page.
    body = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{canvas.name}-", body)
    body = re.sub(r"(font: (?:\d+ )?[\d.]+px) [^;\"]+", r"\1 var(--font)", body)
    for role, colour in ROLES.items():
        body = body.replace(colour, f"var(--{role})")
    return Markup(body)  # noqa: S704 - matplotlib escapes what it draws
