"""`fl audit`: what the domains' ledgers say, and whether they still hold."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

import fl_plugin
from fl_plugin.cli.lazy import LazyGroup
from fl_plugin.cli.naming import suggesting
from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import LedgerError, StorageError


@click.group(cls=LazyGroup, verbs={"head": "fl_plugin.cli.audit_head"})
def audit() -> None:
    """Read the domains' ledgers, check them, or hand them on.

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
@click.option(
    "--head",
    "heads",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="A signed head that was kept elsewhere; see `fl audit head`.",
)
@verb
def verify(session: Session, domain: str | None, heads: tuple[Path, ...]) -> None:
    """Check the ledgers, also against the models' records.

    The chain shows edits. A ledger that was cut or rewritten is whole in itself: that
    shows in the heads that registered models keep. The exit code is 7 when one fails.

    Example: fl audit verify --domain consumer_banking
    """
    mesh = session.mesh
    with suggesting(domain or "", lambda: _domains(mesh)):
        names = [domain] if domain else _domains(mesh)
        found = [_verified(mesh, name, heads) for name in names]
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


def _instant(
    _context: click.Context, _option: click.Parameter, word: str | None
) -> datetime | None:
    if word is None:
        return None
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        raise click.BadParameter("write it like 2026-11-02 or 2026-11-02T08:00Z") from (
            None
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@audit.command()
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "openlineage"]),
    default="jsonl",
    show_default=True,
    help="Records as they are, or run events for a lineage tool.",
)
@click.option(
    "--since",
    callback=_instant,
    metavar="TIME",
    help="From this day or time on; UTC unless it says otherwise.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write here, whole or not at all, instead of printing.",
)
@verb
def export(
    session: Session,
    form: Literal["jsonl", "openlineage"],
    output: Path | None,
    domain: str | None,
    since: datetime | None,
) -> None:
    """Write the audit for other tools, one JSON object a line.

    Refusals are exported as everything else. A ledger that does not hold is not: the
    exit code is 7.

    Example: fl audit export --format openlineage --since 2026-11-01
    """
    from fl_plugin.ledger import write_lines  # noqa: PLC0415 numpy is slow to import

    mesh = session.mesh
    with suggesting(domain or "", lambda: _domains(mesh)):
        lines = _lines(mesh, form, domain, since)
    if output is not None:
        write_lines(lines, output)
        facts = {"format": form, "lines": len(lines), "output": output}
        session.answer(
            facts, [Table(rows=tuple((k, str(v)) for k, v in facts.items()))]
        )
    elif session.as_json:
        session.answer({"format": form, "lines": [json.loads(n) for n in lines]}, [])
    else:
        for line in lines:
            click.echo(line)


def _lines(
    mesh: "fl_plugin.Mesh",
    form: Literal["jsonl", "openlineage"],
    domain: str | None,
    since: datetime | None,
) -> list[str]:
    """Return the lines to hand on.

    Raises:
        LedgerError: A ledger is broken; what it says is no evidence.
    """
    from fl_plugin import ledger  # noqa: PLC0415 as above

    for name, found in mesh.verify(domain).items():
        if not found.ok:
            raise _broken({"domain": name, "problem": found.problem})
    records = mesh.audit(domain)
    if form == "openlineage":
        return list(ledger.event_lines(ledger.run_events(records, since=since)))
    return list(ledger.domain_lines(records, since=since))


def _verified(
    mesh: "fl_plugin.Mesh", domain: str, heads: tuple[Path, ...]
) -> dict[str, Any]:
    """Return what was found in one domain; a ledger that cannot be read is broken."""
    models = sum(domain in entry.run.audit_heads for entry in mesh.models.entries)
    facts = {"domain": domain, "records": 0, "models": models, "head": None}
    try:
        found = mesh.verify(domain, heads=heads).get(domain)
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
