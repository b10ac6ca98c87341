"""`fl sample`: some rows of a product, within a grant."""

import click

from fl_plugin.cli import rows as given
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session


@click.command()
@click.argument("product")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many; the domain's own bound may be lower.",
)
@click.option(
    "--columns",
    metavar="A,B",
    default="",
    help="Which; all that are granted unless named.",
)
@given.rows_verb
def sample(
    session: Session, wanted: given.Wanted, product: str, rows: int, columns: str
) -> None:
    """Show some rows of PRODUCT, within a grant.

    The product has to offer the use `query`. Its domain decides, reads only the
    granted columns and the rows that its filter leaves, and puts it on record.

    Example: fl sample asset_management.wealth_profile --columns housing,savings
    """
    names = tuple(name.strip() for name in columns.split(",") if name.strip())
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.explore.sample(
            product,
            rows=rows,
            columns=names,
            consumer=wanted.consumer,
            study=wanted.study,
        )
    given.give(session, wanted, found)
