"""`fl policy permissions`: who holds which verb on which product."""

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb


@click.command()
@click.option("--as", "consumer", metavar="CONSUMER", help="This consumer only.")
@verb
def permissions(session: Session, consumer: str | None) -> None:
    """List who holds which verb on which product.

    With the permissions that give it, from the owner down, or the one that denies it.
    A domain without permissions.yml is left out: its contracts decide alone.

    Example: fl policy permissions --as ml_coe
    """
    found = session.mesh.policies.held(consumer)
    rows = tuple(
        (
            h.consumer,
            h.product,
            h.verb,
            "yes" if h.holding.held else "no",
            ", then ".join(h.holding.chain) or h.holding.reason,
        )
        for h in found
        if h.holding.held or h.holding.reason == "denied"
    )
    table = Table(columns=("consumer", "product", "verb", "held", "by"), rows=rows)
    session.answer({"held": found}, [table] if rows else ["Nobody holds anything."])
