"""`fl train`: run a study and register its model."""

import click

from fl_plugin.cli.log import logged
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("study")
@click.option(
    "--engine",
    default="embedded",
    show_default=True,
    metavar="NAME",
    help="How the domains' parties run.",
)
@logged
@verb
def train(session: Session, study: str, engine: str) -> None:
    """Train STUDY with its domains and register the model.

    Each domain decides first, and again before anything leaves it. When one refuses,
    nothing is trained and the exit code is 3.

    Example: fl train credit_risk

    Example: fl train credit_risk --json
    """
    train_study(session, study, engine)


def train_study(session: Session, study: str, engine: str) -> None:
    """Train a study over an engine and show its model.

    Args:
        session: Of the verb.
        study: Its name.
        engine: How the domains' parties run.
    """
    mesh = session.mesh
    with (
        suggesting(study, lambda: mesh.studies),
        session.progress() as listener,
    ):
        run = mesh.train(study, engine=engine, listener=listener)
    # scikit-learn is slow to import, and help must not wait for it.
    from fl_plugin.cli import records  # noqa: PLC0415

    session.answer(records.run_facts(run.entry), records.run_shown(run.entry))
