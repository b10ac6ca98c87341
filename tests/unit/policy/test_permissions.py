"""Permissions: by name and by tag, passed on, cut upstream, denied, expired."""

from datetime import date
from typing import Any

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.manifest.validation import validated
from fl_plugin.policy.permissions.holding import Holding, Identity, Question, Target
from fl_plugin.policy.permissions.permission import PermissionsFile
from fl_plugin.policy.principals import Principals

TODAY = date(2026, 11, 21)
PRODUCT = Target(
    domain="consumer_banking",
    product="consumer_banking.credit_profile",
    tags={"lob": "consumer_banking", "subject": "customer"},
)
WHO = validated(
    Principals,
    {
        "roles": {
            "data_scientist": ["describe", "select"],
            "crawler": ["describe", "alter"],
            "steward": ["describe", "select", "alter", "associate"],
        },
        "consumers": {
            "ml_coe": {
                "attributes": {"org_unit": ["ml_coe"]},
                "roles": ["data_scientist"],
            },
            "analytics": {
                "attributes": {"org_unit": ["analytics"]},
                "roles": ["data_scientist"],
            },
            "registrar": {"roles": ["crawler"]},
        },
        "people": {
            "steward.consumer@bank.example": {
                "roles": ["steward"],
                "domain": "consumer_banking",
            }
        },
    },
    "principals",
)
TO_COE: dict[str, Any] = {
    "name": "to_coe",
    "given_by": {"domain": "consumer_banking"},
    "to": {"consumer": "ml_coe"},
    "verbs": ["describe", "select"],
    "grant_option": ["select"],
    "resource": {"product": "consumer_banking.credit_profile"},
}
PASSED_ON: dict[str, Any] = {
    "name": "passed_on",
    "given_by": {"consumer": "ml_coe"},
    "to": {"consumer": "analytics"},
    "verbs": ["select"],
    "resource": {"product": "consumer_banking.credit_profile"},
}


def ask(
    who: dict[str, str], verb: Any, *lines: dict[str, Any], target: Target = PRODUCT
) -> Holding:
    file = validated(PermissionsFile, {"permissions": lines}, "permissions")
    named = file.permissions[0].to.model_validate(who) if file.permissions else None
    asker = WHO.identity(named) if named else Identity(names=frozenset(who.items()))
    question = Question(
        verb=verb,
        target=target,
        today=TODAY,
        permissions=file.permissions,
        who=WHO.identity,
    )
    return question.answer(asker)


COE, ANALYTICS = {"consumer": "ml_coe"}, {"consumer": "analytics"}


def test_what_the_owner_gives_is_held():
    assert ask(COE, "select", TO_COE) == Holding(
        held=True, reason="held", chain=("to_coe",)
    )


def test_without_a_permission_nothing_is_held():
    assert ask(ANALYTICS, "select", TO_COE).reason == "missing"


def test_another_verb_is_not_held():
    assert not ask(COE, "alter", TO_COE | {"verbs": ["describe"]}).held


def test_the_owner_needs_no_permission():
    assert ask({"domain": "consumer_banking"}, "alter", TO_COE).reason == "owner"


def test_a_steward_acts_for_the_domain():
    who = {"person": "Steward.Consumer@bank.example"}
    assert ask(who, "alter", TO_COE).reason == "owner"


def test_another_domain_owns_nothing_here():
    assert not ask({"domain": "auto_finance"}, "describe", TO_COE).held


def test_with_the_grant_option_it_is_passed_on():
    found = ask(ANALYTICS, "select", TO_COE, PASSED_ON)
    assert found.chain == ("to_coe", "passed_on")


def test_without_the_grant_option_it_is_not_passed_on():
    kept = TO_COE | {"grant_option": ["describe"]}
    assert not ask(ANALYTICS, "select", kept, PASSED_ON).held


def test_what_is_revoked_upstream_is_cut_downstream():
    assert not ask(ANALYTICS, "select", PASSED_ON).held


def test_what_expires_upstream_is_cut_downstream():
    ends = TO_COE | {"expires": "2026-11-21"}
    assert not ask(ANALYTICS, "select", ends, PASSED_ON).held
    assert ask(ANALYTICS, "select", TO_COE | {"expires": "2026-11-22"}, PASSED_ON).held


def test_a_circle_gives_nobody_anything():
    one = PASSED_ON | {"name": "one", "grant_option": ["select"]}
    two = one | {"name": "two", "given_by": ANALYTICS, "to": COE}
    assert not ask(ANALYTICS, "select", one, two).held
    assert not ask(COE, "select", one, two).held


