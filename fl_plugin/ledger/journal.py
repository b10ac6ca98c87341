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
from dataclasses import dataclass, field, replace

from fl_plugin.ledger.bodies import Bodies, lost, opened, sealed
from fl_plugin.ledger.record import Head

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
    """

    run: str
    caller: str
    secret: bytes = field(repr=False)
    facts: str
    at: str = ""
    damaged: bool = False


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
    connection.execute("delete from run_message where run = ?", (run,))
    connection.execute("delete from open_run where run = ?", (run,))


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
    """
    row = connection.execute(
        "select m.body, m.at, m.size, m.sequence, m.hash, a.body from run_message m "
        "join audit a on a.sequence = m.sequence where m.run = ? and m.round = ?",
        (run.run, number),
    ).fetchone()
    if row is None:  # another process has closed the run meanwhile
        raise lost(run.run)
    body, at, size, sequence, name, record = row
    if body is None:
        data = bodies.get(run.run, at, size)
        body = opened(run.secret, run.run, number, data)
    else:
        digest, body = body[:_DIGEST], body[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            raise lost(run.run)
    (length,) = _SIZE.unpack_from(body)
    end = _SIZE.size + length
    return Kept(
        ask=body[_SIZE.size : end],
        made=body[end:],
        head=Head(sequence, name),
        released=json.loads(record).get("released"),
    )


def _known(connection: sqlite3.Connection) -> bool:
    """Return whether the ledger is of a version that keeps runs."""
    found = connection.execute("select 1 from sqlite_master where name = 'open_run'")
    return found.fetchone() is not None


# As bytes: what is damaged may not be text any more.
_RUNS = (
    "select cast(run as blob), cast(caller as blob), cast(secret as blob),"
    " cast(facts as blob), cast(at as blob) from open_run"
)


def _run_of(row: tuple[bytes, bytes, bytes, bytes, bytes]) -> OpenRun:
    run, caller, told, at = (row[n].decode(errors="replace") for n in (0, 1, 3, 4))
    facts, _, digest = told.partition("\n")
    found = OpenRun(run=run, caller=caller, secret=row[2], facts=facts, at=at)
    return replace(found, damaged=digest != _digest(found, at))


def _digest(run: OpenRun, at: str) -> str:
    words = [run.run, run.caller, run.secret.hex(), run.facts, at]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()
