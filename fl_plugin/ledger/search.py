"""Which records of an audit match what is asked for."""

import sqlite3
from collections.abc import Mapping
from itertools import islice

from fl_plugin.ledger.record import AuditRecord, read_record


def newest_matching(
    connection: sqlite3.Connection, asked: Mapping[str, str], last: int | None
) -> tuple[AuditRecord, ...]:
    """Return the records whose fields are as asked for, newest last.

    Args:
        connection: Of a ledger.
        asked: Field to value.
        last: How many at most, the newest; None for all.

    Raises:
        LedgerError: A record on the way was altered.
    """
    rows = connection.execute(
        "select sequence, body, hash from audit order by sequence desc"
    )
    matching = (
        record
        for record in (read_record(*row) for row in rows)
        if all(getattr(record, name) == value for name, value in asked.items())
    )
    return tuple(islice(matching, None if last is None else max(last, 0)))[::-1]
