"""Every single-byte change of a small ledger's records is found, and named.

Exhaustive where unit tests take samples: each byte of each stored body and hash is
flipped in each of its bits, left out, doubled and swapped with the next; every record
is cut, swapped and rewritten against every head that was kept.
"""

import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fl_plugin.ledger import AuditEntry, Ledger, verify
from fl_plugin.ledger.record import canonical

RECORDS = 5
COLUMNS = ("body", "hash")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("audit") / "ledger" / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        for number in range(1, RECORDS):
            ledger.append(entry(number))
        with ledger.transaction() as tx:
            tx.append(entry(RECORDS, epsilon=0.5))
            tx.spend("ml_coe", "credit_risk", 0.5, 4.0)
    return path


def entry(number, **changes) -> AuditEntry:
    return AuditEntry(
        action="release",
        decision="allowed",
        consumer="ml_coe",
        actor="ml-coe@bank.example",
        purpose="credit_risk",
        study="credit_risk",
        run=f"run-{number}",
        product="consumer_banking.credit_profile",
        columns=("amount", "age"),
        rows_bucket="500",
        **changes,
    )


def rows(path) -> list[tuple[int, str, str]]:
    with Ledger.open(path, write=False) as ledger, ledger.reading() as connection:
        return connection.execute("select * from audit order by sequence").fetchall()


@contextmanager
def undone(ledger) -> Iterator[sqlite3.Connection]:
    """Change the records and take it back: a commit each would take an hour."""
    with ledger.reading() as connection:
        yield connection


def changed(raw: bytes) -> Iterator[bytes]:
    """Yield every text that is one byte away from this one."""
    for at, byte in enumerate(raw):
        for bit in range(8):
            yield raw[:at] + bytes([byte ^ 1 << bit]) + raw[at + 1 :]
        yield raw[:at] + raw[at + 1 :]
        if raw[at : at + 1] != raw[at + 1 : at + 2]:
            yield raw[:at] + raw[at + 1 : at + 2] + raw[at : at + 1] + raw[at + 2 :]
        yield raw[:at] + raw[at : at + 1] + raw[at:]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sequence", range(1, RECORDS + 1))
def test_every_change_of_one_byte_names_the_record(small, column, sequence, figure):
    stored = rows(small)[sequence - 1][1 + COLUMNS.index(column)].encode()
    tried, missed = 0, []
    with Ledger.open(small) as ledger, undone(ledger) as connection:
        for raw in changed(stored):
            if raw == stored:  # the last byte, swapped with nothing
                continue
            connection.execute(
                f"update audit set {column} = cast(? as text) where sequence = ?",
                (raw, sequence),
            )
            found = verify(ledger)
            tried += 1
            if found.ok or found.first_bad != sequence:
                missed.append(raw)
    assert missed == []
    assert tried > 10 * len(stored)
    assert verify(small).ok
    figure("single-byte changes of an audit record, the record named", tried)


def test_every_cut_and_every_rewrite_is_found_by_a_kept_head(small, figure):
    stored = rows(small)
    heads = [(sequence, hashed) for sequence, _, hashed in stored]
    tried = 0
    for kept, head in itertools.product(range(RECORDS), heads):
        with Ledger.open(small) as ledger, undone(ledger) as connection:
            connection.execute("delete from audit where sequence > ?", (kept,))
            connection.execute("delete from spend where sequence > ?", (kept,))
            found = verify(ledger, [head])
        expected = None if head[0] <= kept else kept + 1
        assert (found.ok, found.first_bad) == (expected is None, expected)
        tried += 1
    for start, head in itertools.product(range(1, RECORDS + 1), heads):
        with Ledger.open(small) as ledger, undone(ledger) as connection:
            rewrite(connection, stored, start)
            assert verify(ledger).ok  # whole in itself
            found = verify(ledger, [head])
        expected = None if head[0] < start else head[0]
        assert (found.ok, found.first_bad) == (expected is None, expected)
        tried += 1
    figure("cuts and rewrites of a chain against kept heads, each found", tried)


def test_one_forged_record_is_told_by_the_next_that_does_not_follow_it(small):
    stored = rows(small)
    for start in range(1, RECORDS):
        with Ledger.open(small) as ledger, undone(ledger) as connection:
            rewrite(connection, stored[:start], start)
            found = verify(ledger)
        assert (found.ok, found.first_bad) == (False, start + 1)


def rewrite(connection, stored, start) -> None:
    """Forge the chain from a record on, as who knows the program could."""
    previous = "0" * 64 if start == 1 else stored[start - 2][2]
    for sequence, body, _ in stored[start - 1 :]:
        forged = json.loads(body) | {"previous": previous, "actor": "forger"}
        text = canonical(forged)
        previous = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(
            "update audit set body = ?, hash = ? where sequence = ?",
            (text, previous, sequence),
        )


def test_every_deletion_and_every_swap_names_the_first_record_out_of_place(
    small, figure
):
    tried = 0
    numbers = range(1, RECORDS + 1)
    for gone in itertools.chain.from_iterable(
        itertools.combinations(numbers, n) for n in numbers
    ):
        with Ledger.open(small) as ledger, undone(ledger) as connection:
            for sequence in gone:
                connection.execute("delete from audit where sequence = ?", (sequence,))
            assert verify(ledger, [(RECORDS, rows(small)[-1][2])]).first_bad == gone[0]
        tried += 1
    for order in itertools.permutations(numbers):
        out = [n for n, place in enumerate(order, start=1) if n != place]
        with Ledger.open(small) as ledger, undone(ledger) as connection:
            connection.execute("update audit set sequence = -sequence")
            for new, old in enumerate(order, start=1):
                connection.execute(
                    "update audit set sequence = ? where sequence = ?", (new, -old)
                )
            assert verify(ledger).first_bad == min(out, default=None)
        tried += 1
    figure("deletions and reorderings of audit records, the first named", tried)
