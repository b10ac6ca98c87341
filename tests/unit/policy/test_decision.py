"""What is allowed, and the laws of a decision."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from fl_plugin.errors import MeshError
from fl_plugin.policy import decision as room
from fl_plugin.policy.decision import all_rules, decide
from fl_plugin.policy.rule import Rule
from fl_plugin.policy.types import Decision, Outcome

Change = dict[str, Any]

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEWARD = "steward.consumer@bank.example"
RISK = "risk.consumer@bank.example"
MARKETING: Change = {
    "caller": "marketing_analytics",
    "request": {"consumer": "marketing_analytics"},
    "grant": {"consumer": "marketing_analytics"},
}
NO_PII: Change = {"columns": {"age": {"pii": None}}}
ALLOW: Change = {"consumer": {"org_unit": ["ml_coe"]}, "purposes": ["credit_risk"]}
SHARED: Change = {"columns": {"is_bad": {"label_sharing": "shared"}}}
DP: Change = {"epsilon": 4.0, "delta": 1e-5, "period_days": 365}
NOISY: Change = {"grant": {"epsilon": 2.0}, "request": {"epsilon": 1.0}}


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


YES: dict[str, Change] = {
    "as it stands": {},
    "a version that is not named": {"request": {"version": None}},
    "a product that ends tomorrow": {
        "product": {"deprecation_date": date(2026, 11, 22)}
    },
    "types spelt differently": table_without(amount="decimal(12, 2)", age="int4"),
    "a clock at its floor": {"clock_floor": NOW},
    "a ledger without a clock": {"clock_floor": None},
    "no floor of quality": contract(quality=None, freshness_hours=None),
    "no floor and no measurement": contract(quality=None, freshness_hours=None)
    | {"measured": {"built_at": None, "tests_failed": None, "validity": None}},
    "drift below its floor": {"measured": {"drift_psi": 0.2}},
    "drift that nobody measured": {"measured": {"drift_psi": None}},
    "just fresh": {"measured": {"built_at": NOW - timedelta(hours=24)}},
    "the last day of the grant": {"grant": {"expires": date(2026, 11, 22)}},
    "one approver where nothing is restricted": {
        "grant": {"approved_by": (STEWARD,), "columns": ("amount", "age")},
        "request": {"columns": {"amount": "feature"}},
    },
    "an approver in capitals": {"grant": {"approved_by": (STEWARD.upper(), RISK)}},
    "the longest grant": {"grant": {"expires": date(2026, 11, 4) + timedelta(180)}},
    "fewer columns than granted": {"request": {"columns": {"age": "feature"}}},
    "the lowest parameter": {"request": {"parameters": {"l2": 0.0001}}},
    "the highest parameter": {"request": {"parameters": {"max_rounds": 100}}},
    "no parameter": {"request": {"parameters": {}}},
    "plain sums where the node says so": {
        "request": {"secure_aggregation": False, "parties": 2},
        "node": {"secure_aggregation": "optional"},
    },
    "no row filter": contract(row_filter=None) | {"filter_columns": ()},
    "just enough rows": {"rows": 25},
    "the mesh's floor where the contract has none": contract(min_cohort=None)
    | {"rows": 10},
    "the same cohort": {"cohort_distance": 0},
    "a cohort far enough": {"cohort_distance": 25},
    "a shared label": {
        "product": SHARED,
        "request": {"columns": {"is_bad": "shared_label"}},
    },
    "a grant decided today": {"grant": {"decided_at": date(2026, 11, 21)}},
    "a filter over every column": {
        "filter_columns": ("age", "amount", "customer_id", "is_bad", "opt_out")
    },
    "all of the granted epsilon": NOISY | {"request": {"epsilon": 2.0}},
    "a budget that just suffices": NOISY | {"epsilon_spent": 3.0},
    "marketing without personal data": MARKETING
    | {
        "product": NO_PII
        | {
            "contract": {
                "allow": [
                    ALLOW
                    | {
                        "consumer": {"org_unit": ["marketing"]},
                        "uses": ["train_horizontal", "evaluate"],
                    }
                ]
            }
        }
    },
}


def refusal_of(decision: Decision) -> Outcome:
    assert decision.refusal is not None
    return decision.refusal


@pytest.mark.parametrize("change", YES.values(), ids=YES)
def test_what_every_rule_allows_is_allowed(facts_with, change):
    decision = decide(facts_with(**change))
    assert decision.refusal is None
    assert decision.allowed
    assert decision.complete
    assert decision.grant == "g_credit_risk_ml_coe"
    assert [o.step for o in decision.outcomes] == [1, 1, 1, 2, 3, 3, *range(4, 10)]


def test_without_a_product_every_rule_says_no_or_is_not_reached(facts_with):
    decision = decide(replace(facts_with(), product=None))
    assert refusal_of(decision).reason == "product.missing"
    assert decision.min_cohort == 10


def test_each_rule_alone_refuses_when_there_is_no_product(facts_with):
    facts = replace(facts_with(), product=None)
    about_product = [r for r in all_rules() if r.name not in {"consumer", "algorithm"}]
    assert {r.check(facts).status for r in about_product} == {"refused"}


def test_a_plan_leaves_the_cohort_for_the_opening(facts_with):
    decision = decide(facts_with(rows=None))
    assert decision.allowed
    assert not decision.complete
    waiting = [o.rule for o in decision.outcomes if o.status == "at_opening"]
    assert waiting == ["cohort", "budget"]


@pytest.mark.parametrize("rows", [0, 7, 24])
def test_a_refusal_never_says_how_many_rows(facts_with, rows):
    changed = facts_with(rows=rows)
    other = facts_with(rows=rows + 1 if rows < 24 else 1)
    assert decide(changed) == decide(other)


def test_a_refusal_names_whom_to_ask(facts_with):
    decision = decide(facts_with(grants=()))
    assert "support.consumer@bank.example" in refusal_of(decision).remedy
    assert decision.contact == "Consumer banking (support.consumer@bank.example)"


def test_the_type_of_an_enum_is_told_without_its_values(facts_with):
    table = dict(facts_with().table) | {"age": "ENUM('canary_value')"}
    refusal = refusal_of(decide(facts_with(table=table)))
    assert "ENUM" in refusal.sentence
    assert "CANARY" not in refusal.sentence.upper()


def test_what_could_not_be_looked_at_is_said(facts_with):
    planned = decide(facts_with(rows=None)).outcomes
    opened = decide(facts_with(measured={"drift_psi": 0.1})).outcomes
    assert "Drift has not been measured" in planned[-3].sentence
    assert "Drift" not in opened[-3].sentence
    assert "when the table is opened" in planned[-2].sentence
    assert "when the table is opened" in planned[-1].sentence
    assert "when the table is opened" not in opened[-2].sentence + opened[-1].sentence


def test_a_product_without_a_drift_floor_says_nothing_of_drift(facts_with):
    outcomes = decide(facts_with(product={"contract": {"quality": None}})).outcomes
    assert "Drift" not in outcomes[-3].sentence


def test_two_grants_are_never_added_up(facts_with, grant_with):
    facts = facts_with()
    halves = (
        grant_with(facts.product, name="g_a", columns=("amount", "age")),
        grant_with(facts.product, name="g_b", columns=("is_bad",)),
    )
    decision = decide(replace(facts, grants=halves))
    assert refusal_of(decision).reason == "column.not_granted"


def test_a_renewed_grant_outlives_the_expired_one(facts_with, grant_with):
    facts = facts_with()
    old = grant_with(facts.product, name="g_old", expires=date(2026, 11, 10))
    decision = decide(replace(facts, grants=(old, *facts.grants)))
    assert decision.grant == "g_credit_risk_ml_coe"


def test_the_newest_grant_explains_a_refusal(facts_with, grant_with):
    facts = facts_with()
    old = grant_with(
        facts.product,
        name="g_old",
        decided_at=date(2026, 1, 4),
        expires=date(2026, 2, 2),
    )
    new = grant_with(facts.product, name="g_new", status="revoked")
    decision = decide(replace(facts, grants=(old, new)))
    assert refusal_of(decision).reason == "grant.not_approved"


def test_a_local_time_zone_moves_no_date(facts_with):
    """In the west it is still the day before."""
    west = timezone(timedelta(hours=-12))
    now = datetime(2026, 11, 21, 6, 0, tzinfo=UTC).astimezone(west)
    early = {"measured": {"built_at": now}, "clock_floor": None, "now": now}
    facts = facts_with(**early, grant={"expires": date(2026, 11, 21)})
    assert refusal_of(decide(facts)).reason == "grant.expired"
    ended = facts_with(**early, product={"deprecation_date": date(2026, 11, 21)})
    assert refusal_of(decide(ended)).reason == "product.deprecated"


class _Breaks(Rule):
    step = 3
    name = "breaks"

    def refusals(self, _):
        yield from ()
        raise RuntimeError("canary 4711")

    def says(self, _):
        return ""


class _Mumbles(Rule):
    step = 3
    name = "mumbles"

    def check(self, _):
        return True

    def refusals(self, _):
        yield from ()

    def says(self, _):
        return ""


class _SkipsAll(_Mumbles):
    name = "skips"

    def check(self, _):
        return Outcome(
            step=3, rule="skips", status="not_reached", reason="", sentence=""
        )


@pytest.mark.parametrize("broken", [_Breaks, _Mumbles, _SkipsAll])
def test_a_rule_that_breaks_refuses_without_details(monkeypatch, facts_with, broken):
    rules = (*all_rules(), broken())
    monkeypatch.setattr(room, "all_rules", lambda: rules)
    decision = decide(facts_with())
    assert refusal_of(decision).reason == "internal.error"
    assert "4711" not in repr(decision)


def test_rules_that_cannot_be_loaded_refuse(monkeypatch, facts_with):
    def fail():
        raise MeshError("a plug-in is broken", remedy="mend it")

    monkeypatch.setattr(room, "all_rules", fail)
    decision = decide(facts_with())
    assert refusal_of(decision).reason == "internal.error"


def test_a_step_without_a_rule_is_an_error(monkeypatch):
    kept = {f"r{r.step}": type(r) for r in all_rules() if r.step != 4}
    monkeypatch.setattr(room, "discover", lambda *_: kept)
    with pytest.raises(LookupError):
        all_rules.__wrapped__()


def test_every_rule_tells_what_it_does_and_the_remedy():
    for rule in all_rules():
        assert "Remedy:" in (type(rule).__doc__ or "")
