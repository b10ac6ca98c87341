"""Step 7: a broken floor stops where the contract says so; the unknown always does."""

import pytest

from fl_plugin.policy.decision import decide
from fl_plugin.policy.fingerprint import policy_fingerprint

FLOORS = {"completeness": 0.98, "validity": 0.99, "uniqueness": 1.0, "drift_psi": 0.2}
BROKEN = [
    {"completeness": 0.9},
    {"validity": 0.9},
    {"uniqueness": 0.9},
    {"drift_psi": 0.21, "has_baseline": True},
]


def warned(**words):
    return {"contract": {"quality": FLOORS | {"on_breach": "warn"}} | words}


def outcome(decision):
    return next(o for o in decision.outcomes if o.rule == "quality")


@pytest.mark.parametrize("measured", BROKEN)
def test_a_broken_floor_stops_unless_the_contract_only_warns(facts_with, measured):
    refusal = decide(facts_with(measured=measured)).refusal
    assert refusal is not None
    assert refusal.step == 7
    mild = decide(facts_with(product=warned(), measured=measured))
    assert mild.refusal is None
    assert "only warns" in outcome(mild).sentence
    assert next(iter(measured)).partition("_")[0] in outcome(mild).sentence


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ({"validity": None}, "quality.unknown"),
        ({"tests_failed": None}, "quality.unknown"),
        ({"tests_failed": 1}, "quality.tests"),
        ({"has_baseline": True}, "quality.drift_unknown"),
        ({"has_baseline": True, "drift_psi": None}, "quality.drift_unknown"),
    ],
)
def test_what_is_not_measured_stops_even_where_a_breach_only_warns(
    facts_with, measured, reason
):
    decision = decide(facts_with(product=warned(), measured=measured))
    assert decision.refusal is not None
    assert decision.refusal.reason == reason


def test_the_first_run_is_possible_and_says_that_drift_is_not_measured(facts_with):
    decision = decide(facts_with())
    assert decision.refusal is None
    assert "Drift has not been measured" in outcome(decision).sentence


def test_a_build_that_was_compared_says_nothing_of_drift(facts_with):
    decision = decide(facts_with(measured={"has_baseline": True, "drift_psi": 0.05}))
    assert decision.refusal is None
    assert "rift" not in outcome(decision).sentence


def test_without_a_floor_of_drift_none_is_asked_for(facts_with):
    product = {"contract": {"quality": {"completeness": 0.98}}}
    for drift in (None, 0.9):
        measured = {"has_baseline": True, "drift_psi": drift}
        assert decide(facts_with(product=product, measured=measured)).allowed


def test_the_default_leaves_a_fingerprint_as_it_was(product_with):
    plain = product_with(contract={"quality": FLOORS})
    said = product_with(contract={"quality": FLOORS | {"on_breach": "stop"}})
    warns = product_with(contract={"quality": FLOORS | {"on_breach": "warn"}})
    assert policy_fingerprint(plain) == policy_fingerprint(said)
    assert policy_fingerprint(plain) != policy_fingerprint(warns)
