"""`fl algorithms`: what can be trained with, and what of it leaves a domain."""

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb


@click.group(cls=ListingGroup)
def algorithms() -> None:
    """List algorithms, or show one.

    Without a verb it lists.

    Example: fl algorithms
    """


@algorithms.command("list")
@verb
def list_verb(session: Session) -> None:
    """List the installed algorithms.

    Those of other packages are among them.

    Example: fl algorithms list
    """
    # numpy is slow to import, and help must not wait for it.
    from fl_plugin.coordinator.run import algorithms as installed  # noqa: PLC0415

    found = [
        {"name": a.name, "title": a.title, "target": a.target, "sees": a.sees}
        for a in installed().values()
    ]
    table = Table(
        columns=("name", "title", "target", "coordinator sees"),
        rows=tuple(tuple(row.values()) for row in found),
    )
    session.answer({"algorithms": found}, [table])


@algorithms.command()
@click.argument("name")
@verb
def show(session: Session, name: str) -> None:
    """Show one algorithm: its parameters, what leaves.

    Each domain's `node.yml` says which algorithms it runs, and in which ranges.

    Example: fl algorithms show logistic_regression
    """
    # numpy is slow to import, and help must not wait for it.
    from fl_plugin.coordinator import run  # noqa: PLC0415

    with suggesting(name, run.algorithms):
        found = run.find_algorithm(name)
    facts = {
        word: getattr(found, word)
        for word in ("name", "title", "paper", "target", "sees", "exact", "leaves")
    }
    parameters = found().parameters()
    session.answer(
        {**facts, "parameters": parameters},
        [
            Table(rows=tuple(facts.items())),
            Table(
                title="Parameters",
                columns=("name", "default"),
                rows=tuple((n, f"{value:g}") for n, value in parameters.items()),
            ),
        ],
    )
