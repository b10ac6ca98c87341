"""The decision table, steps 1 to 4: every fact missing, wrong or expired."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fl_plugin.policy.decision import decide

Change = dict[str, Any]

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEWARD = "steward.consumer@bank.example"
MARKETING: Change = {
    "caller": "marketing_analytics",
    "request": {"consumer": "marketing_analytics"},
    "grant": {"consumer": "marketing_analytics"},
}
ALLOW: Change = {"consumer": {"org_unit": ["ml_coe"]}, "purposes": ["credit_risk"]}


def contract(**words: Any) -> Change:
    return {"product": {"contract": words}}


def table_without(*names: str, **changed: str) -> Change:
    table = {
        "customer_id": "VARCHAR",
        "amount": "DECIMAL(12,2)",
        "age": "INTEGER",
        "opt_out": "BOOLEAN",
        "is_bad": "BOOLEAN",
    } | changed
    return {"table": {n: t for n, t in table.items() if n not in names}}


NO: dict[str, list[Change]] = {
    "product.missing": [
        {"product": {"name": "consumer_banking.other"}},
        {"product": {"domain": "auto_finance"}},
        {"request": {"product": "consumer_banking.other"}},
        {"request": {"version": 2}},
        {"node": {"domain": "auto_finance"}},
    ],
    "product.not_public": [
        {"product": {"access": "protected"}},
        {"product": {"access": "private"}},
        {"product": {"access": ""}},
        {"product": {"access": "Public"}},
    ],
    "product.contract_not_enforced": [{"product": {"contract_enforced": False}}],
    "product.not_active": [contract(status="draft"), contract(status="retired")],
    "product.deprecated": [
        {"product": {"deprecation_date": date(2026, 11, 21)}},
        {"product": {"deprecation_date": date(2020, 1, 1)}},
    ],
    "product.table_missing": [{"table": None}],
    "product.table_differs": [
        {"table": {}},
        table_without("age"),
        table_without(age="BIGINT"),
        table_without(amount="DECIMAL(12,3)"),
        table_without(extra="VARCHAR"),
        table_without("age", Age="INTEGER"),
    ],
    "consumer.unknown": [
        {"caller": ""},
        {"caller": "stranger", "request": {"consumer": "stranger"}},
        {"node": {"consumers": {}}},
    ],
    "consumer.mismatch": [
        {"caller": "marketing_analytics"},
        {"request": {"consumer": "marketing_analytics"}},
    ],
    "access.denied": [
        MARKETING,
        contract(deny=[{"consumer": {"org_unit": ["ml_coe"]}}]),
        contract(deny=[{"purposes": ["credit_risk"]}]),
        contract(deny=[{"uses": ["evaluate"]}]),
        contract(deny=[{"columns": {"names": ["age"]}}]),
        contract(deny=[{"columns": {"roles": ["label"]}}]),
        contract(deny=[{"columns": {"classification": ["restricted"]}}]),
        contract(deny=[{"columns": {"classification": ["confidential"]}}]),
        contract(deny=[{"columns": {"pii": ["quasi"]}}]),
    ],
    "access.not_allowed": [
        contract(allow=[]),
        contract(allow=[ALLOW | {"uses": ["evaluate"]}]),
        contract(
            allow=[ALLOW | {"purposes": ["fraud_detection"], "uses": ["evaluate"]}]
        ),
        contract(
            allow=[
                ALLOW | {"uses": ["evaluate"]},
                ALLOW | {"uses": ["train_horizontal"]},
            ]
        ),
        {"node": {"consumers": {"ml_coe": {}}}},
        {"node": {"consumers": {"ml_coe": {"org_unit": ()}}}},
        {"node": {"consumers": {"ml_coe": {"team": ("ml_coe",)}}}},
        {"request": {"purpose": "fraud_detection"}},
        {"request": {"purpose": "unknown"}},
        {"request": {"uses": ("predict",)}},
    ],
    "clock.moved_back": [
        {"clock_floor": NOW + timedelta(seconds=1)},
        {"clock_floor": NOW + timedelta(days=365)},
        {"measured": {"built_at": NOW + timedelta(minutes=6)}},
    ],
    "grant.missing": [
        {"grants": ()},
        {"grant": {"products": ("consumer_banking.other",)}},
        {"grant": {"product_ids": ("model.consumer_banking.credit_profile.v2",)}},
        {"grant": {"domain": "auto_finance"}},
        {"grant": {"study": "other"}},
        {"grant": {"consumer": "marketing_analytics"}},
        {"request": {"study": "other"}},
    ],
    "grant.not_approved": [
        {"grant": {"status": "requested"}},
        {"grant": {"status": "rejected"}},
        {"grant": {"status": "revoked"}},
        {"grant": {"status": "Approved"}},
        {"grant": {"status": ""}},
    ],
    "grant.expired": [
        {"grant": {"expires": date(2026, 11, 21)}},
        {"grant": {"expires": date(2026, 11, 20)}},
        {"grant": {"expires": None}},
    ],
    "grant.policy_changed": [
        {"grant": {"policy": None}},
        {"grant": {"policy": ""}},
        {"grant": {"policy": "sha256:" + "0" * 64}},
        {"policy_fingerprint": "sha256:" + "0" * 64},
        {
            "policy_fingerprint": "sha256:" + "0" * 64,
            "grant": {"policy": "sha256:" + "0" * 64},
        },
    ],
    "grant.approvers": [
        {"grant": {"approved_by": ()}},
        {"grant": {"approved_by": (STEWARD,)}},
        {"grant": {"approved_by": (STEWARD, STEWARD)}},
        {"grant": {"approved_by": (STEWARD, STEWARD.upper())}},
        {"grant": {"approved_by": (STEWARD, "outsider@bank.example")}},
        {"grant": {"requested_by": STEWARD}},
        {"grant": {"requested_by": STEWARD.upper()}},
        {"grant": {"approved_by": (STEWARD,), "columns": ("age", "not_there")}},
        contract(approval={"approvers": 3, "restricted_approvers": 3}),
        contract(classification="restricted")
        | {
            "grant": {"approved_by": (STEWARD,), "columns": ("age",)},
            "request": {"columns": {"age": "feature"}},
        },
    ],
    "grant.not_yet_valid": [
        {"grant": {"decided_at": date(2026, 11, 22)}},
        {"grant": {"decided_at": None}},
    ],
    "grant.too_long": [
        {"grant": {"expires": date(2026, 11, 4) + timedelta(181)}},
        contract(approval={"max_days": 30}),
    ],
}
TABLE = [(reason, change) for reason, changes in NO.items() for change in changes]


@pytest.mark.parametrize(("reason", "change"), TABLE)
def test_one_wrong_fact_refuses_with_its_own_reason(facts_with, reason, change):
    decision = decide(facts_with(**change))
    assert decision.refusal is not None
    assert decision.refusal.reason == reason
    assert not decision.allowed
    assert not decision.complete
    assert decision.grant is None


@pytest.mark.parametrize(("reason", "change"), TABLE)
def test_a_refusal_is_one_sentence_with_a_remedy(facts_with, reason, change):
    refusal = decide(facts_with(**change)).refusal
    assert refusal is not None
    assert refusal.sentence.endswith(".")
    assert refusal.remedy
    assert "\n" not in refusal.sentence + refusal.remedy


@pytest.mark.parametrize(("reason", "change"), TABLE)
def test_rules_after_the_first_refusal_are_not_reached(facts_with, reason, change):
    outcomes = decide(facts_with(**change)).outcomes
    statuses = [o.status for o in outcomes]
    at = statuses.index("refused")
    assert set(statuses[:at]) <= {"passed", "at_opening"}
    assert set(statuses[at + 1 :]) <= {"not_reached"}
    assert [o.step for o in outcomes] == [1, 1, 1, 2, 3, 3, *range(4, 10)]
