"""What every verb has: a project, a way to answer, and the two options for them."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

import fl_plugin
from fl_plugin.cli.failures import failure_of
from fl_plugin.cli.log import Log
from fl_plugin.cli.plain import as_text
from fl_plugin.cli.progress import progress
from fl_plugin.cli.screen import Shown, show
from fl_plugin.coordinator.traffic import Listener
from fl_plugin.errors import MeshError
from fl_plugin.tracing.wanted import problem


@dataclass(frozen=True)
class Session:
    """One call of one verb.

    Args:
        project: The mesh's root folder.
        as_json: Whether to answer with one JSON object.
        log: What it tells beside its answer.
    """

    project: Path
    as_json: bool
    log: Log = field(default_factory=Log)

    @property
    def mesh(self) -> "fl_plugin.Mesh":
        """The mesh; the library is imported at this moment."""
        return fl_plugin.Mesh.open(self.project)

    @contextmanager
    def progress(self) -> Iterator[Listener]:
        """Show the rounds of a run on stderr, unless a program is listening."""
        before = problem()
        if before:
            self.log.caution(before)
        try:
            with progress(quiet=self.as_json, log=self.log) as listener:
                yield listener
        finally:
            self.tell_lost(before)

    def tell_lost(self, before: str = "") -> None:
        """Tell that traces were lost, if that is so and was not told before."""
        after = problem()
        if after != before:
            self.log.caution(after)

    def answer(
        self,
        facts: Mapping[str, Any],
        shown: Sequence[Shown],
        failure: MeshError | None = None,
    ) -> None:
        """Print the answer: the facts as JSON, or what is to be shown.

        Args:
            facts: For `--json`.
            shown: For everybody else.
            failure: What the answer amounts to where that is an error: it is told
                after the answer, in the same JSON object, and sets the exit code.

        Raises:
            MeshError: The failure, for `main` to tell.
        """
        if not self.as_json:
            show(shown)
            if failure is not None:
                raise failure
            return
        if failure is None:
            click.echo(as_text(facts))
            return
        told = failure_of(failure)
        click.echo(as_text({**facts, "error": told.to_json()}))
        click.get_current_context().exit(told.exit_code)


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb `--project` and `--json`, and a session as its first argument."""

    @click.option(
        "--project",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        metavar="DIR",
        help="The mesh's root folder; this one unless named.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(function)
    def with_session(*, project: Path, as_json: bool, **words: Any) -> None:
        log = click.get_current_context().find_object(Log) or Log()
        try:
            function(Session(project, as_json, log), **words)
        except KeyboardInterrupt:
            if log.lines:  # click would print an empty line first
                raise click.Abort from None
            raise

    return with_session
