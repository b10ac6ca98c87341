"""What must hold for every ledger, whatever is written into it or done to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.errors import MeshError, PolicyError
from fl_plugin.ledger import (
    GENESIS,
    AuditEntry,
    AuditRecord,
    Head,
    Ledger,
    cohort_digest,
    rows_bucket,
    verify,
)

PRODUCT = "consumer_banking.credit_profile"
RECORDS = 8

texts = st.text(max_size=40)  # any character, control characters included
entries = st.builds(
    AuditEntry,
    action=st.sampled_from(["decide", "open", "release", "refuse", "close"]),
    decision=st.sampled_from(["allowed", "refused"]),
    consumer=texts,
    actor=texts,
    purpose=texts,
    study=texts,
    run=texts,
    product=texts,
    version=st.none() | st.integers(0, 2**70),
    columns=st.lists(texts, max_size=4).map(tuple),
    round=st.none() | st.integers(0, 10**6),
    rows_bucket=st.none() | texts,
    released=st.none() | texts,
)
hashes = st.text("0123456789abcdef", min_size=64).filter(lambda h: h != GENESIS)
cohorts = st.sets(st.integers(0, 30) | st.integers(0, 2**64 - 1), max_size=20)
epsilons = st.integers(1, 300).map(lambda hundredths: hundredths / 100)


def key_hashes(cohort: set[int]) -> npt.NDArray[np.uint64]:
    return np.array(list(cohort), dtype=np.uint64)


def simple(**changes: Any) -> AuditEntry:
    fields: dict[str, Any] = dict.fromkeys(("actor", "study", "run"), "x") | {
        "action": "release",
        "decision": "allowed",
        "consumer": "ml_coe",
        "purpose": "credit_risk",
        "product": PRODUCT,
    }
    return AuditEntry(**(fields | changes))


@contextmanager
def fresh() -> Iterator[Ledger]:
    with (
        TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger" / "ledger.sqlite") as ledger,
    ):
        yield ledger


@cache
def golden() -> tuple[bytes, tuple[AuditRecord, ...]]:
    """Return the bytes of one small closed ledger, and its records."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        with Ledger.open(path) as ledger:
            for number in range(RECORDS):
                ledger.append(simple(round=number))
            records = ledger.show()
        return path.read_bytes(), records


@contextmanager
def golden_file(content: bytes | None = None) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        path = Path(name) / "ledger.sqlite"
        path.write_bytes(golden()[0] if content is None else content)
        yield path


@settings(max_examples=40)
@given(written=st.lists(entries, max_size=6))
def test_what_is_written_is_read_back_and_verifies(written):
    with fresh() as ledger:
        heads = [ledger.append(entry) for entry in written]
        records = ledger.show()
        assert verify(ledger, heads).ok
    names = vars(simple())
    assert [{n: getattr(r, n) for n in names} for r in records] == [
        vars(entry) for entry in written
    ]


@settings(max_examples=400)
@given(data=st.data())
def test_no_changed_byte_of_the_file_passes_with_other_records(data):
    content, records = golden()
    at = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[at] ^= data.draw(st.integers(1, 255))
    with golden_file(bytes(changed)) as path:
        assert _records_if_it_passes(path) in (None, records)


@settings(max_examples=100)
@given(data=st.data())
def test_no_cut_file_passes_with_other_records(data):
    content, records = golden()
    with golden_file(content[: data.draw(st.integers(0, len(content) - 1))]) as path:
        cut = path.read_bytes()
        assert _records_if_it_passes(path) in (None, records)
        assert path.read_bytes() == cut


def _records_if_it_passes(path: Path) -> tuple[AuditRecord, ...] | None:
    """Return what a file shows, or None where one of our errors or a flaw is found."""
    _, records = golden()
    with suppress(MeshError):
        if verify(path, [records[-1].head]).ok:
            with Ledger.open(path, write=False) as ledger:
                return ledger.show()
    return None


@settings(max_examples=60)
@given(order=st.permutations(range(1, RECORDS + 1)))
def test_any_reordering_is_named_by_the_first_record_out_of_place(order):
    displaced = [n for n, place in enumerate(order, start=1) if n != place]
    with golden_file() as path:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("begin")
            connection.execute("update audit set sequence = -sequence")
            connection.executemany(
                "update audit set sequence = ? where sequence = ?",
                [(n, -place) for n, place in enumerate(order, start=1)],
            )
            connection.execute("commit")
        assert verify(path).first_bad == min(displaced, default=None)


@settings(max_examples=60)
@given(gone=st.sets(st.integers(1, RECORDS)))
def test_any_set_of_deletions_is_named_by_its_first_against_the_head(gone):
    with golden_file() as path:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for sequence in gone:
                connection.execute("delete from audit where sequence = ?", (sequence,))
        found = verify(path, [golden()[1][-1].head])
    assert found.ok is not bool(gone)
    assert found.first_bad == min(gone, default=None)


@settings(max_examples=40)
@given(at=st.integers(0, RECORDS), wrong=hashes)
def test_a_head_that_this_ledger_never_had_is_never_accepted(at, wrong):
    with golden_file() as path:
        assert not verify(path, [Head(at, wrong)]).ok


@settings(max_examples=60)
@given(kept=st.lists(cohorts, max_size=5), asked=cohorts)
def test_the_distance_is_the_smallest_symmetric_difference(kept, asked):
    with fresh() as ledger:
        with ledger.transaction() as tx:
            for cohort in kept:
                tx.append(simple())
                tx.remember_cohort(
                    PRODUCT, cohort_digest(key_hashes(cohort)), key_hashes(cohort)
                )
        found = ledger.cohort_distance(PRODUCT, key_hashes(asked))
    assert found == min((len(asked ^ cohort) for cohort in kept), default=None)


@settings(max_examples=60)
@given(asked=st.lists(epsilons, max_size=12), limit=epsilons)
def test_a_spend_passes_exactly_when_the_decimal_sum_fits(asked, limit):
    total = Decimal(0)
    with fresh() as ledger:
        for epsilon in asked:
            fits = total + Decimal(str(epsilon)) <= Decimal(str(limit))
            total += Decimal(str(epsilon)) if fits else 0
            assert _spend(ledger, epsilon, limit) is fits
        assert ledger.epsilon_spent("ml_coe", "credit_risk") == float(total)
        assert len(ledger.show()) == len(asked)
        assert verify(ledger).ok


def _spend(ledger: Ledger, epsilon: float, limit: float) -> bool:
    try:
        with ledger.transaction() as tx:
            tx.append(simple(epsilon=epsilon))
            tx.spend("ml_coe", "credit_risk", epsilon, limit)
    except PolicyError:
        return False
    return True


@given(rows=st.integers(0, 10**12), min_cohort=st.integers(1, 10_000))
def test_a_bucket_never_tells_a_small_cohort_and_is_never_far_off(rows, min_cohort):
    bucket = rows_bucket(rows, min_cohort=min_cohort)
    if rows < min_cohort:
        assert bucket == f"<{min_cohort}"
        return
    assert int(bucket) >= min_cohort
    assert abs(int(bucket) - rows) <= max(5, rows // 20)
    assert bucket == str(min_cohort) or not bucket[2:].strip("0")


@given(rows=st.integers(25, 10**9))
def test_more_rows_never_fall_into_a_lower_bucket(rows):
    lower = rows_bucket(rows, min_cohort=25)
    assert int(lower) <= int(rows_bucket(rows + 1, min_cohort=25))
