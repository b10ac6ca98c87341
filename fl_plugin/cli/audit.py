"""`fl audit`: what the domains' ledgers say, and whether they still hold."""

from typing import Any

import click

import fl_plugin
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import LedgerError, StorageError


@click.group()
def audit() -> None:
    """Read the domains' ledgers, or check them.

    Example: fl audit verify
    """


@audit.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option("--run", metavar="ID", help="This run only.")
@click.option("--study", metavar="NAME", help="This study only.")
@click.option(
    "--last",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="At most so many records of each domain.",
)
@verb
def show(session: Session, domain: str | None, last: int, **only: str | None) -> None:
    """Print what was decided, released or refused.

    The newest record is the last.

    Example: fl audit show --domain consumer_banking --last 5
    """
    mesh = session.mesh
    with suggesting(domain or "", lambda: _domains(mesh)):
        found = mesh.audit(domain, last=last, **only)
    tables = [
        Table(
            title=name,
            columns=("record", "at (UTC)", "action", "decision", "rule", "run"),
            rows=tuple(
                (r.sequence, r.at[:19], r.action, r.decision, r.rule, r.run)
                for r in records
            ),
        )
        for name, records in found.items()
        if records
    ]
    session.answer({"domains": found}, tables)
    if not tables and not session.as_json:
        click.echo("No record.", err=True)


@audit.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@verb
def verify(session: Session, domain: str | None) -> None:
    """Check the ledgers, also against the models' records.

    The chain shows edits. A ledger that was cut or rewritten is whole in itself: that
    shows in the heads that registered models keep. The exit code is 7 when one fails.

    Example: fl audit verify --domain consumer_banking
    """
    mesh = session.mesh
    with suggesting(domain or "", lambda: _domains(mesh)):
        names = [domain] if domain else _domains(mesh)
        found = [_verified(mesh, name) for name in names]
    columns = ("domain", "ledger", "records", "models", "problem")
    table = Table(
        columns=columns,
        rows=tuple(
            (*(f[c] for c in columns[:-1]), f["problem"] or None) for f in found
        ),
    )
    unreadable = mesh.models.problems
    if not session.as_json:
        for name, error in unreadable.items():
            click.echo(one_line(f"damaged: {name}: {error.problem}"), err=True)
    bad = next((f for f in found if f["ledger"] == "broken"), None)
    facts = {"ok": bad is None, "domains": found, "unreadable": sorted(unreadable)}
    session.answer(facts, [table], _broken(bad) if bad else None)


def _verified(mesh: "fl_plugin.Mesh", domain: str) -> dict[str, Any]:
    """Return what was found in one domain; a ledger that cannot be read is broken."""
    models = sum(domain in entry.run.audit_heads for entry in mesh.models.entries)
    facts = {"domain": domain, "records": 0, "models": models, "head": None}
    try:
        found = mesh.verify(domain).get(domain)
    except StorageError as error:
        return facts | {"ledger": "broken", "problem": error.problem}
    if found is None:
        return facts | {"ledger": "not begun", "problem": ""}
    return facts | {
        "ledger": "sound" if found.ok else "broken",
        "records": found.records,
        "first_bad": found.first_bad,
        "head": found.head,
        "problem": found.problem,
    }


def _broken(found: dict[str, Any]) -> LedgerError:
    return LedgerError(
        f"{found['domain']}: {found['problem']}",
        remedy="Keep the file as evidence and tell the domain's steward.",
    )


def _domains(mesh: "fl_plugin.Mesh") -> list[str]:
    return sorted(f.parent.name for f in (mesh.root / "domains").glob("*/node.yml"))
