"""`fl notify`: tell the domains' subscribers what has changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import MeshError, MessageError

if TYPE_CHECKING:
    from fl_plugin.changes.sending import Waiting


@click.group()
def notify() -> None:
    """Tell the domains' subscribers what has changed.

    Example: fl notify send
    """


@notify.command("list")
@click.option("--domain", metavar="NAME", help="This domain only.")
@verb
def list_(session: Session, domain: str | None) -> None:
    """List the subscribers and what waits for them.

    They stand in each domain's notifications.yml.

    Example: fl notify list --domain consumer_banking
    """
    found = session.mesh.changes.waiting(domain)
    rows = tuple((w.domain, w.subscriber, w.host, len(w.events), w.dead) for w in found)
    table = Table(
        columns=("domain", "subscriber", "where", "waiting", "given up"), rows=rows
    )
    facts = [
        {"domain": d, "subscriber": s, "host": h, "waiting": n, "given_up": dead}
        for d, s, h, n, dead in rows
    ]
    session.answer({"subscribers": facts}, [table] if rows else [])
    if not rows and not session.as_json:
        click.echo("Nobody has subscribed: see docs/notifications.md.", err=True)


@notify.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@click.option("--dead", is_flag=True, help="Send what was given up once more.")
@verb
def send(session: Session, domain: str | None, *, dry_run: bool, dead: bool) -> None:
    """Look for changes and send each to whoever subscribed.

    An event is sent at least once, in order. What is not taken is tried again at the
    next call. The exit code is 8 while something is left.

    Example: fl notify send --domain consumer_banking --dry-run
    """
    room = session.mesh.changes
    if dry_run:
        _dry(session, room.waiting(domain, ahead=True))
        return
    looked = room.look(domain)
    found, problems = room.send(domain, dead=dead)
    columns = ("domain", "subscriber", "sent", "waiting", "given up", "trouble")
    rows = tuple(
        (d.domain, d.subscriber, d.sent, d.waiting, d.given_up, d.trouble or None)
        for d in found
    )
    if not session.as_json:
        _tell({**looked.problems, **problems}, nobody=not found and not problems)
    left = sum(d.waiting + d.given_up for d in found)
    session.answer(
        {
            "sent": found,
            "problems": {
                n: e.problem for n, e in {**looked.problems, **problems}.items()
            },
        },
        [Table(columns=columns, rows=rows)] if rows else [],
        _failure(left, problems),
    )


def _dry(session: Session, found: tuple["Waiting", ...]) -> None:
    rows = tuple(
        (w.domain, w.subscriber, e.kind, f"{e.domain}:{e.sequence}", e.sentence)
        for w in found
        for e in w.events
    )
    columns = ("domain", "subscriber", "what", "number", "in words")
    facts = [
        {
            "domain": w.domain,
            "subscriber": w.subscriber,
            "events": [e.model_dump(mode="json") for e in w.events],
        }
        for w in found
    ]
    session.answer(
        {"would_send": facts}, [Table(columns=columns, rows=rows)] if rows else []
    )
    if not rows and not session.as_json:
        click.echo("Nothing would be sent.", err=True)


def _failure(left: int, problems: Mapping[str, MeshError]) -> MeshError | None:
    if problems:
        return next(iter(problems.values()))
    if not left:
        return None
    return MessageError(
        f"{left} events were not taken.",
        remedy="Call it again; what was given up is sent with --dead.",
    )


def _tell(problems: Mapping[str, MeshError], *, nobody: bool) -> None:
    for name, error in sorted(problems.items()):
        click.echo(one_line(f"not looked at: {name}: {error.problem}"), err=True)
    if nobody:
        click.echo("Nobody has subscribed: see docs/notifications.md.", err=True)
