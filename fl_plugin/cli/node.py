"""`fl node`: answer for one domain, as its own user."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.answering import end, folder_of, until_stopped
from fl_plugin.cli.log import Log, logged
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.engines.node import Node


@click.command()
@click.option("--domain", required=True, metavar="NAME", help="For which domain.")
@click.option(
    "--socket",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="The Unix socket to listen on; run/node.sock in the domain's folder if left "
    "out.",
)
@click.option(
    "--while-stdin-is-open",
    is_flag=True,
    help="End when whoever started the node is gone.",
)
@logged
@verb
def node(
    session: Session, domain: str, path: Path | None, *, while_stdin_is_open: bool
) -> None:
    """Answer for DOMAIN until it is stopped.

    Run it as the domain's own user: it opens the domain's database, ledger and keys,
    and nobody else needs to. Who may call is decided by the user at the other end and
    by `callers` in the domain's node.yml.

    Example: fl node --domain consumer_banking
    """
    folder = folder_of(session.project.resolve(), domain)
    place = path or folder / "run" / "node.sock"
    place.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    serving = _node(folder, place, session.log)
    until_stopped(serving.stop)
    if while_stdin_is_open:
        threading.Thread(target=_watch, args=(serving.stop,), daemon=True).start()
    serving.serve(lambda: _ready(session, domain))
    end(session, domain=domain)


def _node(folder: Path, place: Path, log: Log) -> "Node":
    # A node's imports are a run's: help must not wait for them.
    from fl_plugin.engines.node import Node  # noqa: PLC0415
    from fl_plugin.party.heard import untold  # noqa: PLC0415

    return Node(folder, place, log.event if log.lines else untold)


def _watch(stop: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    stop()


def _ready(session: Session, domain: str) -> None:
    from fl_plugin.engines.framing import READY  # noqa: PLC0415

    session.log.event("ready", {"domain": domain})
    if sys.stdout.isatty():
        click.echo(f"The node of {domain} is ready.")
    elif session.as_json:
        click.echo('{"ready": true}')
    else:
        click.echo(READY)
    sys.stdout.flush()
