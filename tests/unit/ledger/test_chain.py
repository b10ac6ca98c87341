"""Whatever is done to a ledger's records, the first bad one is named."""

import hashlib
import json
import time

import pytest

from fl_plugin.errors import StorageError
from fl_plugin.ledger import GENESIS, Head, Ledger, verify
from fl_plugin.ledger.record import canonical

RECORDS = 6


@pytest.fixture
def written(path, entry) -> list[Head]:
    """Write a small ledger and close it; give every head it had."""
    with Ledger.open(path) as ledger:
        heads = [ledger.append(entry(round=n)) for n in range(1, RECORDS)]
        with ledger.transaction() as tx:
            heads.append(tx.append(entry(action="release", epsilon=0.5)))
            tx.spend("ml_coe", "credit_risk", 0.5, 4.0)
    return heads


def rows(path) -> list[tuple[int, str, str]]:
    with Ledger.open(path, write=False) as ledger, ledger.reading() as connection:
        return connection.execute("select * from audit order by sequence").fetchall()


def rehash(path, tamper, *, start: int) -> None:
    """Forge what somebody who knows the program can: a chain whole in itself."""
    previous = GENESIS if start == 1 else rows(path)[start - 2][2]
    for sequence, body, _ in rows(path)[start - 1 :]:
        changes = {"previous": previous, "actor": "forger@bank.example"}
        text = canonical(json.loads(body) | changes)
        previous = hashlib.sha256(text.encode()).hexdigest()
        tamper(
            "update audit set body = ?, hash = ? where sequence = ?",
            text,
            previous,
            sequence,
        )


def test_an_untouched_ledger_verifies_against_every_head_it_had(path, written):
    found = verify(path, written)
    assert (found.ok, found.records, found.first_bad) == (True, RECORDS, None)
    assert found.head == written[-1]
    assert found.problem == ""


def test_an_empty_ledger_verifies(ledger):
    assert verify(ledger, [Head(0, GENESIS)]).ok


def test_verifying_changes_no_byte_of_the_file(path, written):
    before = path.read_bytes()
    verify(path)
    assert path.read_bytes() == before


def test_every_single_byte_change_of_every_record_names_that_record(
    path, written, tamper
):
    stored = rows(path)
    with Ledger.open(path) as ledger:
        for sequence, *cells in stored:
            for column, cell in zip(("body", "hash"), cells, strict=True):
                missed = [
                    at
                    for at in range(len(cell))
                    if not _named_after_change(ledger, sequence, column, cell, at)
                ]
                assert missed == []
        assert verify(ledger, written).ok


def _named_after_change(ledger, sequence, column, cell, at) -> bool:
    """Change one byte, verify, and roll back: a commit each would take minutes."""
    raw = bytearray(cell.encode())
    raw[at] ^= 1 << (at % 8)  # the top bit too: text that is not UTF-8
    with ledger.reading() as connection:
        connection.execute(
            f"update audit set {column} = cast(? as text) where sequence = ?",
            (bytes(raw), sequence),
        )
        found = verify(ledger)
    return not found.ok and found.first_bad == sequence


@pytest.mark.parametrize("column", ["body", "hash"])
@pytest.mark.parametrize("value", ["null", "''", "x'00'", "5"])
def test_a_cell_replaced_by_something_else_is_named(
    path, written, tamper, column, value
):
    tamper("create table copy as select * from audit")
    tamper("drop table audit")
    tamper("create table audit (sequence, body, hash)")
    tamper("insert into audit select * from copy")
    tamper(f"update audit set {column} = {value} where sequence = 3")
    assert verify(path).first_bad == 3


@pytest.mark.parametrize("sequence", range(1, RECORDS))
def test_a_deleted_record_is_named_as_missing(path, written, tamper, sequence):
    tamper("delete from audit where sequence = ?", sequence)
    found = verify(path)
    assert (found.ok, found.first_bad, found.records) == (False, sequence, sequence - 1)
    assert "missing" in found.problem


@pytest.mark.parametrize("one", range(1, RECORDS + 1))
@pytest.mark.parametrize("other", range(1, RECORDS + 1))
def test_two_swapped_records_are_named_by_the_first(path, written, tamper, one, other):
    tamper("update audit set sequence = -1 where sequence = ?", one)
    tamper("update audit set sequence = ? where sequence = ?", one, other)
    tamper("update audit set sequence = ? where sequence = -1", other)
    expected = None if one == other else min(one, other)
    assert verify(path).first_bad == expected


@pytest.mark.parametrize("place", range(1, RECORDS + 1))
def test_an_inserted_copy_is_named_by_its_place(path, written, tamper, place):
    tamper("update audit set sequence = -sequence - 1 where sequence >= ?", place)
    tamper("update audit set sequence = -sequence where sequence < 0")
    source = place - 1 or 3  # at the first place, another record than the first
    tamper(
        "insert into audit select ?, body, hash from audit where sequence = ?",
        place,
        source,
    )
    assert verify(path).first_bad == place


