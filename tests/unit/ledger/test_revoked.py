"""A revocation is a record, and counts for good."""

from dataclasses import replace

import pytest

from fl_plugin.errors import LedgerError
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger

DIGEST = "sha256:" + "a" * 64
REVOKE = AuditEntry(
    action="revoke",
    decision="allowed",
    consumer="ml_coe",
    actor="steward.consumer@bank.example",
    purpose="credit_risk",
    study="credit_risk",
    run="",
    released=DIGEST,
)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def test_a_new_ledger_has_revoked_nothing(ledger):
    assert ledger.revoked() == frozenset()


def test_what_was_revoked_is_found_among_other_records(ledger):
    ledger.append(replace(REVOKE, action="approve"))
    ledger.append(REVOKE)
    ledger.append(replace(REVOKE, action="release", released="sha256:" + "b" * 64))
    assert ledger.revoked() == {DIGEST}


def test_a_refused_revocation_revokes_nothing(ledger):
    ledger.append(replace(REVOKE, decision="refused"))
    assert ledger.revoked() == frozenset()


def test_a_value_that_looks_like_a_revocation_is_none(ledger):
    ledger.append(replace(REVOKE, action="release", study='","action":"revoke","x":"'))
    assert ledger.revoked() == frozenset()


def test_an_altered_revocation_is_not_overlooked(ledger):
    ledger.append(REVOKE)
    with ledger.transaction() as tx:
        tx.append(REVOKE)
        tx._connection.execute(
            "update audit set body = replace(body, 'aaaa', 'bbbb') where sequence = 1"
        )
    with pytest.raises(LedgerError, match="record 1 was altered"):
        ledger.revoked()


def test_what_is_revoked_later_is_found_later(ledger):
    ledger.append(REVOKE)
    assert ledger.revoked() == {DIGEST}
    other = "sha256:" + "c" * 64
    ledger.append(replace(REVOKE, released=other))
    assert ledger.revoked() == {DIGEST, other}


def test_another_ledger_in_the_same_place_is_read_anew(tmp_path):
    path = tmp_path / "ledger.sqlite"
    for revoked in (True, False):
        with Ledger.open(path) as ledger:
            ledger.append(REVOKE if revoked else replace(REVOKE, action="approve"))
            assert ledger.revoked() == ({DIGEST} if revoked else frozenset())
        for file in tmp_path.iterdir():
            file.unlink()


def test_what_another_process_revoked_is_found(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as one, Ledger.open(path) as other:
        assert one.revoked() == frozenset()
        other.append(REVOKE)
        assert one.revoked() == {DIGEST}
