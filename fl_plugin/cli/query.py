"""`fl query`: one select over a product, run by its domain, within a grant."""

from pathlib import Path

import click

from fl_plugin.cli import rows as given
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("product")
@click.option("--sql", required=True, metavar="SELECT", help="One select over PRODUCT.")
@given.consumer_option
@given.study_option
@given.form_option
@given.output_option
@verb
def query(  # noqa: PLR0913 one for each option
    session: Session,
    product: str,
    sql: str,
    consumer: str | None,
    study: str,
    form: str | None,
    target: Path | None,
) -> None:
    """Run one select over PRODUCT, within a grant.

    The product has to offer the use `query`. Its domain decides, and runs the select
    over nothing but the granted columns and the rows that its filter leaves.

    Example: fl query asset_management.wealth_profile --sql "from wealth_profile"
    """
    given.check_target(form, target)
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.explore.query(product, sql, consumer=consumer, study=study)
    given.give(session, found, form, target)
