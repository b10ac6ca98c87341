"""`fl access keygen` and `pin`: keys to sign with, and whose keys count."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.access.pinning import Pinned


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@verb
def keygen(session: Session, file: Path) -> None:
    """Make a key to sign with and write it to FILE.

    Only its owner may read the file; a key is never overwritten. What is printed is the
    public half, for principals.yml.

    Example: fl access keygen steward.pem
    """
    from fl_plugin.signing.keys import create_key  # noqa: PLC0415 slow to import

    public = create_key(file).public
    shown: list[Shown] = [
        f'key: "{public}"',
        "Next: put this line under your address in principals.yml; each domain then "
        "looks at it: fl access pin DOMAIN",
        f"Keep {file} to yourself, and out of the repository.",
    ]
    session.answer({"public": public, "file": str(file)}, shown)


@click.command()
@click.argument("domain")
@click.option("--dry-run", is_flag=True, help="Show what changed and write nothing.")
@verb
def pin(session: Session, domain: str, *, dry_run: bool) -> None:
    """Pin principals.yml in DOMAIN's node.yml.

    What has changed since the domain looked at it last is shown first. Until it is
    pinned, nobody in the new file is known to the domain.

    Example: fl access pin consumer_banking --dry-run
    """
    found = session.mesh.access.pin(domain, write=not dry_run)
    session.answer(asdict(found), _shown(found))


def _shown(found: "Pinned") -> list[Shown]:
    if found.before == found.now:
        return [f"{found.domain} has pinned this principals.yml: {found.now}"]
    rows = tuple((c.what, c.name, c.before, c.after) for c in found.changes)
    shown: list[Shown] = []
    if not found.known:
        shown.append(
            f"The file that {found.domain} has pinned is not in git's history here: "
            "everything in the new one is shown."
        )
    if rows:
        columns = ("what", "name", "before", "now")
        shown.append(Table(columns=columns, rows=rows))
    else:
        shown.append("Nobody and no key has changed: only the text has.")
    facts: list[tuple[str, Any]] = [
        ("before", found.before or "the domain's own list of consumers"),
        ("now", found.now),
    ]
    shown.append(Table(rows=tuple(facts)))
    if found.written:
        return [*shown, f"Next: review and commit {found.file}"]
    return [*shown, f"Nothing was written. To pin it: fl access pin {found.domain}"]
