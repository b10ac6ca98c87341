"""The decision table, steps 5 to 9: every fact missing, wrong or out of range."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fl_plugin.policy.decision import decide

Change = dict[str, Any]

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DP: Change = {"epsilon": 4.0, "delta": 1e-5, "period_days": 365}
NOISY: Change = {"grant": {"epsilon": 2.0}, "request": {"epsilon": 1.0}}


def contract(**words: Any) -> Change:
    return {"product": {"contract": words}}


NO: dict[str, list[Change]] = {
    "purpose.not_allowed": [{"grant": {"purpose": "fraud_detection"}}],
    "use.not_allowed": [
        {"request": {"uses": ()}},
        {"grant": {"uses": ("evaluate",)}},
        {"grant": {"uses": ()}},
    ],
    "column.unknown": [
        {"request": {"columns": {}}},
        {"request": {"columns": {"not_there": "feature"}}},
        {"request": {"columns": {"AGE": "feature"}}},
    ],
    "column.not_granted": [
        {"grant": {"columns": ("amount", "is_bad")}},
        {"grant": {"columns": ()}},
    ],
    "column.role": [
        {"request": {"columns": {"age": "label"}}},
        {"request": {"columns": {"is_bad": "feature"}}},
        {"request": {"columns": {"is_bad": "shared_label"}}},
        {"request": {"columns": {"age": "shared_label"}}},
        {"request": {"columns": {"opt_out": "feature"}}},
        {"request": {"columns": {"age": ""}}},
    ],
    "column.use": [
        {
            "request": {"columns": {"customer_id": "join_key"}},
            "grant": {"columns": ("customer_id",)},
        },
        {"product": {"columns": {"age": {"uses": []}}}},
        {"product": {"columns": {"age": {"uses": ["evaluate"]}}}},
    ],
    "algorithm.not_allowed": [
        {"request": {"algorithm": "other"}},
        {"request": {"algorithm": ""}},
        {"node": {"algorithms": {}}},
    ],
    "parameter.out_of_range": [
        {"request": {"parameters": {name: value}}}
        for name, value in [
            ("l2", 0.00001),
            ("l2", 10001),
            ("l2", float("nan")),
            ("l2", float("inf")),
            ("l2", True),
            ("l2", "1.0"),
            ("l2", None),
            ("l2", [1.0, 10001.0]),
            ("l2", []),
            ("l2", [[1.0]]),
            ("max_rounds", 101),
            ("unknown", 1),
        ]
    ],
    "privacy.too_few_parties": [
        {"request": {"parties": 2}},
        {"request": {"parties": 0}},
        {"request": {"parties": -3}},
    ],
    "privacy.masks_required": [
        {"request": {"secure_aggregation": False}},
        {"request": {"secure_aggregation": None}},
    ],
    "quality.unknown": [
        {"measured": {"completeness": None}},
        {"measured": {"validity": None}},
        {"measured": {"uniqueness": None}},
        {"measured": {"built_at": None}},
        {"measured": {"tests_failed": None}},
    ],
    "quality.tests": [
        {"measured": {"tests_failed": 1}},
        contract(quality=None, freshness_hours=None)
        | {"measured": {"tests_failed": 3}},
    ],
    "quality.completeness": [
        {"measured": {"completeness": 0.9799}},
        {"measured": {"completeness": float("nan")}},
    ],
    "quality.validity": [{"measured": {"validity": 0.98}}],
    "quality.uniqueness": [{"measured": {"uniqueness": 0.999}}],
    "quality.drift": [
        {"measured": {"drift_psi": 0.21}},
        {"measured": {"drift_psi": float("nan")}},
    ],
    "freshness.stale": [
        {"measured": {"built_at": NOW - timedelta(hours=24, seconds=1)}},
        {"measured": {"built_at": NOW - timedelta(days=365)}},
    ],
    "filter.not_allowed": [
        {"filter_columns": None},
        {"filter_columns": ("not_there",)},
        {"filter_columns": None, "rows": None},
    ],
    "cohort.too_small": [
        {"rows": 24},
        {"rows": 0},
        {"rows": -1},
        {"rows": 30, "mesh_min_cohort": 31},
        contract(min_cohort=None) | {"rows": 9},
        contract(min_cohort=None) | {"rows": 0, "mesh_min_cohort": 0},
    ],
    "cohort.too_close": [
        {"cohort_distance": 1},
        {"cohort_distance": 24},
        {"cohort_distance": -1},
    ],
    "privacy.dp_required": [
        {"grant": {"epsilon": 1.0}},
        contract(dp=DP | {"required_for": ["credit_risk"]}),
        contract(dp=DP | {"required_for": ["evaluate"]}),
    ],
    "budget.missing": [contract(dp=None) | NOISY],
    "budget.not_granted": [
        {"request": {"epsilon": 1.0}},
        NOISY | {"request": {"epsilon": 2.1}},
        NOISY | {"request": {"epsilon": float("nan")}},
        NOISY | {"request": {"epsilon": float("inf")}},
    ],
    "budget.exceeded": [
        NOISY | {"epsilon_spent": 3.1},
        NOISY | {"epsilon_spent": float("nan")},
        NOISY | {"epsilon_spent": -10.0},
        NOISY | {"request": {"epsilon": 0.0}},
        NOISY | {"request": {"epsilon": -1.0}},
    ],
    "internal.error": [
        {"now": datetime(2026, 11, 21, 12, 0)},  # noqa: DTZ001 that is the point
        {"table": {"age": None, "amount": 3}},
        {"rows": "many"},
        {"measured": {"completeness": "high"}},
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