def test_a_record_before_the_first_does_not_belong(path, written, tamper):
    tamper("insert into audit select 0, body, hash from audit where sequence = 1")
    found = verify(path)
    assert (found.first_bad, found.records) == (0, 0)
    assert found.head == Head(0, GENESIS)


@pytest.mark.parametrize("kept", range(RECORDS))
def test_a_cut_tail_is_found_by_a_head_kept_elsewhere(path, written, tamper, kept):
    tamper("delete from audit where sequence > ?", kept)
    tamper("delete from spend where sequence > ?", kept)
    assert verify(path).ok
    found = verify(path, [written[-1]])
    assert (found.ok, found.first_bad) == (False, kept + 1)
    assert "cut" in found.problem


def test_a_cut_tail_that_forgets_a_spend_needs_no_head(path, written, tamper):
    tamper("delete from audit where sequence = ?", RECORDS)
    assert verify(path).first_bad == RECORDS


@pytest.mark.parametrize("start", range(1, RECORDS + 1))
def test_a_rewritten_chain_is_found_by_a_head_kept_elsewhere(
    path, written, tamper, start
):
    rehash(path, tamper, start=start)
    assert verify(path).ok
    assert verify(path, [written[-1]]).first_bad == RECORDS
    assert verify(path, written).first_bad == start


def test_a_tail_cut_and_grown_again_is_found(path, written, tamper, entry):
    tamper("delete from audit where sequence > 3")
    tamper("delete from spend")
    with Ledger.open(path) as ledger:
        for _ in range(RECORDS):
            ledger.append(entry())
    assert verify(path).ok
    assert verify(path, [written[-1]]).first_bad == RECORDS
    assert verify(path, [written[2]]).ok


def test_two_different_heads_for_one_place_cannot_both_hold(path, written):
    found = verify(path, [written[1], Head(2, "f" * 64)])
    assert (found.ok, found.first_bad) == (False, 2)


def test_another_ledgers_file_in_its_place_is_found(path, written, tmp_path, entry):
    other = tmp_path / "auto_finance" / "ledger" / "ledger.sqlite"
    with Ledger.open(other) as ledger:
        for _ in range(RECORDS):
            ledger.append(entry(run="other"))
    assert verify(other, [written[0]]).first_bad == 1


@pytest.mark.parametrize(
    "sql",
    [
        "delete from spend",
        "update spend set nano = nano - 1",
        "update spend set consumer = 'marketing_analytics'",
        "update spend set purpose = 'fraud_detection'",
        "update spend set product = 'auto_finance.credit_profile'",
        "update spend set at = '2020-01-01T00:00:00.000000+00:00'",
    ],
)
def test_a_budget_that_was_altered_names_the_record_of_the_spend(
    path, written, tamper, sql
):
    tamper(sql)
    found = verify(path)
    assert (found.ok, found.first_bad) == (False, RECORDS)
    assert "budget" in found.problem


@pytest.mark.parametrize("sequence", [-1, 0, 2, RECORDS + 1])
def test_a_spend_that_no_record_knows_is_named(path, written, tamper, sequence):
    tamper(
        "insert into spend select ?, at, consumer, purpose, product, -nano from spend",
        sequence,
    )
    found = verify(path)
    assert (found.ok, found.first_bad) == (False, sequence)


def test_a_spend_that_stands_twice_is_named(path, written, tamper):
    tamper("create table copy as select * from spend")
    tamper("drop table spend")
    tamper("alter table copy rename to spend")
    assert verify(path).ok
    tamper("insert into spend select * from spend")
    assert verify(path).first_bad == RECORDS


def test_a_table_rebuilt_without_its_types_is_checked_all_the_same(
    path, written, tamper
):
    tamper("create table copy (sequence, body, hash)")
    tamper("insert into copy select cast(sequence as text), body, hash from audit")
    tamper("insert into copy values (null, '', '')")
    tamper("drop table audit")
    tamper("alter table copy rename to audit")
    assert verify(path).first_bad == 0


def test_a_record_that_goes_back_in_time_is_named(path, written, tamper):
    sequence, body, _ = rows(path)[-1]
    text = canonical(json.loads(body) | {"at": "2020-01-01T00:00:00.000000+00:00"})
    tamper(
        "update audit set body = ?, hash = ? where sequence = ?",
        text,
        hashlib.sha256(text.encode()).hexdigest(),
        sequence,
    )
    found = verify(path)
    assert (found.first_bad, "earlier" in found.problem) == (RECORDS, True)


def test_a_dropped_table_is_a_storage_error(path, written, tamper):
    tamper("drop table audit")
    with pytest.raises(StorageError):
        verify(path)


def test_a_missing_ledger_is_a_storage_error_and_stays_missing(path):
    with pytest.raises(StorageError, match="There is no ledger"):
        verify(path)
    assert not path.exists()


def test_ten_thousand_records_verify(ledger, entry, figure):
    with ledger.transaction() as tx:
        for number in range(10_000):
            tx.append(entry(round=number))
    start = time.process_time()
    found = verify(ledger)
    seconds = time.process_time() - start
    assert (found.ok, found.records) == (True, 10_000)
    figure("to verify 10,000 audit records", seconds, "CPU s", how="worst")
