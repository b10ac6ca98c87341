"""`fl train`: run a study and register its model."""

from typing import TYPE_CHECKING

import click

from fl_plugin.cli.log import logged
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import UsageError

if TYPE_CHECKING:
    from fl_plugin import Mesh
    from fl_plugin.mesh.run import Run


@click.command()
@click.argument("study")
@click.option(
    "--engine",
    default="",
    metavar="NAME",
    help="How the domains' parties run: embedded unless named, processes, flower; a "
    "run that is resumed, as it began.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with its newest run that was interrupted."
)
@logged
@verb
def train(session: Session, study: str, engine: str, *, resume: bool) -> None:
    """Train STUDY with its domains and register the model.

    Each domain decides first, and again before anything leaves it. When one refuses,
    nothing is trained and the exit code is 3.

    Example: fl train credit_risk

    Example: fl train credit_risk --json

    Example: fl train credit_risk --resume
    """
    mesh = session.mesh
    if not resume:
        train_study(session, study, engine or "embedded")
        return
    with suggesting(study, lambda: mesh.studies):
        run = interrupted(mesh, study)
    go_on(session, run, engine)


def go_on(session: Session, run: str, engine: str) -> None:
    """Resume a run and show its model.

    Args:
        session: Of the verb.
        run: Its id.
        engine: Another than it began with; empty for the same.
    """
    with session.progress() as listener:
        made = session.mesh.resume(run, engine=engine, listener=listener)
    _show(session, made)


def interrupted(mesh: "Mesh", study: str = "") -> str:
    """Return the newest run that can be resumed.

    Args:
        mesh: Whose.
        study: Of which study; empty for any.

    Raises:
        UsageError: There is none.
    """
    for state in mesh.runs:
        if state.standing == "interrupted" and study in {"", state.study}:
            return state.run
    raise UsageError(
        f"No run of {study} was interrupted." if study else "No run was interrupted.",
        remedy="See the runs: fl runs list",
    )


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
    _show(session, run)


def _show(session: Session, run: "Run") -> None:
    # scikit-learn is slow to import, and help must not wait for it.
    from fl_plugin.cli import records  # noqa: PLC0415

    session.answer(records.run_facts(run.entry), records.run_shown(run.entry))
