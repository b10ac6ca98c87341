"""`fl access check`: what CI runs over the grants."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.errors import PolicyError

if TYPE_CHECKING:
    from fl_plugin.access.checking import Broken, Checked


@click.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option(
    "--base",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="MANIFEST",
    help="A manifest.json of before: finds what was edited after its approval.",
)
@verb
def check(session: Session, domain: str | None, base: Path | None) -> None:
    """Check every grant against the rules.

    Approved by enough stewards and not by whoever asked, for the policy as it is, no
    wider and no longer than the contract allows, signed where the domain requires it.
    A request is no error. The exit code is 3 when a grant breaks a rule. Run `dbt
    parse` in each domain first.

    Example: fl access check --base main/manifest.json
    """
    found = session.mesh.access.check(domain, base)
    columns = ("domain", "grant", "reason", "sentence")
    rows = tuple((b.domain, b.grant, b.reason, b.sentence) for b in found.broken)
    counted = f"{found.grants} grant{'' if found.grants == 1 else 's'}"
    where = f"{len(found.domains)} domain{'' if len(found.domains) == 1 else 's'}"
    shown = [
        Table(columns=columns, rows=rows)
        if rows
        else f"{counted} of {where} looked at; none breaks a rule."
    ]
    facts = {"ok": not rows, **asdict(found)}
    session.answer(facts, shown, _failure(found))


def _failure(found: "Checked") -> PolicyError | None:
    if not found.broken:
        return None
    first: Broken = found.broken[0]
    more = len(found.broken) - 1
    others = f" And {more} more." if more else ""
    return PolicyError(
        f"{first.sentence}{others}",
        remedy=first.remedy,
        reason=first.reason,
        domain=first.domain,
    )
