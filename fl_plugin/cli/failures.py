"""An error as it is told, whoever reads it."""

from dataclasses import asdict, dataclass

import click

from fl_plugin.errors import MeshError, PolicyError, UsageError


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong and what to do.

    Args:
        exit_code: Of the program.
        code: What kind of error it is.
        problem: What happened.
        remedy: What to do.
        reason: Why a domain refused; None where none did.
        domain: Which one that was.
        domains: Whose fault it was, where it was a domain's.
    """

    exit_code: int
    code: str
    problem: str
    remedy: str
    reason: str | None = None
    domain: str | None = None
    domains: tuple[str, ...] = ()

    def to_json(self) -> dict[str, str]:
        """Return the words, without what is not known."""
        known = asdict(self) | {"exit_code": None, "domains": None}
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
        domains=error.domains,
    )


def _misused(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "fl"
    return Failure(
        exit_code=UsageError.exit_code,
        code=UsageError.code,
        problem=error.format_message(),
        remedy=f"See `{path} --help`.",
    )
