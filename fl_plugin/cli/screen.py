"""Tables and sentences: drawn on a terminal, tab-separated lines in a pipe."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from textwrap import fill
from typing import Literal

import click

from fl_plugin.cli.text import Cell, for_people, for_programs, one_line

# A word that is a cell of its own has this colour, whatever the table.
COLOURS = {
    "passed": "green",
    "allowed": "green",
    "helped": "green",
    "sound": "green",
    "refused": "bold red",
    "broken": "bold red",
    "damaged": "bold red",
    "hurt": "red",
    "at opening": "cyan",
    "not reached": "dim",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under a title; without `columns` they are facts: a name and what it is."""

    title: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...]


Shown = Table | str


def show(parts: Sequence[Shown]) -> None:
    """Print tables and sentences to stdout, tables apart from what is around them."""
    drawn = sys.stdout.isatty()
    for number, part in enumerate(parts):
        before = parts[number - 1] if number else None
        if isinstance(part, Table):
            if before is not None:
                click.echo()
            _draw(part) if drawn else _write(part)
            continue
        if isinstance(before, Table):
            click.echo()
        _say(part, drawn=drawn)


def _say(sentence: str, *, drawn: bool) -> None:
    text = one_line(sentence)
    if drawn:
        text = fill(text, width=get_terminal_size().columns, break_long_words=False)
    click.echo(text)


def _write(table: Table) -> None:
    if table.title:
        click.echo(f"# {one_line(table.title)}")
    if table.columns:
        click.echo("\t".join(table.columns))
    for row in table.rows:
        click.echo("\t".join(for_programs(cell) for cell in row))


def _draw(table: Table) -> None:
    # rich is slow to import, and a pipe has no use for it.
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as Drawing  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=sys.stdout, highlight=False)
    if table.title:
        console.print(Text(one_line(table.title), style="bold"))
    if _has_long_words(table, console.width):
        _write_facts(table)
        return
    drawing = Drawing(
        box=SIMPLE_HEAD if table.columns else None,
        show_header=bool(table.columns),
        pad_edge=False,
        padding=(0, 1),
        header_style="dim",
        show_edge=False,
        collapse_padding=True,
    )
    for place in range(max(map(len, (table.columns, *table.rows)))):
        name = table.columns[place] if table.columns else ""
        whole = place == 0 and _widest(table) <= console.width // 2
        side = _side(table, place)
        drawing.add_column(name, justify=side, overflow="fold", no_wrap=whole)
    for row in table.rows:
        texts = [for_people(cell) for cell in row]
        drawing.add_row(*(Text(t, style=COLOURS.get(t, "")) for t in texts))
    console.print(drawing)


def _has_long_words(table: Table, width: int) -> bool:
    """Return whether facts hold a word, a path mostly, that folding would cut.

    Who copies it must get all of it; a terminal that wraps it itself gives that.
    """
    if table.columns or not table.rows:
        return False
    room = width - _widest(table) - 1
    words = (w for row in table.rows for c in row[1:] for w in for_people(c).split())
    return any(len(word) > room for word in words)


def _write_facts(table: Table) -> None:
    for name, *values in table.rows:
        told = " ".join(map(for_people, values))
        click.echo(f"{for_people(name):<{_widest(table)}} {told}")


def _widest(table: Table) -> int:
    """Return the width of the first column: names, which people copy."""
    return max(len(for_people(row[0])) for row in table.rows) if table.rows else 0


def _side(table: Table, place: int) -> Literal["left", "right"]:
    cells = [row[place] for row in table.rows if place < len(row)]
    counted = [c for c in cells if c is not None]
    numbers = all(isinstance(c, int | float) for c in counted)
    return "right" if counted and numbers else "left"
