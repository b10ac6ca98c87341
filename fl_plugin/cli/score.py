"""`fl score`: let the domains of a vertical model score the rows that they share."""

import click

from fl_plugin.cli.log import logged
from fl_plugin.cli.naming import MODEL_NAME, ModelName, suggesting
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("model", metavar="STUDY[@vN]", type=MODEL_NAME)
@click.option(
    "--engine",
    default="embedded",
    show_default=True,
    metavar="NAME",
    help="How the domains' parties run.",
)
@logged
@verb
def score(session: Session, model: ModelName, engine: str) -> None:
    """Score the rows of STUDY's domains with its vertical model.

    The predictions are written to the label domain's own database, as the table
    `predictions.STUDY`; nothing of them comes back. Each domain decides first.

    Example: fl score card_default

    Example: fl score card_default@v1 --json
    """
    mesh = session.mesh
    with suggesting(model.study, lambda: (e.study for e in mesh.models.entries)):
        run = mesh.model(model.study, model.version).run
    with session.progress() as listener:
        found = mesh.score(
            model.study, version=run.version, engine=engine, listener=listener
        )
    facts = {
        "study": run.study,
        "version": run.version,
        "domain": found.domain,
        "table": found.table,
        "rows": found.rows,
    }
    session.answer(facts, [])
    if not session.as_json:
        click.echo(f"About {found.rows} rows: {found.table} in {found.domain}.")
