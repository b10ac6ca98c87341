"""`fl catalog changes`: what has changed since somebody looked."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import MeshError

FEED_NAME = "changes.atom"
# Good to know, and nothing has to be done.
_QUIET = ("product.added", "version.added", "study.added", "grant.approved")

if TYPE_CHECKING:
    from fl_plugin.changes.changes import News
    from fl_plugin.changes.event import Event


@click.command()
@click.option(
    "--since",
    "after",
    metavar="WHEN",
    help="A date, a moment, 7d, 12h, DOMAIN:NUMBER or an event's id.",
)
@click.option(
    "--for",
    "consumer",
    metavar="CONSUMER",
    help="Only what concerns this consumer, since it was last shown to it.",
)
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option("--keep", is_flag=True, help="Do not remember that this was shown.")
@verb
def changes(
    session: Session,
    after: str | None,
    consumer: str | None,
    domain: str | None,
    *,
    keep: bool,
) -> None:
    """Show what has changed since you last looked.

    It compares what the manifests, builds and grants say with the last look, writes
    down what is new and shows it. Nothing new is an empty answer.

    Example: fl catalog changes --since 7d
    """
    from fl_plugin.mesh.identity import actor  # noqa: PLC0415 help must not wait

    room, reader = session.mesh.changes, consumer or actor()
    looked = room.look(domain)
    if after is None:
        news = room.unread(reader, domain=domain, consumer=consumer)
    else:
        news = room.events(after, domain=domain, consumer=consumer)
    problems = {**looked.problems, **news.problems}
    session.answer(
        {
            "events": [event.model_dump(mode="json") for event in news.events],
            "missed": news.missed,
            "problems": {n: e.problem for n, e in sorted(problems.items())},
        },
        shown(news.events),
    )
    if after is None and not keep:
        room.mark_read(reader, news)
    if not session.as_json:
        _tell(news, problems)


def shown(events: Iterable["Event"]) -> list[Shown]:
    """Return events as a table: what happened and what to do."""
    found = tuple(events)
    told = Table(
        columns=("at (UTC)", "what", "number", "in words"),
        rows=tuple(
            (f"{e.at:%Y-%m-%d %H:%M}", e.kind, _number(e), e.sentence) for e in found
        ),
    )
    due = Table(
        title="What to do",
        rows=tuple((_number(e), e.remedy) for e in found if e.kind not in _QUIET),
    )
    return [table for table in (told, due) if table.rows]


def _number(event: "Event") -> str:
    """Return what `--since` understands."""
    return f"{event.domain}:{event.sequence}"


def _tell(news: "News", problems: Mapping[str, MeshError]) -> None:
    for domain, count in news.missed.items():
        click.echo(
            f"missed: {domain}: {count} older events are no longer kept", err=True
        )
    _tell_problems(problems)
    if not news.events:
        click.echo("Nothing has changed.", err=True)


def _tell_problems(problems: Mapping[str, MeshError]) -> None:
    for name, problem in sorted(problems.items()):
        click.echo(one_line(f"not looked at: {name}: {problem.problem}"), err=True)


def write_feed(session: Session, folder: Path) -> Path | None:
    """Look for changes and write them beside a site as a feed; return where.

    The site is built by then: what is wrong here is told, and no error of the build.
    """
    room = session.mesh.changes
    try:
        looked = room.look()
        path = room.write_feed(folder)
    except MeshError as error:
        if not session.as_json:
            click.echo(one_line(f"no feed of changes: {error.problem}"), err=True)
        return None
    if not session.as_json:
        _tell_problems(looked.problems)
    return path
