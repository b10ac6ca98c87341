"""An error as it is told: two lines on stderr, or one JSON object on stdout."""

import json
from dataclasses import asdict, dataclass

import click

from fl_plugin.cli.text import one_line
from fl_plugin.errors import MeshError, PolicyError, UsageError


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong and what to do; `reason` and `domain` only where one refused."""

    exit_code: int
    code: str
    problem: str
    remedy: str
    reason: str | None = None
    domain: str | None = None

    def to_json(self) -> dict[str, str]:
        """Return the words, without the exit code and without what is not known."""
        known = asdict(self) | {"exit_code": None}
        return {name: value for name, value in known.items() if value is not None}


def failure_of(error: MeshError | click.ClickException) -> Failure:
    """Return an error of this package or of the command's words as a failure."""
    if isinstance(error, click.ClickException):
        return _misused(error)
    refusal = error if isinstance(error, PolicyError) else None
    return Failure(
        exit_code=error.exit_code,
        code=error.code,
        problem=error.problem,
        remedy=error.remedy,
        reason=refusal.reason if refusal else None,
        domain=(refusal.domain or None) if refusal else None,
    )


def tell(failure: Failure, *, as_json: bool) -> int:
    """Print a failure and return its exit code."""
    if as_json:
        click.echo(json.dumps({"error": failure.to_json()}, indent=2))
    else:
        click.echo(f"error: {one_line(failure.problem)}", err=True)
        click.echo(f"hint: {one_line(failure.remedy)}", err=True)
    return failure.exit_code


def _misused(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "fl"
    return Failure(
        exit_code=UsageError.exit_code,
        code=UsageError.code,
        problem=error.format_message(),
        remedy=f"See `{path} --help`.",
    )
