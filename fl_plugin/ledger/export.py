"""The audit as JSON lines: one record a line, its hash included.

A line without its `hash`, with sorted keys and no spaces, is what was hashed. Where
the lines of several domains stand together each also says `domain`, which was not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from fl_plugin.errors import StorageError
from fl_plugin.files import PRIVATE, whole
from fl_plugin.ledger.record import AuditRecord, canonical, timestamp


def json_lines(records: Iterable[AuditRecord]) -> Iterator[str]:
    """Yield one line of JSON for each record, without a line end."""
    return (canonical(asdict(record)) for record in records)


def domain_lines(
    records: Mapping[str, Iterable[AuditRecord]], *, since: datetime | None = None
) -> Iterator[str]:
    """Yield the lines of several ledgers, domain by domain, each with its domain.

    `since` leaves out records before that time.
    """
    floor = "" if since is None else timestamp(since)
    for domain, found in records.items():
        for record in found:
            if record.at >= floor:
                yield canonical({"domain": domain, **asdict(record)})


def write_json_lines(records: Iterable[AuditRecord], path: Path) -> None:
    """Write the lines to a file that appears whole or not at all.

    Raises:
        StorageError: If it cannot be written.
    """
    write_lines(json_lines(records), path)


def write_lines(lines: Iterable[str], path: Path) -> None:
    """Write lines of ASCII to a file that appears whole or not at all.

    Raises:
        StorageError: If it cannot be written.
    """
    try:
        with whole(path, mode=PRIVATE) as file:
            file.writelines(f"{line}\n".encode("ascii") for line in lines)
    except OSError:
        raise StorageError(
            f"The audit could not be written to {path.name}.",
            remedy="Name a file in a folder that exists and can be written.",
        ) from None
