"""One line of a domain's audit, its canonical bytes and the hash that chains it.

The stored body *is* the canonical JSON of everything but the hash, so anybody can
check a record with `sha256` alone, without this package.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import NoneType
from typing import Any, NamedTuple

from fl_plugin.errors import LedgerError

GENESIS = "0" * 64  # what the first record names as its predecessor
LONGEST_TEXT = 512
MOST_COLUMNS = 4_096
LONGEST_BODY = 4_000_000
_SHORT = 16_384  # characters of a body that is worth keeping in memory
_MOST_KNOWN = 256

_VERIFY = "Run `fl audit verify` and tell the domain's steward."
_TEXT: tuple[type, ...] = (str,)
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "version": (int, NoneType),
    "round": (int, NoneType),
    "epsilon": (float, int, NoneType),
    "rows_bucket": (str, NoneType),
    "released": (str, NoneType),
    "columns": (tuple, list),
    "sequence": (int,),
}


class Head(NamedTuple):
    """The newest record of a ledger; kept elsewhere, it shows cuts and rewrites."""

    sequence: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What a party says about one event; the ledger adds its place in the chain.

    Args:
        action: decide | open | release | refuse | close | ...
        decision: allowed | refused.
        columns: Column names, never values.
        rows_bucket: From `rows_bucket`, never an exact count.
        rule: The rule or reason code that decided.
        policy: Fingerprint of the policy, as `manifest` is of the manifest.
        epsilon: What was *spent* under this record; None where nothing was. An entry
            that carries it must be spent in the same transaction.
        released: Digest of what left the domain.
    """

    action: str
    decision: str
    consumer: str
    actor: str
    purpose: str
    study: str
    run: str
    product: str = ""
    version: int | None = None
    columns: tuple[str, ...] = ()
    algorithm: str = ""
    round: int | None = None
    rows_bucket: str | None = None
    rule: str = ""
    policy: str = ""
    manifest: str = ""
    epsilon: float | None = None
    released: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuditRecord(AuditEntry):
    """An entry in its place.

    Args:
        sequence: 1, 2, 3, ... without a gap.
        at: UTC, ISO 8601 with microseconds; never earlier than the record before.
        previous: Hash of the record before, `GENESIS` for the first.
        hash: SHA-256, in hexadecimal, of `body()`.
    """

    sequence: int
    at: str
    previous: str
    hash: str

    @property
    def head(self) -> Head:
        """This record as the head that a reply carries."""
        return Head(self.sequence, self.hash)

    def body(self) -> str:
        """Return the canonical JSON of everything but the hash."""
        return canonical(_values(self, without="hash"))


def chain(entry: AuditEntry, *, previous: Head, at: datetime) -> AuditRecord:
    """Put an entry behind the record that `previous` names.

    Raises:
        LedgerError: If a field is of the wrong type, not finite, or too long.
    """
    values = _values(entry) | {
        "sequence": previous.sequence + 1,
        "at": timestamp(at),
        "previous": previous.hash,
    }
    fault = _fault(values)
    if fault:
        raise LedgerError(
            f"The audit record cannot be written: {fault}.",
            remedy="Shorten or correct that field of the request.",
        )
    values["columns"] = tuple(values["columns"])
    body = canonical(values)
    return _known(AuditRecord(**values, hash=digest(body)), body)


def read_record(sequence: object, body: object, stored_hash: object) -> AuditRecord:
    """Rebuild a record from its stored row, trusting nothing in it.

    Raises:
        LedgerError: If body, hash and place do not belong together.
    """
    known = _KNOWN.get((body, stored_hash))
    if known is not None and type(sequence) is int and sequence == known.sequence:
        return known
    altered = LedgerError(f"Audit record {sequence} was altered.", remedy=_VERIFY)
    if not isinstance(body, str) or len(body) > LONGEST_BODY:
        raise altered
    if stored_hash != digest(body):
        raise altered
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise altered from None
    if not isinstance(values, dict) or set(values) != _NAMES - {"hash"}:
        raise altered
    if _fault(values) or values["sequence"] != sequence or not _is_time(values["at"]):
        raise altered
    values["columns"] = tuple(values["columns"])
    return _known(AuditRecord(**values, hash=stored_hash), body)


# The newest record is asked for several times a message, first by who has written it;
# the same row is the same.
_KNOWN: dict[tuple[object, object], AuditRecord] = {}


def _known(record: AuditRecord, body: str) -> AuditRecord:
    """Return a record that is sound; a short one is known from now on."""
    if len(body) <= _SHORT:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()  # in one step: parties in threads write as well
        _KNOWN[body, record.hash] = record
    return record


def canonical(values: Mapping[str, object]) -> str:
    """Return JSON in ASCII with sorted keys and no spaces."""
    return _JSON.encode(values)


def digest(body: str) -> str:
    """Return the SHA-256 of a body as it is stored, in hexadecimal."""
    # A forged body may hold bytes that are not UTF-8: reading keeps them as surrogates.
    return hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()


def timestamp(at: datetime) -> str:
    """Return UTC ISO 8601 with microseconds: text that sorts as time does.

    Raises:
        LedgerError: If `at` has no time zone.
    """
    if at.tzinfo is None:
        raise LedgerError(
            "The ledger was given a time without a time zone.",
            remedy="Pass an aware datetime, such as datetime.now(UTC).",
        )
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _values(entry: AuditEntry, *, without: str = "") -> dict[str, Any]:
    names = (f.name for f in fields(entry) if f.name != without)
    return {name: getattr(entry, name) for name in names}


def _fault(values: Mapping[str, Any]) -> str | None:
    """Say which field is unfit, by name and never by value."""
    for name, value in values.items():
        kinds = _SHAPES.get(name, _TEXT)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return f"{name} has the wrong type"
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return f"{name} is longer than {LONGEST_TEXT} characters"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{name} is not finite"
    return _columns_fault(values["columns"])


def _is_time(text: str) -> bool:
    """Tell whether a text is what `timestamp` writes."""
    try:
        return timestamp(datetime.fromisoformat(text)) == text
    except (ValueError, OverflowError, LedgerError):
        return False


def _columns_fault(columns: tuple[object, ...] | list[object]) -> str | None:
    if len(columns) > MOST_COLUMNS:
        return f"there are more than {MOST_COLUMNS} columns"
    if all(isinstance(c, str) and len(c) <= LONGEST_TEXT for c in columns):
        return None
    return "columns holds something that is not a name"


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_NAMES = frozenset(f.name for f in fields(AuditRecord))
