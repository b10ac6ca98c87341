"""`fl runs`: which runs there are, how they stand, and how to go on with one."""

from dataclasses import asdict

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.progress import logged
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb


@click.group(cls=ListingGroup, invoke_without_command=True)
def runs() -> None:
    """List runs, go on with one, or end it.

    Example: fl runs list
    """


@runs.command("list")
@verb
def list_verb(session: Session) -> None:
    """List the runs, the newest first.

    "interrupted" can be resumed; "failed" and "stopped" cannot.

    Example: fl runs list
    """
    found = session.mesh.runs
    table = Table(
        columns=("run", "study", "stands", "started (UTC)", "model"),
        rows=tuple(
            (
                r.run,
                r.study,
                r.standing,
                r.started[:19],
                f"v{r.version}" if r.version else "",
            )
            for r in found
        ),
    )
    session.answer({"runs": [asdict(r) for r in found]}, [table] if found else [])
    if not found and not session.as_json:
        click.echo("No run yet.", err=True)


@runs.command()
@click.argument("run")
@verb
def show(session: Session, run: str) -> None:
    """Print how RUN stands.

    Example: fl runs show 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    with suggesting(run, lambda: (r.run for r in mesh.runs)):
        found = mesh.run_state(run)
    facts = asdict(found)
    table = Table(rows=tuple((k, v) for k, v in facts.items() if v not in {"", None}))
    session.answer(facts, [table])


@runs.command()
@click.argument("run")
@click.option("--engine", default="", metavar="NAME", help="Another engine.")
@logged
@verb
def resume(session: Session, run: str, engine: str, log_format: str) -> None:
    """Go on with RUN where it stood when it was interrupted.

    It asks the domains nothing again that they have answered, spends no budget twice,
    and ends with the very model that it would have made.

    Example: fl runs resume 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    with (
        suggesting(run, lambda: (r.run for r in mesh.runs)),
        session.progress(log_format) as listener,
    ):
        made = mesh.resume(run, engine=engine, listener=listener)
    # scikit-learn is slow to import, and help must not wait for it.
    from fl_plugin.cli import records  # noqa: PLC0415

    session.answer(records.run_facts(made.entry), records.run_shown(made.entry))


@runs.command()
@click.argument("run")
@verb
def stop(session: Session, run: str) -> None:
    """End an interrupted RUN for good.

    The domains forget what they kept of it.

    Example: fl runs stop 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    with suggesting(run, lambda: (r.run for r in mesh.runs)):
        found = mesh.stop(run)
    session.answer(asdict(found), [f"{run} is stopped."])
