"""`fl salt`: the secret that domains share before they match their rows."""

from pathlib import Path

import click

from fl_plugin.cli.listing import ListingGroup
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import UsageError


@click.group(cls=ListingGroup)
def salt() -> None:
    """Make the salt that domains match under, or take one over.

    Keys that somebody could try one after the other (customer numbers, birth dates)
    are matched only under a salt that the domains have and nobody else.

    Example: fl salt new bank shop telco
    """


@salt.command()
@click.argument("domains", nargs=-1)
@click.option(
    "--to",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file instead, to carry to another machine.",
)
@verb
def new(session: Session, domains: tuple[str, ...], file: Path | None) -> None:
    """Make a salt and give it to DOMAINS of this machine.

    Example: fl salt new bank shop telco

    Example: fl salt new --to common.salt
    """
    from fl_plugin.mesh import salts  # noqa: PLC0415 numpy is slow to import

    if bool(domains) == (file is not None):
        raise UsageError(
            "Name the domains that get the salt, or a file for it.",
            remedy="See: fl salt new --help",
        )
    made = salts.new_salt()
    if file is not None:
        salts.write_salt(file, made)
        written = [str(file)]
    else:
        root = session.mesh.root
        files = salts.give_salt(root, domains, made)
        written = [str(f.relative_to(root)) for f in files]
    session.answer({"written": written}, [])
    if not session.as_json:
        click.echo("\n".join(written))


@salt.command()
@click.argument("domain")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@verb
def take(session: Session, domain: str, file: Path) -> None:
    """Give DOMAIN the salt that FILE holds.

    Example: fl salt take telco common.salt
    """
    from fl_plugin.mesh import salts  # noqa: PLC0415 numpy is slow to import

    (written,) = salts.give_salt(session.mesh.root, [domain], salts.read_salt(file))
    shown = str(written.relative_to(session.mesh.root))
    session.answer({"written": [shown]}, [])
    if not session.as_json:
        click.echo(shown)
