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
from fl_plugin.ledger.profiles import APPROVED, MEASURED
from fl_plugin.ledger.record import read_record

Flaw = tuple[int, str]  # sequence of the record that it shows at, and a sentence
_STRAY_PROFILE = "A profile, or its approval, does not belong to its record."


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
    """A profile is its record's; rows are what their digest names, where still kept."""
    for (
        sequence,
        hashes,
        size,
        digest,
        kept,
        product,
        version,
        *row,
    ) in connection.execute(
        "select p.sequence, p.hashes, p.size, p.rows_digest,"
        " p.body is not null or p.hashes is not null,"
        " p.product, p.version, p.digest, a.sequence, a.body, a.hash"
        " from profile p left join audit a on a.sequence = p.sequence"
        " order by p.sequence"
    ):
        named = row.pop(0)
        if _told(row) != (MEASURED, product, version, named):
            yield _place(sequence), _STRAY_PROFILE
        if kept:
            yield from _rows(hashes, size, digest, sequence)


def _approvals(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """An approval is its record's, and of a profile of the same digest."""
    for sequence, product, version, named, *row in connection.execute(
        "select q.sequence, q.product, q.version, p.digest,"
        " a.sequence, a.body, a.hash from profile_approval q"
        " left join profile p on p.sequence = q.profile"
        " left join audit a on a.sequence = q.sequence order by q.sequence"
    ):
        if _told(row) != (APPROVED, product, version, named):
            yield _place(sequence), _STRAY_PROFILE


def _runs(connection: sqlite3.Connection) -> Iterator[Flaw]:
    """Runs and messages are what was kept, each message with its record."""
    for sequence in unsound(connection):
        yield _place(sequence), "What is kept of an open run is not what was written."


def _rows(hashes: Any, size: Any, digest: Any, sequence: Any) -> Iterator[Flaw]:
    try:
        unpack(hashes, size=size, digest=digest)
    except LedgerError as error:
        yield _place(sequence), error.problem


def _told(row: list[Any]) -> tuple[object, ...]:
    """Return what the record of a profile says; nothing where there is none."""
    if row[0] is None:
        return ()
    record = read_record(*row)
    return record.action, record.product, record.version, record.released


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
    "profile_approval": _approvals,
    "run_message": _runs,
}
