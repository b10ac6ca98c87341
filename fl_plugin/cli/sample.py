"""`fl sample`: some rows of a product, within a grant."""

from pathlib import Path

import click

from fl_plugin.cli import rows as given
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb


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
@given.consumer_option
@given.study_option
@given.form_option
@given.output_option
@verb
def sample(  # noqa: PLR0913 one for each option
    session: Session,
    product: str,
    rows: int,
    columns: str,
    consumer: str | None,
    study: str,
    form: str | None,
    target: Path | None,
) -> None:
    """Show some rows of PRODUCT, within a grant.

    The product has to offer the use `query`. Its domain decides, reads only the
    granted columns and the rows that its filter leaves, and puts it on record.

    Example: fl sample asset_management.wealth_profile --columns housing,savings
    """
    given.check_target(form, target)
    names = tuple(name.strip() for name in columns.split(",") if name.strip())
    mesh = session.mesh
    with suggesting(product, lambda: mesh.products):
        found = mesh.explore.sample(
            product, rows=rows, columns=names, consumer=consumer, study=study
        )
    given.give(session, found, form, target)
