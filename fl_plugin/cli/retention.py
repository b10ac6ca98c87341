"""`fl retention`: what a mesh has written goes when its time is over."""

import click

from fl_plugin.cli.screen import Table
from fl_plugin.cli.session import Session, verb
from fl_plugin.cli.text import one_line
from fl_plugin.errors import StorageError


@click.group()
def retention() -> None:
    """Remove what has been kept for long enough.

    Example: fl retention apply --dry-run
    """


@retention.command()
@click.option("--domain", metavar="NAME", help="What is this domain's, and its models.")
@click.option("--dry-run", is_flag=True, help="Show what would go; remove nothing.")
@verb
def apply(session: Session, domain: str | None, *, dry_run: bool) -> None:
    """Remove models, drafts, logs and events whose time is over.

    A model goes by the strictest retention_days of the products it was trained on;
    a tombstone stays, and its version is never used again. How long the rest is kept
    stands in retention.yml. Each removal is recorded in the ledgers of the domains
    concerned, and the ledgers themselves stay whole. The exit code is 6 when something
    could not be judged or removed.

    Example: fl retention apply --dry-run
    """
    area = session.mesh.retention
    found = area.apply(domain, dry_run=dry_run)
    table = Table(
        title="Would go" if dry_run else "Gone",
        columns=("kind", "what", "why", "recorded by"),
        rows=tuple(
            (e.kind, str(e.path), e.why, ", ".join(e.domains) or None)
            for e in found.expired
        ),
    )
    problems = {name: str(error) for name, error in sorted(found.problems.items())}
    if not session.as_json:
        for name, problem in problems.items():
            click.echo(one_line(f"still there: {name}: {problem}"), err=True)
    facts = {"dry_run": dry_run, "expired": found.expired, "problems": problems}
    failure = StorageError(
        f"{len(problems)} things could not be judged or removed.",
        remedy="Mend what is said of each, then run the command again.",
    )
    shown = [table] if found.expired else ["Nothing is over."]
    session.answer(facts, shown, failure if problems else None)
