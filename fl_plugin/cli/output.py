"""How verbs print: tables on a terminal, plain lines in a pipe, progress on stderr."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

STAGES = {
    "decide": "every domain decides",
    "open": "every domain opens its table",
    "vocabulary": "domains list frequent values",
    "agree": "keys are agreed",
    "count": "counting",
    "scatter": "scaling",
    "step": "training",
    "evaluate": "evaluating",
    "compare": "domains compare with their own models",
    "close": "closing",
}


def emit(value: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(value, sort_keys=True, default=str))


def heading(words: str) -> None:
    """Print a heading."""
    click.echo()
    click.secho(words, bold=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on a terminal, tab-separated lines in a pipe."""
    lines = [[_cell(value) for value in line] for line in rows]
    console = Console()
    if not console.is_terminal:
        for line in ([*head], *lines):
            click.echo("\t".join(line))
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    numeric = [all(_is_number(line[i]) for line in lines) for i in range(len(head))]
    for name, right in zip(head, numeric, strict=True):
        drawn.add_column(name, justify="right" if right else "left")
    for line in lines:
        drawn.add_row(*(Text(cell) for cell in line))
    console.print(drawn)


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 units of 1000, as disks and networks count
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


@contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
    """Give a listener that shows each round on stderr."""
    if not sys.stderr.isatty():
        yield _plain_listener()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def listen(kind: str, number: int) -> None:
            words = f"round {number}: {STAGES.get(kind, kind)}"
            bar.update(task, description=words)

        yield listen


def _plain_listener() -> Callable[[str, int], None]:
    begun = time.monotonic()

    def listen(kind: str, number: int) -> None:
        seconds = time.monotonic() - begun
        words = STAGES.get(kind, kind)
        click.echo(f"[{seconds:6.1f} s] round {number}: {words}", err=True)

    return listen


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e-3 else f"{value:.4f}"  # noqa: PLR2004
    return str(value)


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(".", "", 1).lstrip("+-").isdigit()
