"""A budget is never overspent, and a spend never stands without its record."""

from datetime import UTC, datetime, timedelta

import pytest

from fl_plugin.errors import LedgerError, PolicyError
from fl_plugin.ledger import verify

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PRODUCT = "consumer_banking.credit_profile"
WHO = ("ml_coe", "credit_risk")


@pytest.fixture
def spend(ledger, entry):
    def run(epsilon, *, limit=4.0, since=None, now=None, **changes):
        with ledger.transaction(now=now) as tx:
            record = entry(action="release", epsilon=epsilon, **changes)
            tx.append(record)
            tx.spend(record.consumer, record.purpose, epsilon, limit, since=since)

    return run


def test_a_spend_counts_for_its_consumer_purpose_and_product(ledger, spend):
    spend(1.5)
    assert ledger.epsilon_spent(*WHO, PRODUCT) == 1.5
    assert ledger.epsilon_spent(*WHO) == 1.5
    assert ledger.epsilon_spent(*WHO, "auto_finance.credit_profile") == 0
    assert ledger.epsilon_spent("marketing_analytics", "credit_risk") == 0
    assert ledger.epsilon_spent("ml_coe", "fraud_detection") == 0


def test_each_consumer_purpose_and_product_has_its_own_budget(spend):
    spend(4.0)
    spend(4.0, product="auto_finance.credit_profile")
    spend(4.0, purpose="fraud_detection")
    spend(4.0, consumer="marketing_analytics")
    with pytest.raises(PolicyError):
        spend(0.1)


def test_a_spend_above_the_limit_writes_the_refusal_and_nothing_else(ledger, spend):
    spend(3.0)
    with pytest.raises(PolicyError) as caught:
        spend(1.1)
    assert caught.value.reason == "budget.exceeded"
    records = ledger.show()
    assert [r.action for r in records] == ["release", "refuse"]
    assert (records[1].rule, records[1].epsilon) == ("budget.exceeded", None)
    assert ledger.epsilon_spent(*WHO, PRODUCT) == 3.0
    assert verify(ledger).ok


def test_forty_spends_of_a_tenth_fit_a_limit_of_four_and_one_more_does_not(
    ledger, spend
):
    for _ in range(40):
        spend(0.1)
    assert ledger.epsilon_spent(*WHO) == 4.0
    with pytest.raises(PolicyError):
        spend(1e-9)


def test_less_than_a_billionth_is_charged_as_a_billionth(ledger, spend):
    spend(1e-12)
    assert ledger.epsilon_spent(*WHO) == 1e-9


def test_spends_before_the_period_do_not_count(ledger, spend):
    spend(4.0, now=NOW)
    later = NOW + timedelta(days=365)
    spend(4.0, since=NOW + timedelta(seconds=1), now=later)
    assert ledger.epsilon_spent(*WHO) == 8.0
    assert ledger.epsilon_spent(*WHO, since=later) == 4.0


def test_a_spend_at_the_start_of_the_period_counts(spend):
    spend(4.0, now=NOW)
    with pytest.raises(PolicyError):
        spend(0.5, since=NOW, now=NOW)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 1e7])
def test_a_senseless_epsilon_is_refused(ledger, spend, epsilon):
    with pytest.raises(LedgerError):
        spend(epsilon)
    assert ledger.show() == ()


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -1.0])
def test_a_senseless_limit_allows_nothing(ledger, spend, limit):
    with pytest.raises(LedgerError):
        spend(1.0, limit=limit)
    assert ledger.epsilon_spent(*WHO) == 0


def test_an_epsilon_on_record_must_be_spent_with_it(ledger, entry):
    with pytest.raises(LedgerError, match="not spent"):
        ledger.append(entry(epsilon=1.0))
    assert ledger.show() == ()


@pytest.mark.parametrize(
    "call",
    [
        ("marketing_analytics", "credit_risk", 1.0),
        ("ml_coe", "fraud_detection", 1.0),
        ("ml_coe", "credit_risk", 0.5),
    ],
)
def test_a_spend_that_differs_from_its_record_is_refused(ledger, entry, call):
    def spend_otherwise() -> None:
        with ledger.transaction() as tx:
            tx.append(entry(epsilon=1.0))
            tx.spend(*call, 4.0)

    with pytest.raises(LedgerError, match="must match its record"):
        spend_otherwise()


def test_one_record_is_spent_once(ledger, entry):
    def spend_twice() -> None:
        with ledger.transaction() as tx:
            tx.append(entry(epsilon=1.0))
            tx.spend(*WHO, 1.0, 4.0)
            tx.spend(*WHO, 1.0, 4.0)

    with pytest.raises(LedgerError, match="once"):
        spend_twice()
    assert ledger.epsilon_spent(*WHO) == 0


def test_state_without_its_record_is_refused(ledger):
    def count_without_record() -> None:
        with ledger.transaction() as tx:
            tx.use_grant("g_credit_risk_ml_coe")

    with pytest.raises(LedgerError, match="record must be appended"):
        count_without_record()


def test_uses_of_a_grant_are_counted_one_by_one(ledger, entry):
    counts = []
    for _ in range(3):
        with ledger.transaction() as tx:
            tx.append(entry())
            counts.append(tx.use_grant("g_credit_risk_ml_coe"))
    assert counts == [1, 2, 3]
    assert ledger.grant_uses("g_credit_risk_ml_coe") == 3
    assert ledger.grant_uses("g_other") == 0
