"""Opening and creating the SQLite file of a ledger, and naming what goes wrong.

WAL needs a local disk: the ledger does not belong on a network share.
"""

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.files import sync
from fl_plugin.ledger.journal import SCHEMA as JOURNAL
from fl_plugin.ledger.profiles import SCHEMA as PROFILES

SCHEMA_VERSION = 3
# What a ledger of an earlier version lacks; each runs once, when it is next written.
_ADDED = {1: PROFILES, 2: JOURNAL}

_SCHEMA = """
create table ledger_schema (version integer not null);
create table audit (
    sequence integer primary key, body text not null, hash text not null
);
create table spend (
    sequence integer primary key, at text not null, consumer text not null,
    purpose text not null, product text not null, nano integer not null
);
create index spend_by_budget on spend (consumer, purpose, product);
create table grant_use (sequence integer not null, name text not null);
create index grant_use_by_name on grant_use (name);
create table cohort (
    product text not null, digest text not null, size integer not null,
    hashes blob not null, used integer not null, primary key (product, digest)
);
"""

# SQLite's primary result codes (sqlite.org/rescode.html): what happened, what to do.
_CAUSES = {
    sqlite3.SQLITE_BUSY: (
        "is locked by another process",
        "Wait for the other run of this domain to end, then try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "Give this user the right to write the ledger's folder and files.",
    ),
    sqlite3.SQLITE_FULL: (
        "could not grow: the disk is full",
        "Free some space, then try again; nothing half-written was kept.",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: its disk fails or is full",
        "Free some space and check the disk, then try again.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Keep the file as evidence and restore the domain's last backup of it.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "is not a ledger",
        "Keep the file as evidence and restore the domain's last backup of it.",
    ),
}
_CAUSES[sqlite3.SQLITE_CONSTRAINT] = (
    "has an answer to this message from another process",
    "Let one process at a time answer for the domain, then resume the run.",
)
_CAUSES[sqlite3.SQLITE_LOCKED] = _CAUSES[sqlite3.SQLITE_BUSY]
_OTHER = (
    "cannot be opened or read",
    "Check that the file and its folder exist on a local disk and belong to this user.",
)


# Over a damaged schema, Python fails to decode SQLite's own message about it.
STORAGE_FAULTS = (sqlite3.Error, UnicodeDecodeError)


def has_its_columns(connection: sqlite3.Connection) -> bool:
    """Return whether each table still has the columns that it was made with.

    Their types may differ, and one of a later version may be missing.
    """
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript("".join((_SCHEMA, *_ADDED.values())))
        wanted = _columns(made)
    return all(
        wanted.get(table, names) == names
        for table, names in _columns(connection).items()
    )


def _columns(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    tables = connection.execute("select name from sqlite_master where type = 'table'")
    return {
        table: tuple(
            name
            for (name,) in connection.execute(
                "select name from pragma_table_info(?)", (table,)
            )
        )
        for (table,) in tables.fetchall()
    }


def ledger_name(path: Path) -> str:
    """Return the end of a path: it names the domain and hides the host's folders."""
    return "/".join(path.absolute().parts[-3:])


def storage_error(error: Exception, path: Path) -> StorageError:
    """Turn an error out of `STORAGE_FAULTS` into ours; its text may quote a value."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is detail
    if isinstance(error, UnicodeDecodeError):
        code = sqlite3.SQLITE_CORRUPT
    problem, remedy = _CAUSES.get(code, _OTHER)
    return StorageError(f"The ledger {ledger_name(path)} {problem}.", remedy=remedy)


def connect(path: Path, *, write: bool, busy_seconds: float) -> sqlite3.Connection:
    """Open a ledger's file; create it first where it is missing and may be written.

    Raises:
        StorageError: If it is missing, not a ledger, from a later version, or cannot
            be opened.
    """
    try:
        if write and not path.exists():
            _create(path)
        _check_file(path)
        return _connect(path, write=write, busy_seconds=busy_seconds)
    except STORAGE_FAULTS as error:
        raise storage_error(error, path) from None
    except OSError:
        problem, remedy = _OTHER
        raise StorageError(
            f"The ledger {ledger_name(path)} {problem}.", remedy=remedy
        ) from None


def _check_file(path: Path) -> None:
    name = ledger_name(path)
    if path.is_dir():
        raise StorageError(
            f"The ledger {name} is a folder, not a file.",
            remedy="Move it away and restore the domain's last backup of the ledger.",
        )
    if not path.is_file():
        raise StorageError(
            f"There is no ledger {name}.",
            remedy="A domain's first run writes it: run `fl train` for a study.",
        )
    # A new ledger appears whole, so an empty file is one whose history was lost.
    if path.stat().st_size == 0:
        raise StorageError(
            f"The ledger {name} is empty.",
            remedy="Restore the domain's last backup of it.",
        )


def _create(path: Path) -> None:
    """Write a new ledger aside and link it into place; the first of several wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.new-")
    os.close(handle)  # mkstemp gives 0600, and SQLite's side files inherit it
    try:
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("pragma synchronous = full")
            connection.executescript(_SCHEMA + PROFILES + JOURNAL)
            connection.execute(
                "insert into ledger_schema values (?)", (SCHEMA_VERSION,)
            )
            # Last, so that all of it lies in the file itself: what a full disk kept in
            # a write-ahead log would stay behind under the old name, and no error say
            # so.
            connection.execute("pragma journal_mode = wal")
        with suppress(FileExistsError):  # another process was first: its ledger stands
            os.link(aside, path)
            sync(path.parent)
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            Path(aside + end).unlink(missing_ok=True)


def _connect(path: Path, *, write: bool, busy_seconds: float) -> sqlite3.Connection:
    # mode=rw, never rwc: a file that vanishes meanwhile is not made anew, unchained.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.text_factory = _text
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma synchronous = full")
        # What is deleted holds secrets of runs.
        connection.execute("pragma secure_delete = on")
        found = _check_schema(connection, path)
        if not write:
            connection.execute("pragma query_only = on")
        elif found != SCHEMA_VERSION:
            _upgrade(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _text(raw: bytes) -> str:
    # Text that is not UTF-8 must reach the verification instead of failing here.
    return raw.decode("utf-8", "surrogateescape")


def _check_schema(connection: sqlite3.Connection, path: Path) -> int:
    known = connection.execute(
        "select count(*) from sqlite_master where name = 'ledger_schema'"
    ).fetchone()
    if known == (0,):
        raise StorageError(
            f"The file {ledger_name(path)} is a database but not a ledger.",
            remedy="Point to the domain's ledger/ledger.sqlite.",
        )
    versions = connection.execute("select version from ledger_schema").fetchall()
    if versions not in ([(version,)] for version in (*_ADDED, SCHEMA_VERSION)):
        raise StorageError(
            f"The ledger {ledger_name(path)} is of a version that this program "
            "does not know.",
            remedy="Use the version of this program that wrote it, or a later one.",
        )
    return int(versions[0][0])


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a ledger to today's schema, whole or not at all; the audit stays as is."""
    connection.execute("begin immediate")
    try:
        # Read again under the lock: another process may have been first.
        (version,) = connection.execute("select version from ledger_schema").fetchone()
        for earlier in range(version, SCHEMA_VERSION):
            for statement in _ADDED[earlier].split(";"):
                connection.execute(statement)
        connection.execute("update ledger_schema set version = ?", (SCHEMA_VERSION,))
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")
