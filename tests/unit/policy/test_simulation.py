"""What a decision would be if the stewards approved: nothing else is supposed."""

from dataclasses import replace

import pytest

from fl_plugin.policy.decision import decide
from fl_plugin.policy.simulation import suppose_granted


def test_a_missing_grant_is_supposed(facts_with):
    facts = facts_with(grants=())
    assert not decide(facts).allowed
    assert decide(suppose_granted(facts)).grant == "supposed"


def test_a_required_signature_is_supposed(facts_with):
    facts = facts_with(grants=(), node={"require_signatures": ("grants",)})
    assert decide(suppose_granted(facts)).allowed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"request": {"purpose": "marketing"}}, "access.not_allowed"),
        ({"request": {"uses": ("query",)}}, "access.not_allowed"),
        ({"request": {"columns": {"opt_out": "feature"}}}, "column.role"),
        ({"request": {"algorithm": "unlisted"}}, "algorithm.not_allowed"),
        ({"node": {"principals_pinned": False}}, "consumer.list_changed"),
        ({"node": {"require_signatures": ("contracts",)}}, "contract.unsigned"),
        ({"node": {"permissions": ()}}, "permission.missing"),
        ({"rows": 3}, "cohort.too_small"),
    ],
)
def test_what_no_grant_can_change_is_not_supposed(facts_with, change, reason):
    refusal = decide(suppose_granted(facts_with(**change))).refusal
    assert refusal is not None
    assert refusal.reason == reason


def test_too_few_stewards_cannot_approve_a_restricted_column(facts_with):
    facts = facts_with()
    owner = replace(facts.product.owner, stewards=facts.product.owner.stewards[:1])
    refusal = decide(suppose_granted(facts_with(product={"owner": owner}))).refusal
    assert refusal is not None
    assert refusal.reason == "grant.approvers"
