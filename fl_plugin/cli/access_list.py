"""`fl access list`: every grant of the mesh as it counts today."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.access.standing import Standing

# As `fl_plugin.access.standing` calls them; help must not wait for its import.
STATES = (
    "requested",
    "half-approved",
    "live",
    "unbuilt",
    "expired",
    "stopped",
    "rejected",
    "revoked",
    "invalid",
)


@click.command("list")
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option("--status", type=click.Choice(STATES), help="In this state only.")
@click.option(
    "--expiring",
    type=click.IntRange(0),
    metavar="DAYS",
    help="Only what holds and ends within so many days.",
)
@verb
def list_(
    session: Session, domain: str | None, status: str | None, expiring: int | None
) -> None:
    """List every grant as it counts today.

    With who approved it, how long it holds and the command that moves it on.

    Example: fl access list --expiring 30
    """
    found = [
        s
        for s in session.mesh.access.list(domain)
        if status in (None, s.state) and _ends_within(s, expiring)
    ]
    if not found and not session.as_json:
        click.echo("No grant.", err=True)
    session.answer({"grants": [asdict(s) for s in found]}, _shown(found, expiring))


def _ends_within(standing: "Standing", days: int | None) -> bool:
    if days is None:
        return True
    return standing.days_left is not None and standing.days_left <= days


def _shown(found: "list[Standing]", expiring: int | None) -> list[Shown]:
    if not found:
        return []
    columns = ("domain", "grant", "state", "approved by", "days left")
    rows = tuple(
        (s.domain, s.grant, s.says, ", ".join(s.approved_by), s.days_left)
        for s in found
    )
    shown: list[Shown] = [Table(columns=columns, rows=rows)]
    nexts = dict.fromkeys(_next(s, expiring) for s in found)
    return shown + [f"Next: {command}" for command in nexts if command]


def _next(standing: "Standing", expiring: int | None) -> str:
    if expiring is None or standing.state != "live":
        return standing.next
    return f"fl access request {standing.study} --renew --by ADDRESS"