def test_a_deny_wins_over_a_permission():
    deny = TO_COE | {"name": "no", "effect": "deny", "grant_option": []}
    found = ask(COE, "select", TO_COE, deny)
    assert found == Holding(held=False, reason="denied", chain=("no",))


def test_a_deny_upstream_cuts_downstream():
    deny = TO_COE | {"name": "no", "effect": "deny", "grant_option": []}
    assert not ask(ANALYTICS, "select", TO_COE, PASSED_ON, deny).held


def test_a_deny_wins_even_over_the_owner():
    deny = {
        "name": "frozen",
        "effect": "deny",
        "given_by": {"domain": "consumer_banking"},
        "to": {"domain": "consumer_banking"},
        "verbs": ["alter"],
        "resource": {"domain": "consumer_banking"},
    }
    assert not ask({"domain": "consumer_banking"}, "alter", deny).held


@pytest.mark.parametrize(
    ("tags", "held"),
    [
        ({"lob": ["consumer_banking"]}, True),
        ({"lob": ["auto_finance", "consumer_banking"]}, True),
        ({"lob": ["consumer_banking"], "subject": ["customer"]}, True),
        ({"lob": ["consumer_banking"], "subject": ["account"]}, False),
        ({"lob": ["auto_finance"]}, False),
        ({"region": ["eu"]}, False),
    ],
)
def test_keys_of_a_tag_expression_are_joined_by_and_and_values_by_or(tags, held):
    assert ask(COE, "select", TO_COE | {"resource": {"tags": tags}}).held is held


def test_a_domain_covers_its_products_and_no_others():
    whole = TO_COE | {"resource": {"domain": "consumer_banking"}}
    other = Target(domain="auto_finance", product="auto_finance.credit_profile")
    assert ask(COE, "select", whole).held
    assert not ask(COE, "select", whole, target=other).held


def test_a_product_does_not_cover_its_domain():
    whole = Target(domain="consumer_banking")
    assert not ask(COE, "describe", TO_COE, target=whole).held


def test_a_permission_on_data_says_nothing_of_tags():
    tag = Target(tag=("lob", "consumer_banking"))
    line = TO_COE | {
        "verbs": ["super"],
        "resource": {"tags": {"lob": ["consumer_banking"]}},
    }
    assert not ask(COE, "associate", line, target=tag).held


def test_a_receiver_is_found_by_attributes():
    line = TO_COE | {"to": {"attributes": {"org_unit": ["ml_coe", "lab"]}}}
    assert ask(COE, "select", line).held
    assert not ask(ANALYTICS, "select", line).held


def test_super_stands_for_every_verb():
    line = TO_COE | {"verbs": ["super"], "grant_option": ["super"]}
    assert ask(COE, "select", line).held
    assert ask(ANALYTICS, "select", line, PASSED_ON).held


def test_no_permission_goes_beyond_a_role():
    line = TO_COE | {"to": {"consumer": "registrar"}, "verbs": ["super"]}
    assert ask({"consumer": "registrar"}, "select", line).reason == "role"
    assert ask({"consumer": "registrar"}, "alter", line).held


def test_nobody_passes_on_what_no_role_of_theirs_may_hold():
    first = TO_COE | {"to": {"consumer": "registrar"}}
    second = PASSED_ON | {"given_by": {"consumer": "registrar"}}
    assert not ask(ANALYTICS, "select", first, second).held


@pytest.mark.parametrize(
    "change",
    [
        {"to": {}},
        {"to": {"consumer": "a", "role": "b"}},
        {"to": {"consumer": None}},
        {"given_by": {"attributes": {"org_unit": ["ml_coe"]}}},
        {"resource": {"product": "consumer_banking.credit_profile", "domain": "x"}},
        {"resource": {"tags": {}}},
        {"verbs": []},
        {"verbs": ["drop"]},
        {"effect": "deny"},
        {"more": 1},
        {"name": "../up"},
    ],
)
def test_a_line_that_is_not_clear_is_refused(change):
    with pytest.raises(ContractError):
        validated(PermissionsFile, {"permissions": [TO_COE | change]}, "permissions")


def test_two_lines_of_one_name_are_refused():
    with pytest.raises(ContractError, match="same name"):
        validated(PermissionsFile, {"permissions": [TO_COE, TO_COE]}, "permissions")


def test_a_thousand_permissions_in_a_ring_are_judged_at_once():
    ring = [
        PASSED_ON
        | {
            "name": f"p{i}",
            "given_by": {"consumer": f"c{i}"},
            "to": {"consumer": f"c{(i + 1) % 1000}"},
            "grant_option": ["select"],
        }
        for i in range(1000)
    ]
    assert not ask(ANALYTICS, "select", *ring).held
