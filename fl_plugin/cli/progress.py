"""The rounds of a run as they happen, on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fl_plugin.cli.log import Log
from fl_plugin.coordinator.traffic import Listener, silent

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


# The same of a vertical run, and of one that scores.
VERTICAL = {
    "decide": STAGES["decide"],
    "open": STAGES["open"],
    "channel": "Sealing what domains say to each other",
    "match": "Matching rows",
    "expand": "Laying out the matched rows",
    "arrange": STAGES["prepare"],
    "turn": STAGES["step"],
    "keep": "Keeping each domain's part",
    "score": "Scoring",
    "assess": STAGES["evaluate"],
    "deliver": "Writing the predictions",
    "close": STAGES["close"],
}

# Asked between the parts of another stage, which goes on.
BESIDE = frozenset({"unmask"})


@contextmanager
def progress(*, quiet: bool, log: Log) -> Iterator[Listener]:
    """Give a listener: a bar on a terminal, a line per stage elsewhere.

    Args:
        quiet: Whether a program reads the answer; nothing is told then.
        log: Told each round, whoever reads, where it is one of lines.
    """
    if log.lines:
        yield log
        log.ends()
    elif quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bar() as listener:
            yield listener
    else:
        yield _lines()


def _stage(kind: str, before: str) -> str:
    """Return the words of a stage, given those of the one before."""
    if kind == "turn" and before == VERTICAL["score"]:
        return before  # turns fit a model, or score rows with one
    return STAGES.get(kind) or VERTICAL.get(kind, kind)


def _lines() -> Listener:
    told = ""

    def listener(kind: str, number: int) -> None:
        nonlocal told
        if kind in BESIDE:
            return
        stage = _stage(kind, told)
        if told != stage:
            click.echo(f"{stage} (round {number})", err=True)
            told = stage

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

    shares = {
        kind: place / len(stages)
        for stages in (VERTICAL, STAGES)
        for place, kind in enumerate(stages)
    }
    columns = (SpinnerColumn(), BarColumn(bar_width=24), TimeElapsedColumn())
    words = TextColumn("{task.description}", markup=False)
    console = Console(stderr=True)
    with Progress(*columns, words, console=console, transient=True) as bar:
        task = bar.add_task("Reading the catalog", total=1.0)
        told = ""

        def listener(kind: str, number: int) -> None:
            nonlocal told
            if kind in BESIDE:
                return
            told = _stage(kind, told)
            text = f"{told} (round {number})"
            # A search fits again after it has evaluated; the bar never goes back.
            done = max(shares.get(kind, 0.0), bar.tasks[task].completed)
            bar.update(task, description=text, completed=done)

        yield listener
