"""What a domain has measured of its products, and which profile it has approved.

Each profile belongs to one audit record, whose `released` is the profile's digest;
so does each approval. A profile that was altered is refused when it is read, and one
that was taken away shows when the ledger is verified.

The newest `KEPT_PROFILES` of a product keep their figures, and so do the one approved
last and the one that is published; of the others only the digest stays.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from fl_plugin.errors import LedgerError, PolicyError
from fl_plugin.ledger.cohorts import Cohort, pack, unpack
from fl_plugin.ledger.record import AuditRecord, digest, read_record

MEASURED, APPROVED = "profile", "approve_profile"
KEPT_PROFILES = 32
SCHEMA = """
create table profile (
    sequence integer primary key, product text not null, version integer,
    digest text not null, basis integer not null, body text,
    size integer not null, rows_digest text not null, hashes blob
);
create index profile_by_product on profile (product, version);
create table profile_approval (
    sequence integer primary key, product text not null, version integer,
    profile integer not null
);
"""
_COLUMNS = "sequence, product, version, digest, basis, body, size, rows_digest, hashes"


@dataclass(frozen=True, kw_only=True)
class KeptProfile:
    """A profile as it was kept.

    Args:
        sequence: Of its audit record, which names it.
        at: When it was kept, ISO 8601.
        body: JSON; what it says is its writer's business.
        rows: Hashes of the rows it is about.
        basis: The profile whose figures about people are published; 0 for itself.
    """

    body: str
    rows: Cohort
    basis: int = 0
    sequence: int = 0
    at: str = ""

    @property
    def digest(self) -> str:
        """What the audit record of this profile, or of its approval, must carry."""
        return _digest(self.basis, self.rows.digest, self.body)


def newest_profile(
    connection: sqlite3.Connection, product: str, version: int | None
) -> KeptProfile | None:
    """Return what was measured last of a product; None where nothing was.

    Raises:
        LedgerError: If it was altered.
    """
    return _found(
        connection,
        "product = ? and version is ? order by sequence desc",
        (product, version),
    )


def approved_profile(
    connection: sqlite3.Connection, product: str, version: int | None
) -> KeptProfile | None:
    """Return the profile that drift is measured against; None before the first.

    Raises:
        LedgerError: If it, or its approval, was altered.
    """
    if not _is_there(connection):
        return None
    row = connection.execute(
        "select sequence, profile from profile_approval"
        " where product = ? and version is ? order by sequence desc limit 1",
        (product, version),
    ).fetchone()
    if row is None:
        return None
    found = profile_at(connection, row[1])
    record = _record(connection, row[0], product)
    if (record.action, record.released) != (APPROVED, found.digest):
        raise _altered(product)
    return found


def profile_at(connection: sqlite3.Connection, sequence: int) -> KeptProfile:
    """Return the profile of one audit record.

    Raises:
        LedgerError: If it is not kept any more, or was altered.
    """
    found = _found(connection, "sequence = ?", (sequence,))
    if found is None:
        raise _altered("a product")
    return found


def keep(
    connection: sqlite3.Connection, record: AuditRecord, profile: KeptProfile
) -> None:
    """Keep a profile under its record, and forget the figures of old ones."""
    rows = profile.rows
    connection.execute(
        f"insert into profile ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 a constant
        (
            record.sequence,
            record.product,
            record.version,
            profile.digest,
            profile.basis,
            profile.body,
            rows.hashes.size,
            rows.digest,
            pack(rows.hashes),
        ),
    )
    mine = (record.product, record.version)
    connection.execute(
        "update profile set body = null, hashes = null"
        " where product = ? and version is ? and sequence not in ("
        "  select sequence from profile where product = ? and version is ?"
        "  order by sequence desc limit ?)"
        " and sequence not in (select basis from profile where sequence = ?)"
        " and sequence not in (select profile from profile_approval"
        "  where product = ? and version is ? order by sequence desc limit 1)",
        (*mine, *mine, KEPT_PROFILES, record.sequence, *mine),
    )


def approve(
    connection: sqlite3.Connection, record: AuditRecord, profile: KeptProfile
) -> None:
    """Make a profile the one that drift is measured against.

    Raises:
        PolicyError: `profile.not_newest`: another one was measured meanwhile.
    """
    newest = newest_profile(connection, record.product, record.version)
    if newest is None or newest.sequence != profile.sequence:
        raise PolicyError(
            f"{record.product} was measured again in the meantime.",
            remedy="Look at the newest report, then approve again.",
            reason="profile.not_newest",
        )
    connection.execute(
        "insert into profile_approval values (?, ?, ?, ?)",
        (record.sequence, record.product, record.version, profile.sequence),
    )


def profile_witnesses(connection: sqlite3.Connection) -> Mapping[int, str]:
    """Return the digest that each record about a profile must carry, by sequence."""
    if not _is_there(connection):
        return {}
    measured = {
        int(sequence): kept if body is None else _digest(basis, rows, body)
        for sequence, kept, basis, rows, body in connection.execute(
            "select sequence, digest, basis, rows_digest, body from profile"
        )
    }
    approved = connection.execute("select sequence, profile from profile_approval")
    return measured | {int(s): measured.get(p, "") for s, p in approved}


def _digest(basis: object, rows: object, body: object) -> str:
    return f"sha256:{digest(f'{basis} {rows} {body}')}"


def _is_there(connection: sqlite3.Connection) -> bool:
    """A ledger of the first version, opened for reading, has no such table."""
    found = connection.execute(
        "select 1 from sqlite_master where name = 'profile_approval'"
    )
    return found.fetchone() is not None


def _found(
    connection: sqlite3.Connection, where: str, values: tuple[object, ...]
) -> KeptProfile | None:
    if not _is_there(connection):
        return None
    query = f"select {_COLUMNS} from profile where {where} limit 1"  # noqa: S608 ours
    row = connection.execute(query, values).fetchone()
    if row is None:
        return None
    sequence, product, version, _, basis, body, size, rows_digest, hashes = row
    if not isinstance(body, str):
        raise _altered(str(product))
    record = _record(connection, sequence, str(product))
    rows = unpack(hashes, size=size, digest=rows_digest)
    found = KeptProfile(
        body=body,
        rows=Cohort(hashes=rows, digest=rows_digest),
        basis=basis,
        sequence=sequence,
        at=record.at,
    )
    if (record.action, record.version, record.released) != (
        MEASURED,
        version,
        found.digest,
    ):
        raise _altered(str(product))
    return found


def _record(connection: sqlite3.Connection, sequence: int, product: str) -> AuditRecord:
    row = connection.execute(
        "select sequence, body, hash from audit where sequence = ?", (sequence,)
    ).fetchone()
    if row is None:
        raise _altered(product)
    record = read_record(*row)
    if record.product != product or record.decision != "allowed":
        raise _altered(product)
    return record


def _altered(product: str) -> LedgerError:
    return LedgerError(
        f"What was measured of {product} was altered in the ledger.",
        remedy="Run `fl audit verify` and tell the domain's steward.",
    )
