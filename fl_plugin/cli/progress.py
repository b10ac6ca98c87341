"""The rounds of a run as they happen, on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Listener = Callable[[str, int], None]

# By the kind of message, in the order in which a run sends them.
STAGES = {
    "decide": "Asking every domain for its decision",
    "open": "Opening the granted columns",
    "agree": "Agreeing on the run",
    "keys": "Agreeing on masks",
    "share": "Agreeing on masks",
    "accept": "Agreeing on masks",
    "endorse": "Agreeing on masks",
    "vocabulary": "Agreeing on categories",
    "count": "Counting",
    "cut": "Drawing the folds",
    "prepare": "Preparing the columns",
    "assign": "Handing out the fits",
    "step": "Fitting",
    "judge": "Evaluating",
    "evaluate": "Evaluating",
    "compare": "Comparing with each domain's own model",
    "close": "Finishing",
}


# Asked between the parts of another stage, which goes on.
BESIDE = frozenset({"unmask"})


@contextmanager
def progress(*, quiet: bool) -> Iterator[Listener]:
    """Give a listener: a bar on a terminal, a line per stage elsewhere."""
    if quiet:
        yield _silent
    elif sys.stderr.isatty():
        with _bar() as listener:
            yield listener
    else:
        yield _lines()


def _silent(kind: str, number: int) -> None:
    """Listen to nothing."""


def _lines() -> Listener:
    told: list[str] = []

    def listener(kind: str, number: int) -> None:
        if kind in BESIDE:
            return
        stage = STAGES.get(kind, kind)
        if told[-1:] != [stage]:
            click.echo(f"{stage} (round {number})", err=True)
            told.append(stage)

    return listener


@contextmanager
def _bar() -> Iterator[Listener]:
    # rich is slow to import, and a pipe has no use for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    places = {kind: place for place, kind in enumerate(STAGES)}
    columns = (SpinnerColumn(), BarColumn(bar_width=24), TimeElapsedColumn())
    words = TextColumn("{task.description}", markup=False)
    console = Console(stderr=True)
    with Progress(*columns, words, console=console, transient=True) as bar:
        task = bar.add_task("Reading the catalog", total=len(STAGES))

        def listener(kind: str, number: int) -> None:
            if kind in BESIDE:
                return
            stage = STAGES.get(kind, kind)
            text = f"{stage} (round {number})"
            # A search fits again after it has evaluated; the bar never goes back.
            done = max(places.get(kind, 0), bar.tasks[task].completed)
            bar.update(task, description=text, completed=done)

        yield listener
