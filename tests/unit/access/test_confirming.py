"""What a change of policy does to approvals, and how they are confirmed."""

import pytest
import yaml

from fl_plugin.access.deciding import Voice
from fl_plugin.errors import (
    PolicyError,
    UsageError,
)
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint

NAME = "g_credit_risk_ml_coe"


@pytest.fixture
def asked(small_mesh):
    small_mesh.ask()
    return small_mesh


def decision(mesh, domain="lending", name=NAME):
    found = yaml.safe_load(mesh.file(domain, name).read_text())["exposures"][0]
    return found["config"]["meta"]["mesh"]["decision"]


def policy(mesh, domain="lending"):
    path = mesh.root / "domains" / domain / "target" / "manifest.json"
    return policy_fingerprint(read_manifest(path).products[f"{domain}.credit_profile"])


def loosen(mesh, domain="lending"):
    mesh.contracts[domain]["min_cohort"] = 20
    mesh.parse()


def test_when_the_policy_changes_between_two_stewards_they_start_again(asked):
    asked.approve("lending", "steward")
    loosen(asked)
    again = asked.approve("lending", "risk")
    assert again.began_again
    assert again.status == "requested"
    assert decision(asked)["by"] == ["risk.lending@bank.example"]
    assert decision(asked)["policy"] == policy(asked)
    assert asked.approve("lending", "steward").status == "approved"


def test_a_first_approval_that_has_run_out_starts_again(asked):
    asked.approve("lending", "steward", days=5)
    asked.later(days=5)
    assert asked.approve("lending", "risk").began_again
    assert decision(asked)["by"] == ["risk.lending@bank.example"]


def test_an_approval_put_back_by_hand_after_a_revocation_is_dead(asked):
    asked.approve_by_both("lending")
    approved = asked.file("lending").read_text()
    asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    asked.file("lending").write_text(approved)
    asked.parse()
    assert [s.state for s in asked.access.list("lending")] == ["revoked"]
    (broken,) = asked.access.check("lending").broken
    assert broken.reason == "grant.revoked"
    with pytest.raises(UsageError, match="ended"):
        asked.access.confirm("lending", NAME, Voice(by="risk.lending@bank.example"))
    path = asked.file("lending")
    path.write_text(path.read_text().replace("approved", "requested"))
    with pytest.raises(PolicyError) as refused:
        asked.access.approve("lending", NAME, Voice(by="risk.lending@bank.example"))
    assert refused.value.reason == "grant.same_person"


def test_a_confirmation_approves_the_new_policy_and_makes_nothing_longer(asked):
    asked.approve_by_both("lending")
    old = policy(asked)
    asked.later(days=3)
    loosen(asked)
    assert [s.state for s in asked.access.list("lending")] == ["stopped"]
    with pytest.raises(UsageError, match="another policy"):
        asked.approve("lending", "steward")
    first = asked.access.confirm("lending", NAME, Voice(by="risk.lending@bank.example"))
    assert (first.status, first.before, first.policy) == (
        "requested",
        old,
        policy(asked),
    )
    second = asked.access.confirm(
        "lending", NAME, Voice(by="steward.lending@bank.example")
    )
    assert (second.status, second.action) == ("approved", "confirm")
    assert decision(asked)["at"] == "2026-11-24"
    assert decision(asked)["expires"] == "2027-02-19"
    asked.parse()
    assert asked.access.check("lending").broken == ()
    assert [r[0] for r in asked.records("lending")] == [
        "approve",
        "approve",
        "confirm",
        "confirm",
    ]


def test_a_confirmation_keeps_within_a_contract_that_was_shortened(asked):
    asked.approve_by_both("lending")
    asked.contracts["lending"]["approval"]["max_days"] = 10
    asked.parse()
    voice = Voice(by="risk.lending@bank.example")
    found = asked.access.confirm("lending", NAME, voice)
    assert found.expires.isoformat() == "2026-12-01"


def test_a_grant_that_holds_or_waits_or_has_run_out_is_not_confirmed(asked):
    voice = Voice(by="risk.lending@bank.example")
    with pytest.raises(UsageError, match="nothing to confirm"):
        asked.access.confirm("lending", NAME, voice)
    asked.approve_by_both("lending")
    with pytest.raises(UsageError, match="nothing to confirm"):
        asked.access.confirm("lending", NAME, voice)
    asked.later(days=90)
    with pytest.raises(UsageError, match="ended"):
        asked.access.confirm("lending", NAME, voice)
