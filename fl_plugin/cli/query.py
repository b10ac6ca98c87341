"""`fl query`: one select over a product, run by its domain, within a grant."""

import click

from fl_plugin.cli import rows as given
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session


@click.command()
@click.argument("product")
@click.option("--sql", required=True, metavar="SELECT", help="One select over PRODUCT.")
@given.rows_verb
def query(session: Session, wanted: given.Wanted, product: str, sql: str) -> None:
    """Run one select over PRODUCT, within a grant.

    The product has to offer the use `query`. Its domain decides, and runs the select
    over nothing but the granted columns and the rows that its filter leaves.

    Example: fl query asset_management.wealth_profile --sql "from wealth_profile"
    """
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.explore.query(
            product, sql, consumer=wanted.consumer, study=wanted.study
        )
    given.give(session, wanted, found)
