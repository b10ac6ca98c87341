"""The drawing from products over the study to the model, as two inline SVGs.

One lies flat for wide pages, one stands for narrow ones; the style sheet shows one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.wording import digest, rows, title

_WIDTH, _HEIGHT = 250, 74
_GAP = 22


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    kind: str
    name: str
    note: str

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + _HEIGHT / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + _WIDTH, self.y + _HEIGHT / 2

    @property
    def top(self) -> tuple[float, float]:
        return self.x + _WIDTH / 2, self.y

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x + _WIDTH / 2, self.y + _HEIGHT


def lineage(run: RunRecord) -> Markup:
    """Return both drawings."""
    return _flat(run) + _standing(run)


def _flat(run: RunRecord) -> Markup:
    products = run.products
    height = len(products) * (_HEIGHT + _GAP) - _GAP
    middle = (height - _HEIGHT) / 2
    step = _WIDTH + 105
    sources = [
        _product(run, i, (0, i * (_HEIGHT + _GAP))) for i in range(len(products))
    ]
    study, model = _study(run, (step, middle)), _model(run, (2 * step, middle))
    lines = [_across(box.right, study.left) for box in sources]
    lines.append(_across(study.right, model.left))
    size = (2 * step + _WIDTH, height)
    return _drawing("flat", size, lines, [*sources, study, model], _alt(run))


def _standing(run: RunRecord) -> Markup:
    count = len(run.products)
    sources = [_product(run, i, (0, i * (_HEIGHT + 12))) for i in range(count)]
    below = count * (_HEIGHT + 12) + 34
    study, model = _study(run, (0, below)), _model(run, (0, below + _HEIGHT + 46))
    lines = [
        _down(sources[-1].bottom, study.top),
        _down(study.bottom, model.top),
    ]
    size = (_WIDTH, below + 2 * _HEIGHT + 46)
    return _drawing("standing", size, lines, [*sources, study, model], _alt(run))


def _product(run: RunRecord, index: int, place: tuple[float, float]) -> _Box:
    used = run.products[index]
    version = f" v{used.version}" if used.version is not None else ""
    name = used.product.rpartition(".")[2] + version
    note = f"{rows(used.rows_bucket)} rows"
    return _Box(*place, f"product · {title(used.domain)}", name, note)


def _study(run: RunRecord, place: tuple[float, float]) -> _Box:
    note = f"for {title(run.purpose).lower()}, by {run.consumer}"
    return _Box(*place, "study", run.study, note)


def _model(run: RunRecord, place: tuple[float, float]) -> _Box:
    note = digest(run.model_digest)
    return _Box(*place, "model", f"{run.study} v{run.version}", note)


def _drawing(
    name: str,
    size: tuple[float, float],
    lines: Iterable[Markup],
    boxes: Iterable[_Box],
    alt: str,
) -> Markup:
    frame = Markup(
        '<svg class="lineage {}" viewBox="-2 -2 {} {}" role="img" aria-label="{}">'
    ).format(name, size[0] + 4, size[1] + 4, alt)
    body = Markup("").join([*lines, *map(_draw, boxes)])
    return frame + body + Markup("</svg>")


def _draw(box: _Box) -> Markup:
    kind = box.kind.split(" ", maxsplit=1)[0]
    parts = (
        f'<g class="box {escape(kind)}"><rect x="{box.x:g}" y="{box.y:g}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" rx="12"/>',
        _text(box, 22, "kind", box.kind),
        _text(box, 43, "name", box.name),
        _text(box, 61, "note", box.note),
        "</g>",
    )
    return Markup("").join(Markup(part) for part in parts)  # noqa: S704 - escaped


def _text(box: _Box, down: int, name: str, text: str) -> Markup:
    return Markup('<text class="{}" x="{:g}" y="{:g}">{}</text>').format(
        name, box.x + 16, box.y + down, _cut(text)
    )


def _across(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    middle = (start[0] + end[0]) / 2
    path = f"M{start[0]:g} {start[1]:g}C{middle:g} {start[1]:g} {middle:g} {end[1]:g}"
    return _line(path, end, (-1, 0))


def _down(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    return _line(f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}", end, (0, -1))


def _line(path: str, end: tuple[float, float], back: tuple[int, int]) -> Markup:
    x, y = end
    dx, dy = 8 * back[0], 8 * back[1]
    head = f"M{x + dx - dy / 2:g} {y + dy - dx / 2:g}L{x:g} {y:g}"
    head += f"L{x + dx + dy / 2:g} {y + dy + dx / 2:g}"
    tail = "" if "L" in path else f" {x:g} {y:g}"
    return Markup('<path class="edge" d="{}"/><path class="edge" d="{}"/>').format(
        path + tail, head
    )


def _cut(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _alt(run: RunRecord) -> str:
    names = ", ".join(p.product for p in run.products)
    return f"{names} feed the study {run.study}, which made model v{run.version}."
