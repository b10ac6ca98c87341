"""Each role of the mesh: what it may hold where all is given to it, and what not."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from fl_plugin.policy.decision import decide
from fl_plugin.policy.permissions.holding import Question, Target
from fl_plugin.policy.permissions.permission import Permission, Principal, Verb
from fl_plugin.policy.principals import Consumer, Principals, load_principals

TODAY = date(2026, 11, 21)
MESH = load_principals(Path(__file__).resolve().parents[3])
VERBS = ("describe", "select", "alter", "create_table", "associate", "super")
MAY = {
    "mesh_owner": {"describe", "associate"},
    "steward": {"describe", "select", "alter", "create_table", "associate"},
    "product_owner": {"describe", "select", "alter", "create_table"},
    "location_registrar": {"create_table"},
    "crawler": {"describe", "alter"},
    "consumer_admin": {"describe", "select"},
    "analyst": {"describe", "select"},
    "data_scientist": {"describe", "select"},
    "ml_platform": {"describe", "select"},
}
PRODUCT = Target(domain="consumer_banking", product="consumer_banking.credit_profile")


def given(role, verbs=VERBS) -> Permission:
    return Permission.model_validate(
        {
            "name": "everything",
            "given_by": {"domain": "consumer_banking"},
            "to": {"role": role},
            "verbs": tuple(verbs),
            "resource": {"domain": "consumer_banking"},
        }
    )


def held(role, verb, permissions) -> bool:
    question = Question(
        verb=verb,
        target=PRODUCT,
        today=TODAY,
        permissions=permissions,
        who=MESH.identity,
    )
    return question.answer(MESH.identity(Principal(role=role))).held


def test_the_mesh_has_just_these_roles_and_verbs():
    assert set(MESH.roles) == set(MAY)
    assert set(get_args(Verb)) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", MAY)
def test_a_role_that_is_given_everything_holds_just_what_it_may(role, verb):
    assert held(role, verb, (given(role),)) is (verb in MAY[role])


@pytest.mark.parametrize("role", MAY)
def test_a_role_alone_opens_nothing(role):
    assert not any(held(role, verb, ()) for verb in VERBS)


@pytest.mark.parametrize("role", MAY)
def test_a_role_is_given_no_more_than_what_was_said(role):
    (least, *_) = sorted(MAY[role])
    permissions = (given(role, [least]),)
    assert {verb for verb in VERBS if held(role, verb, permissions)} == {least}


@pytest.mark.parametrize("role", MAY)
def test_only_a_consumer_whose_role_may_select_is_let_in(role, facts_with):
    facts = facts_with()
    coe = Consumer(attributes={"org_unit": ("ml_coe",)}, roles=(role,))
    people = Principals(roles=MESH.roles, consumers={"ml_coe": coe})
    node = replace(facts.node, principals=people, permissions=(given(role),))
    decision = decide(replace(facts, node=node))
    if "select" in MAY[role]:
        assert decision.complete
    else:
        assert decision.refusal is not None
        assert decision.refusal.reason == "permission.role"
