"""Records are appended in order, read back by filter, and all or nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import LedgerError, PolicyError, StorageError
from fl_plugin.ledger import GENESIS, Head, Ledger, verify

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def test_an_empty_ledger_has_the_genesis_head_and_no_clock_floor(ledger):
    assert ledger.head() == Head(0, GENESIS)
    assert ledger.clock_floor() is None
    assert ledger.show() == ()


def test_append_returns_the_head_that_a_reopened_ledger_has(path, entry):
    with Ledger.open(path) as ledger:
        ledger.append(entry())
        head = ledger.append(entry(action="open"))
    with Ledger.open(path, write=False) as again:
        assert again.head() == head
        assert head.sequence == 2


def test_each_record_names_the_hash_of_the_one_before(ledger, entry):
    for action in ("decide", "open", "release"):
        ledger.append(entry(action=action))
    records = ledger.show()
    assert [r.previous for r in records[1:]] == [r.hash for r in records[:-1]]


def test_show_filters_by_run_study_and_action_and_puts_the_newest_last(ledger, entry):
    for run in ("a", "b"):
        for action in ("decide", "open"):
            ledger.append(entry(run=run, action=action, study=f"study_{run}"))
    assert [r.action for r in ledger.show(run="b")] == ["decide", "open"]
    assert [r.run for r in ledger.show(action="open")] == ["a", "b"]
    assert [r.sequence for r in ledger.show(study="study_a")] == [1, 2]
    assert [r.sequence for r in ledger.show(last=2)] == [3, 4]
    assert [r.sequence for r in ledger.show(action="decide", last=1)] == [3]
    assert ledger.show(last=0) == ()
    assert ledger.show(run="c") == ()


def test_show_does_not_present_an_altered_record_as_true(ledger, entry, tamper):
    ledger.append(entry())
    tamper("update audit set body = replace(body, 'allowed', 'refused')")
    with pytest.raises(LedgerError, match="record 1 was altered"):
        ledger.show()


def test_nothing_is_chained_to_an_altered_record(ledger, entry, tamper):
    ledger.append(entry())
    tamper("update audit set body = replace(body, 'allowed', 'refused')")
    with pytest.raises(LedgerError):
        ledger.append(entry())


def test_an_error_inside_a_transaction_leaves_nothing_behind(ledger, entry):
    def fail_after_writing() -> None:
        with ledger.transaction() as tx:
            tx.append(entry())
            tx.use_grant("g_credit_risk_ml_coe")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_after_writing()
    assert ledger.show() == ()
    assert ledger.grant_uses("g_credit_risk_ml_coe") == 0
    assert ledger.append(entry()).sequence == 1


def test_a_refusal_inside_a_transaction_is_all_that_is_written(ledger, entry):
    def refuse_after_writing() -> None:
        with ledger.transaction() as tx:
            tx.append(entry(action="release", rows_bucket="500", released="sha256:aa"))
            tx.use_grant("g_credit_risk_ml_coe")
            raise PolicyError("Expired.", remedy="Ask again.", reason="grant.expired")

    with pytest.raises(PolicyError):
        refuse_after_writing()
    (record,) = ledger.show()
    assert (record.action, record.decision) == ("refuse", "refused")
    assert (record.rule, record.run) == ("grant.expired", "run-1")
    assert record.released is None
    assert ledger.grant_uses("g_credit_risk_ml_coe") == 0


def test_several_records_of_one_transaction_are_one_chain(ledger, entry):
    with ledger.transaction() as tx:
        tx.append(entry())
        head = tx.append(entry(action="open"))
    assert ledger.head() == head
    assert verify(ledger).records == 2


def test_a_transaction_inside_a_transaction_is_a_defect_that_is_named(ledger, entry):
    def nest() -> None:
        with ledger.transaction() as tx:
            tx.append(entry())
            ledger.append(entry())

    with pytest.raises(LedgerError, match="open already"):
        nest()
    assert ledger.show() == ()


def test_a_transaction_sees_its_own_writes(ledger, entry):
    with ledger.transaction() as tx:
        head = tx.append(entry())
        assert ledger.head() == head


def test_a_clock_behind_the_newest_record_is_refused_and_the_refusal_kept(
    ledger, entry
):
    ledger.append(entry(), now=NOW)
    with pytest.raises(PolicyError) as caught:
        ledger.append(entry(action="open"), now=NOW - timedelta(seconds=2.1))
    assert caught.value.reason == "clock.moved_back"
    record = ledger.show()[-1]
    assert (record.action, record.rule) == ("refuse", "clock.moved_back")
    assert ledger.clock_floor() == NOW


def test_small_steps_back_are_allowed_but_never_add_up(ledger, entry):
    ledger.append(entry(), now=NOW)
    for _ in range(3):
        ledger.append(entry(), now=NOW - timedelta(seconds=2))
    assert {r.at for r in ledger.show()} == {"2026-11-02T09:30:00.000000+00:00"}


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=365)])
def test_a_clock_moved_far_back_is_refused(ledger, entry, back):
    ledger.append(entry(), now=NOW)
    with pytest.raises(PolicyError):
        ledger.append(entry(), now=NOW - back)


def test_the_clock_floor_survives_closing(path, entry):
    with Ledger.open(path) as ledger:
        ledger.append(entry(), now=NOW)
    with Ledger.open(path) as again, pytest.raises(PolicyError):
        again.append(entry(), now=NOW - timedelta(hours=1))


def test_without_a_given_time_the_clock_is_read(ledger, entry):
    before = datetime.now(UTC)
    ledger.append(entry())
    assert before <= ledger.clock_floor() <= datetime.now(UTC)


def test_threads_that_share_a_ledger_leave_no_gap(ledger, entry):
    def write() -> None:
        for _ in range(25):
            ledger.append(entry())

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(ledger)
    assert (found.ok, found.records) == (True, 100)


def test_a_thread_waits_for_another_threads_transaction_and_then_gives_up(path, entry):
    errors: list[Exception] = []

    def write(shared: Ledger) -> None:
        try:
            shared.append(entry())
        except StorageError as error:
            errors.append(error)

    with Ledger.open(path, busy_seconds=0.05) as ledger:
        with ledger.transaction() as tx:
            tx.append(entry())
            thread = threading.Thread(target=write, args=(ledger,))
            thread.start()
            thread.join()
        assert "another thread" in str(errors[0])
        assert verify(ledger).records == 1
