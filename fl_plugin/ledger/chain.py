"""Whether a ledger still tells what was written into it.

The chain shows every edit, deletion, swap and insertion. Records cut from its end,
and a chain rewritten from some point on, are whole in themselves: they show only
against heads that somebody else has kept, such as each model's `run.json`.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fl_plugin.errors import LedgerError, StorageError
from fl_plugin.ledger.beside import flaw_beside
from fl_plugin.ledger.budget import cost
from fl_plugin.ledger.profiles import APPROVED, MEASURED, profile_witnesses
from fl_plugin.ledger.record import GENESIS, AuditRecord, Head, read_record
from fl_plugin.ledger.storage import has_its_columns, ledger_name
from fl_plugin.ledger.store import Ledger

_Spend = tuple[Any, ...]  # sequence, at, consumer, purpose, product, nano


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found.

    Args:
        records: Records that hold, counted up to the first bad one.
        first_bad: Sequence of the first record that is altered, missing or out of
            place; where only a kept head shows it, the sequence of that head or of
            the first record missing.
        problem: A sentence; empty if all is well.
        head: The last record that holds.
    """

    ok: bool
    records: int
    first_bad: int | None
    problem: str
    head: Head


@dataclass(frozen=True, kw_only=True)
class _Witnesses:
    """What must agree with the chain, by sequence."""

    heads: Mapping[int, frozenset[str]]
    spends: Mapping[int, tuple[_Spend, ...]]
    profiles: Mapping[int, str]


def verify(
    ledger: Ledger | Path | str, expected_heads: Iterable[tuple[int, str]] = ()
) -> Verification:
    """Check every record, what belongs to them, and heads kept elsewhere.

    Args:
        ledger: Open, or the path of one, which is then opened without writing.
        expected_heads: Each a sequence and the hash that it had.

    Raises:
        StorageError: If the file cannot be read as a ledger.
    """
    if not isinstance(ledger, Ledger):
        with Ledger.open(ledger, write=False) as opened:
            return verify(opened, expected_heads)
    with ledger.reading() as connection:
        _check_pages(connection, ledger)
        # The casts hold where somebody rebuilt the tables without their types.
        spends = connection.execute(
            "select coalesce(cast(sequence as integer), 0), at, consumer, purpose,"
            " product, nano from spend"
        )
        witnesses = _Witnesses(
            heads=_hashes_by_sequence(expected_heads),
            spends=_spends_by_sequence(spends),
            profiles=profile_witnesses(connection),
        )
        rows = connection.execute(
            "select coalesce(cast(sequence as integer), 0) as place, body, hash"
            " from audit order by place"
        )
        found = _walk(rows, witnesses)
        flaw = flaw_beside(connection) if found.ok else None
        if flaw is None:
            return found
        return replace(found, ok=False, first_bad=flaw[0], problem=flaw[1])


def _check_pages(connection: sqlite3.Connection, ledger: Ledger) -> None:
    # Not the quick one: it does not hold indexes against their tables.
    (found,) = connection.execute("pragma integrity_check(1)").fetchone()
    if found != "ok" or not has_its_columns(connection):
        raise StorageError(
            f"The ledger {ledger_name(ledger.path)} is damaged.",
            remedy="Keep the file as evidence and restore the domain's last backup.",
        )


def _hashes_by_sequence(heads: Iterable[tuple[int, str]]) -> dict[int, frozenset[str]]:
    kept: defaultdict[int, set[str]] = defaultdict(set)
    for sequence, kept_hash in heads:
        kept[sequence].add(kept_hash)
    return {sequence: frozenset(hashes) for sequence, hashes in kept.items()}


def _spends_by_sequence(
    spends: Iterable[_Spend],
) -> dict[int, tuple[_Spend, ...]]:
    kept: defaultdict[int, list[_Spend]] = defaultdict(list)
    for spend in spends:
        kept[spend[0]].append(spend)
    return {sequence: tuple(found) for sequence, found in kept.items()}


def _walk(rows: Iterable[tuple[Any, ...]], witnesses: _Witnesses) -> Verification:
    good, last = 0, None
    stray = min(witnesses.spends, default=1)
    if stray < 1:
        return _bad(good, last, (stray, "The budget holds a spend without a record."))
    for row in rows:
        expected = 1 if last is None else last.sequence + 1
        if row[0] != expected:
            return _bad(good, last, _misplaced(row[0], expected))
        try:
            record = read_record(*row)
        except LedgerError as error:
            return _bad(good, last, (expected, error.problem))
        problem = _unlinked(record, last) or _contradicted(record, witnesses)
        if problem:
            return _bad(good, last, (expected, problem))
        good, last = good + 1, record
    missing = _missing(0 if last is None else last.sequence, witnesses)
    if missing:
        return _bad(good, last, missing)
    return Verification(
        ok=True, records=good, first_bad=None, problem="", head=_head(last)
    )


def _misplaced(sequence: int, expected: int) -> tuple[int, str]:
    if sequence < expected:
        return sequence, f"Audit record {sequence} does not belong to the chain."
    return expected, f"Audit record {expected} is missing."


def _unlinked(record: AuditRecord, last: AuditRecord | None) -> str:
    """Say how a record, true to its own hash, fails to follow the one before."""
    if record.previous != _head(last).hash:
        return (
            f"Audit record {record.sequence} does not follow the record before it: "
            "one of the two was rewritten."
        )
    if last is not None and record.at < last.at:
        return f"Audit record {record.sequence} is earlier than the one before it."
    return ""


def _contradicted(record: AuditRecord, witnesses: _Witnesses) -> str:
    """Say which witness a record does not agree with."""
    if witnesses.heads.get(record.sequence, {record.hash}) != {record.hash}:
        return (
            f"Audit record {record.sequence} is not the one whose hash was kept "
            "elsewhere: the ledger was rewritten at or before it."
        )
    if witnesses.spends.get(record.sequence, ()) != _spends_of(record):
        return f"The budget does not agree with audit record {record.sequence}."
    measured = record.action in {MEASURED, APPROVED} and record.decision == "allowed"
    kept = witnesses.profiles.get(record.sequence)
    if kept != (record.released if measured else None):
        return f"What was measured does not agree with audit record {record.sequence}."
    return ""


def _spends_of(record: AuditRecord) -> tuple[_Spend, ...]:
    """Return the rows that must stand in the budget for a record."""
    if record.epsilon is None:
        return ()
    names = (record.consumer, record.purpose, record.product)
    try:
        return ((record.sequence, record.at, *names, cost(record.epsilon)),)
    except LedgerError:  # forged: nothing of the kind can have been spent
        return ((),)


def _missing(last: int, witnesses: _Witnesses) -> tuple[int, str] | None:
    """Find what witnesses know of and the ledger no longer holds."""
    if witnesses.heads.get(0, {GENESIS}) != {GENESIS}:
        return 1, "A head kept elsewhere is not one of this ledger."
    known = max((*witnesses.heads, *witnesses.spends), default=0)
    if known <= last:
        return None
    return last + 1, f"Audit records {last + 1} to {known} were cut from the end."


def _bad(good: int, last: AuditRecord | None, flaw: tuple[int, str]) -> Verification:
    first_bad, problem = flaw
    return Verification(
        ok=False,
        records=good,
        first_bad=first_bad,
        problem=problem,
        head=_head(last),
    )


def _head(record: AuditRecord | None) -> Head:
    return Head(0, GENESIS) if record is None else record.head
