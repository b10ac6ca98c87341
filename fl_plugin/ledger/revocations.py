"""Which approvals a domain has ended, asked before every release.

A ledger only grows, so what was found is kept with the record it was found up to, and
only what came after is read. Where that record is not what it was, as in another
ledger of the same path, all is read anew.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.ledger.record import GENESIS, Head, read_record

# In canonical JSON no value can hold these bytes: its quotes are escaped.
_REVOKE = '"action":"revoke"'


@dataclass(frozen=True)
class _Read:
    head: Head
    digests: frozenset[str]


_NOTHING = _Read(Head(0, GENESIS), frozenset())
_READ: dict[str, _Read] = {}


def revocations(connection: sqlite3.Connection, path: Path) -> frozenset[str]:
    """Return the digests of what was revoked.

    Raises:
        LedgerError: The record of a revocation was altered.
    """
    key = str(path)
    before = _READ.get(key, _NOTHING)
    if before.head.sequence and _hash_at(connection, before.head) != before.head.hash:
        before = _NOTHING
    last = connection.execute(
        "select sequence, hash from audit order by sequence desc limit 1"
    ).fetchone()
    if last is None or not isinstance(last[0], int):
        return before.digests
    rows = connection.execute(
        "select sequence, body, hash from audit"
        " where sequence > ? and instr(body, ?) > 0",
        (before.head.sequence, _REVOKE),
    ).fetchall()
    records = (read_record(*row) for row in rows)
    found = before.digests | {
        r.released for r in records if r.decision == "allowed" and r.released
    }
    _READ[key] = _Read(Head(last[0], str(last[1])), found)
    return found


def _hash_at(connection: sqlite3.Connection, head: Head) -> str | None:
    row = connection.execute(
        "select hash from audit where sequence = ?", (head.sequence,)
    ).fetchone()
    return row[0] if row else None
