"""`fl runs`: which runs there are, how they stand, and how to go on with one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.log import logged
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.train import go_on, interrupted
from fl_plugin.errors import UsageError

if TYPE_CHECKING:  # help must not wait for what a run needs
    from fl_plugin import Mesh
    from fl_plugin.mesh.rounds import Round
    from fl_plugin.mesh.running import RunState


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
@click.argument("run", required=False, default="")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    metavar="N",
    help="Only the newest N rounds, for people; --json has all.",
)
@verb
def show(session: Session, run: str, last: int) -> None:
    """Print how RUN stands and what each of its rounds cost.

    The newest run unless one is named.

    Also of a run that another process is carrying out. A domain is absent from a round
    that it has not answered before the deadline.

    Example: fl runs show 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    run = run or newest(mesh)
    with suggesting(run, lambda: (r.run for r in mesh.runs)):
        found = mesh.run_state(run)
    rounds = mesh.run_rounds(run)
    total = _total(rounds)
    facts = {**asdict(found), "total": total, "rounds": [asdict(r) for r in rounds]}
    session.answer(facts, [_standing(found, total), *_rounds(rounds[-last:], total)])


def newest(mesh: "Mesh") -> str:
    """Return the newest run.

    Raises:
        UsageError: There is none yet.
    """
    for state in mesh.runs:
        return state.run
    raise UsageError("No run yet.", remedy="Begin one: fl train STUDY")


def _total(rounds: "Sequence[Round]") -> dict[str, Any]:
    return {
        "rounds": len(rounds),
        "seconds": round(sum(r.seconds for r in rounds), 4),
        "down": sum(r.down for r in rounds),
        "up": sum(r.up for r in rounds),
        "absent": sorted({name for r in rounds for name in r.absent}),
    }


def _standing(found: "RunState", total: Mapping[str, Any]) -> Table:
    goes_on = found.standing == "interrupted"
    rows: list[tuple[str, str]] = [
        ("run", found.run),
        ("study", found.study),
        ("stands", found.standing),
        ("problem", found.problem),
        ("whose fault", found.fault),
        ("to go on", f"fl runs resume {found.run}" if goes_on else ""),
        ("model", f"v{found.version}" if found.version else ""),
        ("engine", found.engine),
        ("started by", found.actor),
        ("started (UTC)", found.started[:19]),
        ("changed (UTC)", found.changed[:19]),
        ("absent", ", ".join(total["absent"])),
    ]
    return Table(rows=tuple(row for row in rows if row[1]))


def _rounds(rounds: "Sequence[Round]", total: Mapping[str, Any]) -> list[Table]:
    if not rounds:
        return []
    left_out = total["rounds"] - len(rounds)
    rows = [
        (r.round, r.kind, r.seconds, r.down, r.up, ", ".join(r.absent)) for r in rounds
    ]
    count = f"all {total['rounds']}"
    whole = (count, "", total["seconds"], total["down"], total["up"], "")
    return [
        Table(
            title=f"Rounds, without the first {left_out}" if left_out else "Rounds",
            columns=("round", "kind", "seconds", "bytes down", "bytes up", "absent"),
            rows=(*rows, whole),
        )
    ]


@runs.command()
@click.argument("run", required=False, default="")
@click.option("--engine", default="", metavar="NAME", help="Another engine.")
@logged
@verb
def resume(session: Session, run: str, engine: str) -> None:
    """Go on with RUN where it stood when it was interrupted.

    The newest that was interrupted unless one is named. It asks the domains nothing
    again that they have answered, spends no budget twice, and ends with the very model
    that it would have made.

    Example: fl runs resume 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    run = run or interrupted(mesh)
    with suggesting(run, lambda: (r.run for r in mesh.runs)):
        go_on(session, run, engine)


@runs.command()
@click.argument("run")
@verb
def stop(session: Session, run: str) -> None:
    """End an interrupted RUN for good.

    The domains forget what they kept of it; who cannot be told now is named.

    Example: fl runs stop 20261121t101500-credit_risk-1f2e3d4c
    """
    mesh = session.mesh
    with suggesting(run, lambda: (r.run for r in mesh.runs)):
        found = mesh.stop(run)
    told = [f"{run} is stopped.", *filter(None, [found.problem])]
    session.answer(asdict(found), told)
