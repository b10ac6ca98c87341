"""The `fl` program: its verbs, and the one place where an error becomes an exit code.

A verb is a file in this room and its line in `VERBS`.
"""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress

import click

from fl_plugin.cli.failures import Failure, failure_of
from fl_plugin.cli.lazy import LazyGroup
from fl_plugin.cli.log import Log, wants_lines
from fl_plugin.errors import MeshError

# In the order of the work: start, find, ask, train, use, account for it.
VERBS: Mapping[str, str] = {
    "init": "fl_plugin.cli.init",
    "new": "fl_plugin.cli.new",
    "build": "fl_plugin.cli.build",
    "catalog": "fl_plugin.cli.catalog",
    "sample": "fl_plugin.cli.sample",
    "query": "fl_plugin.cli.query",
    "plan": "fl_plugin.cli.plan",
    "train": "fl_plugin.cli.train",
    "runs": "fl_plugin.cli.runs",
    "node": "fl_plugin.cli.node",
    "flower": "fl_plugin.cli.flower",
    "evaluate": "fl_plugin.cli.evaluate",
    "predict": "fl_plugin.cli.predict",
    "score": "fl_plugin.cli.score",
    "salt": "fl_plugin.cli.salt",
    "models": "fl_plugin.cli.models",
    "algorithms": "fl_plugin.cli.algorithms",
    "access": "fl_plugin.cli.access",
    "contract": "fl_plugin.cli.contract",
    "policy": "fl_plugin.cli.policy",
    "quality": "fl_plugin.cli.quality",
    "audit": "fl_plugin.cli.audit",
    "retention": "fl_plugin.cli.retention",
    "notify": "fl_plugin.cli.notify",
}
INTERRUPTED = 130
CUT_PIPE = 141  # what a shell shows for a program that SIGPIPE ended


@click.group(cls=LazyGroup, verbs=VERBS, invoke_without_command=True)
@click.version_option(package_name="data-mesh-learning", message="%(version)s")
@click.pass_context
def fl(ctx: click.Context) -> None:
    """Learn across the domains of a data mesh without moving a row.

    Every verb takes --project, the mesh's root folder, and --json, which makes it
    print one JSON object. On a terminal it prints tables, in a pipe plain lines.

    Example: fl plan credit_risk
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; see docs/reference/exit-codes.md."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _spare_unknown_letters()
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return CUT_PIPE
    return code


def _run(words: list[str]) -> int:
    as_json, log = "--json" in words, Log(wants_lines(words))
    try:
        with log.heard_by_all():
            code = fl.main(words, prog_name="fl", standalone_mode=False, obj=log)
    except (click.exceptions.Abort, KeyboardInterrupt):
        log.interrupted()
        return INTERRUPTED
    except (MeshError, click.ClickException) as error:
        return log.failed(failure_of(error), as_json=as_json)
    except SystemExit:
        raise BrokenPipeError from None  # click's answer to a pipe that was closed
    except BrokenPipeError:
        raise
    except Exception as error:  # whatever it is, nobody is shown a traceback
        if os.environ.get("FL_DEBUG") == "1":
            traceback.print_exc()
        return log.failed(_unexpected(error), as_json=as_json)
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> Failure:
    # Its text may hold a value of a row.
    return Failure(
        exit_code=1,
        code="unexpected",
        problem=f"Unexpected {type(error).__name__}: a defect of this program.",
        remedy="Report it to its maintainers with the command; FL_DEBUG=1 shows where.",
    )


def _spare_unknown_letters() -> None:
    """Let a terminal that cannot show a letter get a question mark for it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def _drop_output() -> None:
    """Keep the interpreter from flushing into the closed pipe once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
