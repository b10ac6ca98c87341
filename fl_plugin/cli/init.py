"""`fl init`: start a mesh."""

from pathlib import Path
from typing import Any

import click

from fl_plugin.cli.owning import team_from, team_options
from fl_plugin.cli.session import Session, verb


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Of the mesh; the folder's unless named.")
@click.option(
    "--purpose",
    "purposes",
    metavar="NAME",
    multiple=True,
    help="Why data may be used; repeatable. [default: research]",
)
@click.option(
    "--consumer",
    "consumers",
    metavar="NAME",
    multiple=True,
    help="A team that will use products; repeatable.",
)
@team_options
@verb
def init(
    session: Session,
    folder: Path,
    name: str | None,
    purposes: tuple[str, ...],
    consumers: tuple[str, ...],
    **said: Any,
) -> None:
    """Start a mesh in FOLDER, which must be new or empty.

    It has the common words, the macros that all domains share and the governance
    tables, and no domain yet.

    Example: fl init bank_mesh --purpose credit_risk --consumer ml_team
    """
    # Pydantic and jinja are slow to import, and help must not wait for them.
    from fl_plugin.scaffold.mesh import new_mesh  # noqa: PLC0415

    said["owner"] = said["owner"] or "Mesh governance"
    team = team_from("mesh", said)
    place = new_mesh(
        session.project / folder,
        name,
        purposes=purposes,
        consumers=consumers,
        team=team,
    )
    shown = [f"A mesh stands in {place}. Its README.md says how to go on."]
    if team.stand_ins:
        shown.append(
            "Addresses that you did not name are stand-ins: put yours into "
            "models/mesh_owner.yml and principals.yml."
        )
    step = "" if place == Path.cwd() else f"cd {folder}, then "
    shown.append(f"Next: {step}fl new domain NAME, then fl build")
    session.answer({"folder": place, "stand_ins": team.stand_ins}, shown)
