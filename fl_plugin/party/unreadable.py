"""Why a domain's database cannot be opened or read, in words, and what to do.

DuckDB's own text may quote a value, or a path of the host: it is looked at for what has
happened, and never shown.
"""

import os
import re
import stat
from pathlib import Path

import duckdb

from fl_plugin.errors import BuildError, MeshError, StorageError

_HOLDER = re.compile(r"held in (?P<program>.*?) ?\(PID (?P<process>\d+)\)")
_LOCKED = "Could not set lock"
# What DuckDB says of a file, and what that means.
_SAYINGS = (
    ("not a valid DuckDB database", "not"),
    ("external extensions", "not"),  # of another program, such as SQLite
    ("storage version number", "format"),
    ("ncrypt", "encrypted"),
    ("checksum", "damaged"),
    ("Corrupt", "damaged"),
    ("Could not read enough bytes", "damaged"),
    ("WAL file", "damaged"),
)
_DAMAGED = (
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)


def is_locked(error: duckdb.Error) -> bool:
    """Return whether another process holds the file: that may pass."""
    return _LOCKED in str(error)


def problem_with(path: Path, domain: str) -> MeshError | None:
    """Return what is wrong with a file before it is opened; None where nothing is."""
    build = f"cd domains/{domain} && dbt build"
    try:
        found = _looked_at(path)
    except (FileNotFoundError, NotADirectoryError):
        return BuildError(
            f"The database of {domain} does not exist.", remedy=f"Build it: {build}"
        )
    except OSError:
        return StorageError(
            f"The database of {domain} may not be read by this user.",
            remedy="Run its node as the domain's own user (fl node), or give this one "
            "the right to read the file.",
        )
    if not stat.S_ISREG(found.st_mode):
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "device or a pipe"
        return StorageError(
            f"The database of {domain} is a {kind}, not a file.",
            remedy=f"Move it away, then build the domain: {build}",
        )
    if found.st_size == 0:
        return StorageError(
            f"The database of {domain} is empty: its file has no bytes.",
            remedy=f"Delete the file and build it again: {build}",
        )
    return None


def _looked_at(path: Path) -> os.stat_result:
    """Return what the system says of a file that this process may read."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe waits for nobody
    try:
        return os.fstat(handle)
    finally:
        os.close(handle)


def locked(domain: str, error: duckdb.Error) -> StorageError:
    """Return the error for a file that another process holds, naming that process."""
    found = _HOLDER.search(str(error))
    who = "another process"
    if found is not None:
        # Of the program's path the name alone: the rest tells of the host.
        program = Path(found["program"]).name
        who = f"process {found['process']}" + (f" ({program})" if program else "")
    return StorageError(
        f"The database of {domain} is locked by {who}.",
        remedy="Wait until its `dbt build` has ended, then run the command again.",
    )


def unreadable(domain: str, error: duckdb.Error) -> StorageError:
    """Return the error for a file that cannot be opened, or a query that failed."""
    again = f"cd domains/{domain} && dbt build"
    if isinstance(error, duckdb.OutOfMemoryException):
        return StorageError(
            f"A query of {domain}'s database takes more memory than its node gives it.",
            remedy="Raise `memory` in node.yml, or use fewer columns.",
        )
    told = {
        "not": (
            "is not a DuckDB database",
            f"Check `database` in node.yml, or delete the file and build it: {again}",
        ),
        "format": (
            "is of a format that this version of DuckDB does not know "
            f"({duckdb.__version__} reads it here)",
            "Install the DuckDB that wrote it beside this program, or build it again "
            f"with this one: {again}",
        ),
        "encrypted": (
            "is encrypted, and there is no key for it here",
            "Give the node a file that it can open.",
        ),
        "damaged": (
            "is damaged: what is in the file is not what was written",
            "Check the disk, delete the file and its .wal, and build it again: "
            f"{again}",
        ),
    }
    problem, remedy = told.get(
        _meaning(error),
        (
            f"cannot be read ({type(error).__name__})",
            f"If the file is damaged, delete it and build it again: {again}",
        ),
    )
    return StorageError(f"The database of {domain} {problem}.", remedy=remedy)


def _meaning(error: duckdb.Error) -> str:
    if isinstance(error, _DAMAGED):
        return "damaged"
    if isinstance(error, duckdb.DataError):
        return ""  # about a value, which its text quotes: what is told hangs on none
    text = str(error)
    return next((meaning for said, meaning in _SAYINGS if said in text), "")
