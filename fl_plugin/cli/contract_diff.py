"""`fl contract diff`: what has changed in the contracts, and what that means."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fl_plugin.cli.screen import Shown, Table
from fl_plugin.cli.session import Session, verb

if TYPE_CHECKING:
    from fl_plugin.contracts.change import Change
    from fl_plugin.contracts.diff import ContractDiff

MANIFEST = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--base",
    type=MANIFEST,
    required=True,
    metavar="MANIFEST",
    help="manifest.json as it was: the mesh's, or one domain's.",
)
@click.option(
    "--head",
    type=MANIFEST,
    metavar="MANIFEST",
    help="As it would be; what dbt parsed last unless named.",
)
@click.option("--domain", metavar="NAME", help="This domain only.")
@click.option(
    "--author",
    "authors",
    multiple=True,
    metavar="ADDRESS",
    help="Who wrote the change; their own approval does not count. May be repeated.",
)
@verb
def diff(
    session: Session,
    base: Path,
    head: Path | None,
    domain: str | None,
    authors: tuple[str, ...],
) -> None:
    """List every change of a contract, with its verdict.

    Whom a change touches comes from studies and grants. The exit code is 2 where
    something is loosened and no steward's approval covers it, else 1 where something
    breaks its consumers, else 0. These are this verb's own: with --json an answer has a
    `verdict`, where a failure has an `error`.

    Example: fl contract diff --base base.json --domain consumer_banking
    """
    found = session.mesh.contracts.diff(base, head, domain=domain, authors=authors)
    facts = {
        "verdict": found.verdict,
        "exit_code": found.exit_code,
        "base": found.base,
        "head": found.head,
        "changes": found.changes,
        "notes": found.notes,
    }
    session.answer(facts, [*_shown(found)])
    click.get_current_context().exit(found.exit_code)


def _shown(found: "ContractDiff") -> list[Shown]:
    if not found.changes:
        return ["Nothing has changed in the contracts."]
    rows = tuple((_word(c), c.kind, c.where, c.sentence) for c in found.changes)
    shown: list[Shown] = [
        Table(columns=("verdict", "kind", "where", "what"), rows=rows)
    ]
    shown += _touched(found)
    shown += [f"Not counted: {note}" for note in found.notes]
    accepted = {c.accepted for c in found.changes if c.accepted}
    for one in sorted(accepted, key=lambda a: (a.at, a.by)):
        why = one.reason or "no reason given."
        told = f"Approved by {', '.join(one.by)} on {one.at}: {why}"
        shown.append(told)
    return [*shown, _summary(found)]


def _word(change: "Change") -> str:
    return "approved" if change.accepted else change.verdict


def _touched(found: "ContractDiff") -> list[Shown]:
    worse = [c for c in found.changes if c.verdict != "safe" or c.stops]
    touched = {(t.consumer, t.through, t.address) for c in worse for t in c.consumers}
    stops = sorted({name for change in found.changes for name in change.stops})
    shown: list[Shown] = []
    if touched:
        columns = ("consumer", "through", "address")
        rows = tuple(sorted(touched))
        shown.append(Table(title="Touched", columns=columns, rows=rows))
    if stops:
        shown.append(
            Table(
                title="Stops until stewards confirm it",
                columns=("grant",),
                rows=tuple((name,) for name in stops),
            )
        )
    return shown


def _summary(found: "ContractDiff") -> str:
    counts: dict[str, int] = {}
    for change in found.changes:
        counts[_word(change)] = counts.get(_word(change), 0) + 1
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    remedies: dict[str, str] = {
        "loosened": " Stewards approve it (fl contract approve), or it is taken back.",
        "breaking": " Put it into a new version and leave this one as it is.",
    }
    return f"{told}.{remedies.get(found.verdict, '')}"
