"""What the open runs were asked, so that they go on after a crash.

A message is kept in the transaction of the record that accounts for its answer: after
a kill there are both or neither, and without them nothing has left. A run's messages,
and the secret that its draws come from, go when it closes; SQLite overwrites them.
Large messages lie in files (`bodies`). Each message and each run carries a digest:
a bit that flips in it is told before anything is done with it.
"""

import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fl_plugin.errors import StorageError
from fl_plugin.ledger.bodies import Bodies, lost, opened, sealed
from fl_plugin.ledger.record import AuditRecord, Head, read_record

LARGE = 2**12  # bytes; a larger message lies in a file: no ledger shrinks again
_SIZE = struct.Struct("<Q")  # of the question, before it
_DIGEST = hashlib.sha256().digest_size

SCHEMA = """
create table open_run (
    run text primary key, caller text not null, secret blob not null,
    facts text not null, at text not null
);
create table run_message (
    run text not null, round integer not null, body blob, at integer, size integer,
    sequence integer not null, hash text not null, primary key (run, round)
);
"""


@dataclass(frozen=True, kw_only=True)
class OpenRun:
    """A run that was opened here and is not closed.

    Args:
        run: Its id.
        caller: The consumer that opened it.
        secret: 32 bytes that all its draws come from.
        facts: What it was opened on, as JSON.
        at: When, in UTC; empty before it is kept.
        damaged: Whether it is not what was kept: it can only be forgotten.
        row: Its place in the ledger, also where its id is damaged.
    """

    run: str
    caller: str
    secret: bytes = field(repr=False)
    facts: str
    at: str = ""
    damaged: bool = False
    row: int = 0


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A message that was answered.

    Args:
        ask: Its bytes.
        head: The ledger's head that went out with the answer.
        made: What libraries drew by themselves for the answer (`privacy.made`).
        released: Digest of what left with it, as it is on record.
    """

    ask: bytes = field(repr=False)
    head: Head
    made: bytes = field(default=b"", repr=False)
    released: str | None = None


def open_run(connection: sqlite3.Connection, run: OpenRun, at: str) -> None:
    """Keep a run; what was kept of an earlier opening of it goes."""
    close_run(connection, run.run)
    connection.execute(
        "insert into open_run values (?, ?, ?, ?, ?)",
        (run.run, run.caller, run.secret, f"{run.facts}\n{_digest(run, at)}", at),
    )


def keep_message(
    connection: sqlite3.Connection, bodies: Bodies, run: str, number: int, kept: Kept
) -> None:
    """Keep a message of a run that is kept.

    Raises:
        StorageError: It is a large one, and the disk refused.
    """
    known = find_run(connection, run)
    if known is None:
        return
    whole = _SIZE.pack(len(kept.ask)) + kept.ask + kept.made
    body: bytes | None = hashlib.sha256(whole).digest() + whole
    at = size = None
    if len(whole) > LARGE:
        data = sealed(known.secret, run, number, whole)
        (at,) = connection.execute(
            "select coalesce(max(at + size), 0) from run_message where run = ?", (run,)
        ).fetchone()
        bodies.put(run, at, data)
        body, size = None, len(data)
    connection.execute(
        "insert into run_message values (?, ?, ?, ?, ?, ?, ?)",
        (run, number, body, at, size, *kept.head),
    )


def close_run(connection: sqlite3.Connection, run: str) -> None:
    """Forget a run, if it is kept."""
    connection.execute("delete from open_run where run = ?", (run,))
    _sweep(connection)


def forget_run(connection: sqlite3.Connection, run: OpenRun) -> None:
    """Forget a run as it was found, be it damaged."""
    connection.execute("delete from open_run where rowid = ?", (run.row,))
    _sweep(connection)


def find_run(connection: sqlite3.Connection, run: str) -> OpenRun | None:
    """Return what is kept of a run; None where it is not open.

    Raises:
        StorageError: It is damaged.
    """
    row = connection.execute(f"{_RUNS} where run = ?", (run,)).fetchone()
    found = None if row is None else _run_of(row)
    if found is not None and found.damaged:
        raise lost(run)
    return found


def find_runs(connection: sqlite3.Connection) -> tuple[OpenRun, ...]:
    """Return all open runs, the oldest first."""
    if not _known(connection):
        return ()
    rows = connection.execute(f"{_RUNS} order by at, run")
    return tuple(_run_of(row) for row in rows)


def rounds_of(connection: sqlite3.Connection, run: str) -> tuple[int, ...]:
    """Return the rounds of a run's messages in their order."""
    rows = connection.execute(
        "select round from run_message where run = ? order by round", (run,)
    )
    return tuple(number for (number,) in rows)


