"""What was measured is kept beside its audit record, and an altered figure shows."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from fl_plugin.errors import LedgerError, PolicyError, StorageError
from fl_plugin.ledger import Ledger, verify
from fl_plugin.ledger.cohorts import Cohort
from fl_plugin.ledger.profiles import (
    APPROVED,
    KEPT_PROFILES,
    MEASURED,
    KeptProfile,
    approved_profile,
    newest_profile,
    profile_at,
)

PRODUCT = "consumer_banking.credit_profile"


def make(body="{}", basis=0, rows=(1, 2, 3)):
    cohort = Cohort.of(np.array(rows, dtype=np.uint64))
    return KeptProfile(body=body, rows=cohort, basis=basis)


@pytest.fixture
def keep(ledger, entry):
    def run(profile):
        with ledger.transaction() as tx:
            tx.append(entry(action=MEASURED, released=profile.digest))
            return tx.keep_profile(profile)

    return run


@pytest.fixture
def approve(ledger, entry):
    def run(profile):
        with ledger.transaction() as tx:
            tx.append(entry(action=APPROVED, released=profile.digest))
            tx.approve_profile(profile)

    return run


def newest(ledger, version=1):
    with ledger.reading() as connection:
        return newest_profile(connection, PRODUCT, version)


def approved(ledger):
    with ledger.reading() as connection:
        return approved_profile(connection, PRODUCT, 1)


def test_the_newest_profile_is_the_last_one_kept(ledger, keep):
    assert newest(ledger) is None
    keep(make('{"n": 1}'))
    sequence = keep(make('{"n": 2}'))
    found = newest(ledger)
    assert (found.sequence, found.body) == (sequence, '{"n": 2}')
    assert found.rows.hashes.tolist() == [1, 2, 3]
    assert newest(ledger, version=2) is None


def test_an_approval_stays_until_the_next(ledger, keep, approve):
    first = keep(make('{"n": 1}'))
    assert approved(ledger) is None
    approve(newest(ledger))
    keep(make('{"n": 2}'))
    assert approved(ledger).sequence == first


def test_only_the_newest_profile_can_be_approved(ledger, keep, approve):
    keep(make('{"n": 1}'))
    stale = newest(ledger)
    keep(make('{"n": 2}'))
    with pytest.raises(PolicyError) as caught:
        approve(stale)
    assert caught.value.reason == "profile.not_newest"
    assert approved(ledger) is None
    assert ledger.show()[-1].rule == "profile.not_newest"
    assert verify(ledger).ok


@pytest.mark.parametrize("words", [{"released": "sha256:0"}, {"action": "decide"}])
def test_a_profile_belongs_to_the_record_that_names_it(ledger, entry, words):
    fitting = {"action": MEASURED, "released": make().digest}
    with ledger.transaction() as tx:
        tx.append(entry(**(fitting | words)))
        with pytest.raises(LedgerError, match="must match the record"):
            tx.keep_profile(make())


@pytest.mark.parametrize(
    "spoil",
    [
        "update profile set body = '{\"n\": 9}'",
        "update profile set basis = 7",
        "update profile set version = 2",
        "update profile set rows_digest = 'sha256:0'",
        "update profile set size = 2",
        "update profile set hashes = x'00'",
        "update profile set body = x'00'",
        "update profile set sequence = 7",
    ],
)
def test_an_altered_profile_is_refused_when_it_is_read(
    ledger, keep, approve, tamper, spoil
):
    keep(make('{"n": 1}'))
    approve(newest(ledger))
    tamper(spoil)
    with pytest.raises(LedgerError, match="was altered"):
        approved(ledger)


@pytest.mark.parametrize(
    "spoil",
    [
        "update profile set body = '{\"n\": 9}'",
        "update profile set digest = 'sha256:0', body = null",
        "delete from profile",
        "delete from profile_approval",
        "update profile_approval set profile = 1",
        "update profile_approval set sequence = 9",
    ],
)
def test_verifying_the_ledger_finds_what_was_taken_or_altered(
    ledger, keep, approve, tamper, spoil
):
    keep(make('{"n": 1}'))
    keep(make('{"n": 2}'))
    approve(newest(ledger))
    assert verify(ledger).ok
    tamper(spoil)
    found = verify(ledger)
    assert not found.ok
    assert "What was measured" in found.problem


def test_another_approval_put_in_place_is_found(ledger, keep, approve, tamper):
    keep(make('{"n": 1}'))
    approve(newest(ledger))
    keep(make('{"n": 2}'))
    tamper("update profile_approval set profile = 3")
    with pytest.raises(LedgerError):
        approved(ledger)


def test_old_figures_are_forgotten_but_not_those_that_count(ledger, keep, approve):
    basis = keep(make('{"n": 0}'))
    approve(newest(ledger))
    keep(make('{"n": "old"}'))
    for n in range(KEPT_PROFILES + 3):
        keep(make(f'{{"n": {n}}}', basis=basis))
    with ledger.reading() as connection:
        assert profile_at(connection, basis).body == '{"n": 0}'
        with pytest.raises(LedgerError):
            profile_at(connection, 3)
        (kept,) = connection.execute(
            "select count(*) from profile where body is not null"
        ).fetchone()
    assert kept == KEPT_PROFILES + 1
    assert verify(ledger).ok


def first_version(path):
    """Make a ledger as the first release wrote it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("drop table profile")
        connection.execute("drop table profile_approval")
        connection.execute("drop table open_run")
        connection.execute("drop table run_message")
        connection.execute("update ledger_schema set version = 1")


def version_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select version from ledger_schema").fetchall()


def test_a_ledger_of_the_first_release_opens_and_its_audit_stays(path, entry):
    with Ledger.open(path) as ledger:
        head = ledger.append(entry())
    first_version(path)
    with Ledger.open(path, write=False) as read:
        assert read.head() == head
        assert newest(read) is None
        assert approved(read) is None
        assert verify(read).ok
    assert version_of(path) == [(1,)]
    with Ledger.open(path) as ledger:
        assert ledger.head() == head
        with ledger.transaction() as tx:
            tx.append(entry(action=MEASURED, released=make().digest))
            tx.keep_profile(make())
        assert newest(ledger) is not None
    assert version_of(path) == [(3,)]


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(path, entry):
    Ledger.open(path).close()
    first_version(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("create table profile_approval (x integer)")  # in the way
    with pytest.raises(StorageError):
        Ledger.open(path)
    assert version_of(path) == [(1,)]
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("select name from sqlite_master").fetchall()
    assert ("profile",) not in tables


def test_two_processes_may_upgrade_at_once(path):
    Ledger.open(path).close()
    first_version(path)
    for _ in range(2):
        Ledger.open(path).close()
    assert version_of(path) == [(3,)]
