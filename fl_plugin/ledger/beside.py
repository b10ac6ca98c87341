"""Whether what stands beside the chain still belongs to it.

Grants used, cohorts, profiles and open runs are kept in the transaction of a record
and are not in its hash. Each is held against its record, or a digest of its own.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from fl_plugin.errors import LedgerError
from fl_plugin.ledger.cohorts import unpack
from fl_plugin.ledger.journal import unsound
from fl_plugin.ledger.record import read_record

Flaw = tuple[int, str]  # sequence of the record that it shows at, and a sentence


def flaw_beside(connection: sqlite3.Connection) -> Flaw | None:
    """Return the first thing that does not belong to its record; None if all do.

    Args:
        connection: Of a ledger whose chain holds.
    """
    tables = {
        name
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'table'"
        )
    }
    looks = [look for table, look in _LOOKS.items() if table in tables]
    return next((flaw for look in looks for flaw in look(connection)), None)


def _grants(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """Each use belongs to the record of an opening, and no such record has two."""
    before = None
    for sequence, *row in connection.execute(
        "select g.sequence, a.sequence, a.body, a.hash from grant_use g"
        " left join audit a on a.sequence = g.sequence order by g.sequence"
    ):
        if sequence == before or not _is_opening(row):
            yield _place(sequence), "The use of a grant does not belong to its record."
        before = sequence


def _cohorts(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """Rows are what their digest names; the record is an opening of their product."""
    for product, digest, size, hashes, used, *row in connection.execute(
        "select c.product, c.digest, c.size, c.hashes, c.used,"
        " a.sequence, a.body, a.hash from cohort c"
        " left join audit a on a.sequence = c.used order by c.used"
    ):
        if not _is_opening(row, product):
            yield _place(used), f"A cohort of {product} does not belong to its record."
        yield from _rows(hashes, size, digest, used)


def _profiles(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """Rows are what their digest names, where they are still kept."""
    for hashes, size, digest, sequence in connection.execute(
        "select hashes, size, rows_digest, sequence from profile"
        " where body is not null or hashes is not null order by sequence"
    ):
        yield from _rows(hashes, size, digest, sequence)


def _runs(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """Runs and messages are what was kept, each message with its record."""
    for sequence in unsound(connection):
        yield _place(sequence), "What is kept of an open run is not what was written."


def _rows(hashes: Any, size: Any, digest: Any, sequence: Any) -> Iterator[Flaw]:
    try:
        unpack(hashes, size=size, digest=digest)
    except LedgerError as error:
        yield _place(sequence), error.problem


def _is_opening(row: list[Any], product: object = None) -> bool:
    if row[0] is None:
        return False
    record = read_record(*row)
    mine = product is None or record.product == product
    return mine and (record.action, record.decision) == ("open", "allowed")


def _place(sequence: Any) -> int:
    return sequence if isinstance(sequence, int) else 0


_LOOKS: dict[str, Callable[[sqlite3.Connection], Iterator[Flaw]]] = {
    "grant_use": _grants,
    "cohort": _cohorts,
    "profile": _profiles,
    "run_message": _runs,
}