def message_of(
    connection: sqlite3.Connection, bodies: Bodies, run: OpenRun, number: int
) -> Kept:
    """Return the message of one round.

    Raises:
        StorageError: It is not there as it was written.
        LedgerError: Its record was altered.
    """
    row = connection.execute(
        f"{_MESSAGES} where m.run = ? and m.round = ?", (run.run, number)
    ).fetchone()
    if row is None:  # another process has closed the run meanwhile
        raise lost(run.run)
    record, whole = _recorded(row)
    if whole is None:
        at, size = row[2:4]
        whole = opened(run.secret, run.run, number, bodies.get(run.run, at, size))
    (length,) = _SIZE.unpack_from(whole)
    end = _SIZE.size + length
    return Kept(
        ask=whole[_SIZE.size : end],
        made=whole[end:],
        head=record.head,
        released=record.released,
    )


def unsound(connection: sqlite3.Connection) -> Iterator[object]:
    """Yield where a run, or a message in the ledger itself, is not what was kept.

    A place is the sequence of a message's record; of a run, 0.
    """
    runs = find_runs(connection)
    yield from (0 for run in runs if run.damaged)
    names = {run.run for run in runs}
    for row in connection.execute(f"{_MESSAGES} order by m.sequence"):
        try:
            _recorded(row)
        except StorageError:
            yield row[4]
        else:
            if row[0] not in names:
                yield row[4]


def _known(connection: sqlite3.Connection) -> bool:
    """Return whether the ledger is of a version that keeps runs."""
    found = connection.execute("select 1 from sqlite_master where name = 'open_run'")
    return found.fetchone() is not None


# As bytes: what is damaged may not be text, or anything, any more.
_RUNS = (
    "select coalesce(cast(run as blob), x''), coalesce(cast(caller as blob), x''),"
    " coalesce(cast(secret as blob), x''), coalesce(cast(facts as blob), x''),"
    " coalesce(cast(at as blob), x''), rowid from open_run"
)
_MESSAGES = (
    "select m.run, cast(m.body as blob), cast(m.at as integer),"
    " cast(m.size as integer), m.sequence, m.hash, a.sequence, a.body, a.hash"
    " from run_message m left join audit a on a.sequence = m.sequence"
)


def _run_of(row: tuple[Any, ...]) -> OpenRun:
    *words, place = row
    run, caller, _, told, at = (word.decode(errors="replace") for word in words)
    facts, _, digest = told.partition("\n")
    found = OpenRun(
        run=run, caller=caller, secret=words[2], facts=facts, at=at, row=place
    )
    return replace(found, damaged=digest != _digest(found, at))


def _recorded(row: tuple[Any, ...]) -> tuple[AuditRecord, bytes | None]:
    """Return a message's record, and its bytes where they do not lie in a file.

    Raises:
        StorageError: They do not belong together, or are not what was written.
        LedgerError: The record was altered.
    """
    run, body, _, _, _, name, *found = row
    if found[0] is None:
        raise lost(run)
    record = read_record(*found)
    if (record.run, record.hash) != (run, name):
        raise lost(run)
    if body is None:
        return record, None
    digest, whole = body[:_DIGEST], body[_DIGEST:]
    if hashlib.sha256(whole).digest() != digest:
        raise lost(run)
    return record, whole


def _sweep(connection: sqlite3.Connection) -> None:
    """Remove the messages of no run."""
    connection.execute(
        "delete from run_message where not exists"
        " (select 1 from open_run where open_run.run = run_message.run)"
    )


def _digest(run: OpenRun, at: str) -> str:
    words = [run.run, run.caller, run.secret.hex(), run.facts, at]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()
