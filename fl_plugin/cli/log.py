"""What happens, as lines of JSON on stderr: one object each, never a value of a row.

`--log-format json` asks for them, or FL_LOG_FORMAT=json in the environment, which the
nodes that a run starts inherit.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import click

from fl_plugin.cli.failures import Failure
from fl_plugin.cli.text import one_line

VARIABLE = "FL_LOG_FORMAT"
TEXT, JSON = "text", "json"
_INFO, _WARNING, _ERROR = "info", "warning", "error"
_LEVELS = dict.fromkeys(("refused", "turned_away", "library"), _WARNING)

# For the verbs that take long.
logged = click.option(
    "--log-format",
    type=click.Choice([TEXT, JSON]),
    default=TEXT,
    show_default=True,
    envvar=VARIABLE,
    expose_value=False,  # known before a word of the verb is read: see `wants_lines`
    help="How progress, warnings and errors are told on stderr; json: one object a "
    "line.",
)


def wants_lines(words: Sequence[str]) -> bool:
    """Return whether a command asks for lines; also of one that is misspelt."""
    found = os.environ.get(VARIABLE, TEXT)
    for word, following in pairwise([*words, ""]):
        name, _, value = word.partition("=")
        if name == "--log-format":
            found = value or following
    return found == JSON


@dataclass
class Log:
    """What one call of the program tells beside its answer.

    Args:
        lines: Whether as JSON; as text otherwise.
        facts: What every line says: which run and study, and which round is on.
    """

    lines: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def begins(self, run: str, study: str, engine: str) -> None:
        """Tell that a run begins, or goes on."""
        self.facts = {"run": run, "study": study}
        self._line(_INFO, "began", {"engine": engine})

    def __call__(self, kind: str, number: int) -> None:
        """Tell a round; there is no data in it."""
        self.facts |= {"round": number, "kind": kind}
        self._line(_INFO, "round", {})

    def ends(self) -> None:
        """Tell that a run is done."""
        self._line(_INFO, "done", {})

    def event(self, event: str, facts: Mapping[str, Any]) -> None:
        """Tell what happened at a node; nothing where text is wanted."""
        if self.lines:
            self._line(_LEVELS.get(event, _INFO), event, facts)

    def say(self, words: str) -> None:
        """Tell somebody at a node what it waits for, or what is wrong."""
        if self.lines:
            self._line(_WARNING, "said", {"problem": one_line(words)})
        else:
            click.echo(words, err=True)

    def caution(self, problem: str) -> None:
        """Tell something that ends nothing."""
        if self.lines:
            self._line(_WARNING, "warning", {"problem": one_line(problem)})
        else:
            click.echo(f"warning: {one_line(problem)}", err=True)

    def failed(self, failure: Failure, *, as_json: bool) -> int:
        """Tell a failure and return its exit code.

        Args:
            failure: What went wrong.
            as_json: Whether stdout gets it as one object, whatever stderr gets.
        """
        facts = failure.to_json()
        if as_json:
            click.echo(json.dumps({"error": facts}, indent=2))
        if self.lines:
            at_fault = {"domains": failure.domains} if failure.domains else {}
            code = {"exit_code": failure.exit_code}
            self._line(_ERROR, "error", {**facts, **at_fault, **code})
        elif not as_json:
            click.echo(f"error: {one_line(failure.problem)}", err=True)
            click.echo(f"hint: {one_line(failure.remedy)}", err=True)
        return failure.exit_code

    def interrupted(self) -> None:
        """Tell that somebody has stopped the program."""
        if self.lines:
            self._line(_ERROR, "interrupted", {})
        else:
            click.echo("Interrupted.", err=True)

    @contextmanager
    def heard_by_all(self) -> Iterator[None]:
        """Have what libraries warn of told as lines as well, while the block lasts.

        Their words are left out: they may hold a value, or a path.
        """
        if not self.lines:
            yield
            return
        root, library, before = logging.getLogger(), _Library(self), _inherited()
        root.addHandler(library)
        os.environ[VARIABLE] = JSON
        try:
            with warnings.catch_warnings():
                warnings.showwarning = self._warned
                yield
        finally:
            root.removeHandler(library)
            os.environ.pop(VARIABLE)
            os.environ.update(before)

    def _warned(self, *told: Any, **_: Any) -> None:
        category: type[Warning] = told[1]  # after the message, as Python calls this
        self.event("library", {"category": category.__name__})

    def _line(self, level: str, event: str, facts: Mapping[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "level": level, "event": event, **self.facts, **facts}
        with suppress(OSError):  # a log that nobody reads any more ends no run
            click.echo(json.dumps(told), err=True)


class _Library(logging.Handler):
    """Tells who has written to Python's own log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Tell which library it was."""
        self._log.event("library", {"category": record.name})


def _inherited() -> dict[str, str]:
    return {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
