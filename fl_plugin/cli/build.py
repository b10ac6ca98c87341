"""`fl build`: build the domains, the mesh over them, and the catalog."""

from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line

if TYPE_CHECKING:
    from fl_plugin.building.build import Built


@click.command()
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--domain-only", is_flag=True, help="Leave mesh and catalog as they are.")
@click.option("--mesh-only", is_flag=True, help="Leave the domains as they are.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Domains built at the same time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 86_400),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Ends one run of dbt.",
)
@verb
def build(
    session: Session,
    domains: tuple[str, ...],
    *,
    jobs: int,
    timeout: float,
    **only: bool,
) -> None:
    """Build every DOMAIN, then the mesh and its catalog.

    In the order that they need, and as often as you like. A domain that fails stops no
    other one; the exit code is then 5. What dbt says in full stands in the domain's
    logs/fl-build.log.

    Example: fl build lending
    """
    # Reading a catalog brings scikit-learn, and help must not wait for it.
    from fl_plugin.building.build import Order, failure_of  # noqa: PLC0415

    order = Order(domains=domains, jobs=jobs, limit=timeout, **only)
    mesh = session.mesh
    if not session.as_json:
        click.echo("Building; a part is told when it is done.", err=True)
    parts = mesh.building.build(order, _silent if session.as_json else _told)
    facts = {
        "parts": [
            {
                "part": p.part,
                "state": p.state,
                "seconds": round(p.seconds, 1),
                "note": p.note,
                "failed": [{"name": n.name, "why": n.why} for n in p.failed],
                "log": p.log,
            }
            for p in parts
        ]
    }
    failed = tuple((p.part, n.name, n.why) for p in parts for n in p.failed)
    shown = [Table(columns=("part", "node", "what"), rows=failed)] if failed else []
    session.answer(facts, shown, failure_of(parts))


def _silent(part: "Built") -> None:
    """Listen to nothing."""


def _told(part: "Built") -> None:
    note = f"  {part.note}" if part.note else ""
    click.echo(one_line(f"{part.state:8} {part.seconds:6.1f} s  {part.part}{note}"))
