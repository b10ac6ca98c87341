"""Every kind of change, with the verdict that governance gives it."""

import pytest

import fl_plugin.contracts.diff as room
from fl_plugin.contracts.diff import changes
from fl_plugin.contracts.verdict import EXIT_CODES
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.selection import CLASSES
from tests.unit.contracts import cases_access, cases_mesh, cases_policy
from tests.unit.contracts.conftest import PRODUCT, mesh, node
from tests.unit.contracts.edits import (
    accepted,
    add_test,
    col,
    constraint,
    decision,
    field,
    put,
    strange_approver,
)

CASES = [*cases_access.CASES, *cases_policy.CASES, *cases_mesh.CASES]


# These are about a product that is new or has moved: its policy is compared as well.
ELSEWHERE = {"product.copied", "product.moved"}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}-{c.verdict}")
def test_a_change_has_its_verdict(diffed, case):
    found = diffed(case.edit, case.before)
    assert (case.kind, case.verdict) in {(c.kind, c.verdict) for c in found}
    about = [c for c in found if c.kind == case.kind]
    assert all(c.sentence.endswith(".") and c.product for c in about)
    assert "unknown" not in {c.kind for c in found}
    # What is not written down as a loosening loosens nothing by the way either.
    if case.verdict != "loosened" and case.kind not in ELSEWHERE:
        assert not [c for c in found if c.verdict == "loosened"]


def test_the_table_holds_more_kinds_than_were_asked_for(figure):
    kinds = {case.kind for case in CASES}
    figure("policy diff: kinds of change with a verdict", len(kinds))
    figure("policy diff: cases", len(CASES))
    assert len(kinds) >= 40
    assert {case.verdict for case in CASES} == {
        "safe",
        "tightened",
        "review",
        *EXIT_CODES,
    }


def test_nothing_has_changed_between_a_manifest_and_itself(diffed):
    assert diffed(lambda raw: None) == ()


def test_the_classes_are_in_the_mesh_s_order(vocabulary):
    assert vocabulary.classifications == CLASSES


def test_a_tightening_names_the_grants_that_it_stops_and_whom_to_write_to(diffed):
    (change,) = diffed(put("min_cohort", 26))
    assert change.stops == ("consumer_banking.g_credit_risk_ml_coe",)
    assert {(t.through, t.address) for t in change.consumers} == {
        ("grant consumer_banking.g_credit_risk_ml_coe", "ml-coe@bank.example"),
        ("study credit_risk", "ml-coe@bank.example"),
    }


def test_a_change_of_a_column_touches_those_who_name_it(diffed):
    (named,) = diffed(col("age", "bounds", [19, 100]))
    (unnamed,) = diffed(col("foreign_worker", "uses", ["aggregate"]))
    assert named.consumers
    assert not unnamed.consumers
    assert unnamed.stops  # a new fingerprint stops the grant all the same


def test_a_change_of_words_stops_nothing(diffed):
    (change,) = diffed(field("description", "Otherwise."))
    assert (change.stops, change.consumers) == ((), ())


def test_what_stops_a_grant_is_told_apart_from_what_came_with_it(diffed):
    def edit(raw):
        put("min_cohort", 26)(raw)
        field("description", "Otherwise.")(raw)

    stops = {c.kind: bool(c.stops) for c in diffed(edit)}
    assert stops == {"cohort.raised": True, "description.product": False}


def test_who_becomes_a_steward_cannot_approve_in_the_same_change(diffed, compared):
    """Even where everything else about the approval holds on the head."""
    heads = compared(strange_approver).head.products
    head = next(p for p in heads if p.name == PRODUCT)

    def edit(raw):
        strange_approver(raw)
        decision(policy=policy_fingerprint(head))(raw)

    (found,) = [c for c in diffed(edit) if c.kind == "grant.unfounded"]
    assert found.verdict == "loosened"
    assert "becomes a steward" in found.sentence


def test_one_domain_s_changes_can_be_looked_at_alone(diffed):
    def both(raw):
        put("min_cohort", 10)(raw)
        mesh(raw, "model.auto_finance.credit_profile.v1")["min_cohort"] = 10

    assert {c.product for c in diffed(both)} == {
        PRODUCT,
        "auto_finance.credit_profile",
    }
    alone = diffed(both, domain="auto_finance")
    assert {c.product for c in alone} == {"auto_finance.credit_profile"}


def test_no_sentence_holds_a_value_of_data(diffed):
    """Filters, bounds and accepted values come from data, or may."""

    def edit(raw):
        put("row_filter", "amount <> 4711")(raw)
        col("age", "bounds", [18, 4711])(raw)
        accepted(raw).append("v4711")
        constraint(raw)
        node(raw)["constraints"][-1]["expression"] = "amount <> 4711"
        add_test(raw)
        kwargs = raw["nodes"]["test.consumer_banking.in_range_more"]["test_metadata"]
        kwargs["kwargs"] = {"low": 4711}

    found = diffed(edit)
    assert len(found) >= 5
    assert not [c for c in found if "4711" in c.sentence]


def test_what_no_family_explains_is_loosened(compared, monkeypatch):
    """Without the family of cohorts a smaller one is still found."""
    others = tuple(f for f in room.families() if f.name != "cohort")
    monkeypatch.setattr(room, "families", lambda: others)
    both = compared(put("min_cohort", 26))
    (change,) = changes(both, lambda _, found: found)
    assert (change.kind, change.verdict) == ("unknown", "loosened")
    assert "contract.min_cohort" in change.sentence


def test_a_fingerprint_that_nobody_can_explain_is_loosened(compared, monkeypatch):
    told = iter(("sha256:a", "sha256:b"))
    monkeypatch.setattr(room, "policy_fingerprint", lambda _: next(told))
    both = compared(field("description", "Otherwise."))
    pair = next(p for p in both.pairs if p.head.name == PRODUCT)
    assert "unknown" in {f.kind for f in room.explained(pair)}
