"""What the books of a mesh's domains must say, whatever has happened to a run."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from fl_plugin.ledger.chain import verify
from fl_plugin.ledger.record import AuditRecord
from fl_plugin.ledger.store import Ledger


def books(root: Path) -> Iterator[Ledger]:
    """Open one domain's ledger after the other; the chain of each is whole."""
    for path in sorted(root.glob("domains/*/ledger/ledger.sqlite")):
        with Ledger.open(path) as ledger:
            assert verify(ledger).ok, path
            yield ledger


def on_record_twice(
    records: Iterable[AuditRecord],
) -> list[tuple[str, str, int]]:
    """Return what a domain has on record more than once: action, rule and round."""
    rounds = Counter((r.action, r.rule, r.round) for r in records if r.round)
    return [event for event, times in rounds.items() if times > 1]
