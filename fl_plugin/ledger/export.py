"""The audit as JSON lines: one record a line, its hash included.

A line without its `hash`, with sorted keys and no spaces, is what was hashed.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.ledger.record import AuditRecord, canonical


def json_lines(records: Iterable[AuditRecord]) -> Iterator[str]:
    """Yield one line of JSON for each record, without a line end."""
    return (canonical(asdict(record)) for record in records)


def write_json_lines(records: Iterable[AuditRecord], path: Path) -> None:
    """Write the lines to a file that appears whole or not at all.

    Raises:
        StorageError: If it cannot be written.
    """
    try:
        _write_aside(json_lines(records), path)
    except OSError:
        raise StorageError(
            f"The audit could not be written to {path.name}.",
            remedy="Name a file in a folder that exists and can be written.",
        ) from None


def _write_aside(lines: Iterable[str], path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
