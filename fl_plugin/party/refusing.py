"""A party's no: on record in its own ledger, and in words to whoever asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.messages import Message, Refusal
from fl_plugin.party.entries import failed
from fl_plugin.policy.types import Request


def refusal_of(party: str, ask: Message | None, error: MeshError) -> Refusal:
    """Return the message that says why something was not done."""
    return Refusal(
        kind=ask.kind if ask else "unknown",
        run=ask.run if ask else "unknown",
        round=ask.round if ask else 0,
        party=party,
        body={
            "code": error.code,
            "exit_code": error.exit_code,
            "problem": error.problem,
            "remedy": error.remedy,
            "reason": getattr(error, "reason", error.code),
        },
    )


@contextmanager
def hidden_folders(folder: Path) -> Iterator[None]:
    """Take the host's folders out of the words of an error: they are nobody else's.

    A file within the mesh is named from the mesh's own folder on, such as
    `domains/birch/node.yml`: the domain's own people find it.

    Args:
        folder: The domain's, `domains/<domain>`.
    """
    try:
        yield
    except MeshError as error:
        for place in (folder.absolute(), folder.resolve(), folder):
            mesh = str(place.parent.parent)
            if len(mesh) > 1:  # "." and "/" tell nothing
                error.problem = _without(error.problem, mesh)
                error.remedy = _without(error.remedy, mesh)
        error.args = (error.problem,)
        raise


def _without(words: str, mesh: str) -> str:
    return words.replace(f"{mesh}/", "").replace(mesh, "the mesh's folder")


def note_failure(
    ledger: Ledger, ask: Message, request: Request, error: MeshError
) -> None:
    """Put on record that the domain stopped, and why; a decision is there already."""
    entry = failed(ask, request, getattr(error, "reason", error.code))
    if not (isinstance(error, PolicyError) and _is_last(ledger, entry)):
        ledger.append(entry)


def _is_last(ledger: Ledger, entry: AuditEntry) -> bool:
    """Return whether the newest record of the run is this refusal."""
    newest = ledger.show(run=entry.run, last=1)
    return [(r.action, r.rule) for r in newest] == [(entry.action, entry.rule)]
