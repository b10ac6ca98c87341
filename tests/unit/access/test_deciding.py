"""Who may approve what, what the file says then, and what the ledger keeps."""

import pytest
import yaml

from fl_plugin.access.deciding import Voice
from fl_plugin.access.decision_text import with_decision
from fl_plugin.errors import (
    BuildError,
    ContractError,
    MeshError,
    PolicyError,
    StorageError,
    UsageError,
)
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.policy.fingerprint import policy_fingerprint

NAME = "g_credit_risk_ml_coe"
FILES = "fl_plugin.access.grant_file"


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


def test_two_stewards_approve_a_restricted_column_one_after_the_other(asked):
    first = asked.approve("lending", "steward")
    assert (first.status, first.needed) == ("requested", 2)
    assert decision(asked) == {
        "status": "requested",
        "by": ["steward.lending@bank.example"],
        "at": "2026-11-21",
        "expires": "2027-02-19",
        "policy": policy(asked),
    }
    second = asked.approve("lending", "risk")
    assert second.status == "approved"
    assert decision(asked) == {
        "status": "approved",
        "by": ["steward.lending@bank.example", "risk.lending@bank.example"],
        "at": "2026-11-21",
        "expires": "2027-02-19",
        "policy": policy(asked),
    }
    asked.parse()
    assert asked.access.check("lending").broken == ()
    assert [s.state for s in asked.access.list("lending")] == ["live"]


def test_one_steward_is_enough_without_a_restricted_column(asked):
    asked.columns["is_bad"] = ("boolean", {"roles": ["label"]})
    asked.parse()
    assert asked.approve("lending", "steward").status == "approved"


def test_the_domains_ledger_keeps_every_word_and_no_other_domains(asked):
    asked.approve("lending", "steward")
    asked.approve("lending", "risk")
    assert asked.records("lending") == [
        ("approve", "steward.lending@bank.example", NAME),
        ("approve", "risk.lending@bank.example", NAME),
    ]
    assert asked.records("cards") == []


def test_a_clone_without_the_domains_data_begins_no_ledger(asked):
    ledger = asked.root / "domains" / "lending" / "ledger"
    for path in ledger.iterdir():
        path.unlink()
    assert asked.approve("lending", "steward").recorded is False
    assert list(ledger.iterdir()) == []


def test_the_same_steward_cannot_approve_twice_however_it_is_spelt(asked):
    asked.approve("lending", "steward")
    before = asked.files()
    voice = Voice(by="STEWARD.Lending@Bank.example")
    with pytest.raises(PolicyError, match="already") as refused:
        asked.access.approve("lending", NAME, voice)
    assert refused.value.reason == "grant.same_person"
    assert asked.files() == before


def test_a_stewards_name_is_written_as_the_owner_spells_it(asked):
    asked.access.approve("lending", NAME, Voice(by="STEWARD.Lending@Bank.example"))
    assert decision(asked)["by"] == ["steward.lending@bank.example"]


def test_whoever_asked_cannot_approve(asked):
    asked.stewards["lending"].append("scientist@bank.example")
    asked.parse()
    with pytest.raises(PolicyError, match="asked for"):
        asked.access.approve("lending", NAME, Voice(by="Scientist@bank.example"))


@pytest.mark.parametrize(
    "by", ["steward.cards@bank.example", "nobody@bank.example", "an@bank.example"]
)
@pytest.mark.parametrize("verb", ["approve", "confirm", "reject", "revoke"])
def test_only_a_steward_of_the_owner_decides(asked, verb, by):
    before = asked.files()
    said = by if verb in ("reject", "revoke") else Voice(by=by)
    with pytest.raises(PolicyError, match="no steward of lending") as refused:
        getattr(asked.access, verb)("lending", NAME, said)
    assert refused.value.reason == "grant.approvers"
    assert asked.files() == before
    assert asked.records("lending") == []


@pytest.mark.parametrize(
    "by", ["", "steward", "steward.lending@bank.example\n- x", "{{x}}@b"]
)
@pytest.mark.parametrize("verb", ["approve", "confirm", "reject", "revoke"])
def test_what_is_no_address_decides_nothing(asked, verb, by):
    said = by if verb in ("reject", "revoke") else Voice(by=by)
    with pytest.raises(UsageError, match="--by"):
        getattr(asked.access, verb)("lending", NAME, said)


def test_what_the_consumer_may_not_ask_for_is_not_approved(asked):
    asked.know("lending", ml_coe={"org_unit": ["marketing"]})
    with pytest.raises(PolicyError) as refused:
        asked.approve("lending", "steward")
    assert refused.value.reason == "access.not_allowed"
    assert decision(asked) == {"status": "requested"}


def test_fewer_days_may_be_approved_and_more_may_not(asked):
    with pytest.raises(PolicyError, match="at most 90 days"):
        asked.approve("lending", "steward", days=91)
    assert (
        asked.approve("lending", "steward", days=10).expires.isoformat() == "2026-12-01"
    )


def test_a_contract_that_was_shortened_shortens_what_was_asked_for(asked):
    asked.contracts["lending"]["approval"]["max_days"] = 30
    asked.parse()
    assert asked.approve("lending", "steward").expires.isoformat() == "2026-12-21"


def test_the_second_steward_approves_until_the_same_day(asked):
    asked.approve("lending", "steward", days=10)
    with pytest.raises(UsageError, match="until 2026-12-01"):
        asked.approve("lending", "risk", days=20)
    asked.later(days=2)
    assert asked.approve("lending", "risk").expires.isoformat() == "2026-12-01"


@pytest.mark.parametrize("forged", ["scientist@bank.example", "nobody@bank.example"])
def test_a_first_approval_by_the_wrong_person_stops_the_second(asked, forged):
    asked.approve("lending", "steward")
    path = asked.file("lending")
    path.write_text(path.read_text().replace("steward.lending@bank.example", forged))
    with pytest.raises(PolicyError) as refused:
        asked.approve("lending", "risk")
    assert refused.value.reason == "grant.approvers"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("- age\n", "- nothing\n", "column.unknown"),
        ("- age\n", "- note\n", "column.role"),
        ("- age\n", "- customer_id\n", "column.use"),
        ("train_horizontal,", "aggregate,", "use.not_allowed"),
        ("purpose: credit_risk", "purpose: fraud_detection", "purpose.not_allowed"),
        ('at: "2026-11-21"', 'at: "2026-11-22"', "grant.not_yet_valid"),
    ],
)
def test_a_request_that_the_contract_does_not_cover_is_not_approved(
    asked, old, new, reason
):
    path = asked.file("lending")
    path.write_text(path.read_text().replace(old, new))
    before = asked.files()
    with pytest.raises(PolicyError) as refused:
        asked.approve("lending", "steward")
    assert refused.value.reason == reason
    assert asked.files() == before


@pytest.mark.parametrize(
    "edited", ["models/products/credit_profile.yml", "models/owner.yml"]
)
@pytest.mark.parametrize("verb", ["approve", "confirm"])
def test_a_contract_edited_after_the_build_is_approved_by_nobody(asked, verb, edited):
    path = asked.root / "domains" / "lending" / edited
    path.write_text("{}\n")
    steward = Voice(by="steward.lending@bank.example")
    with pytest.raises(BuildError, match="changed after the last build"):
        getattr(asked.access, verb)("lending", NAME, steward)


def test_a_domain_that_is_not_built_decides_nothing(asked):
    (asked.root / "domains" / "lending" / "target" / "manifest.json").unlink()
    with pytest.raises(BuildError, match="does not exist"):
        asked.approve("lending", "steward")


def test_what_is_approved_is_not_approved_again(asked):
    asked.approve_by_both("lending")
    with pytest.raises(UsageError, match="is approved until"):
        asked.approve("lending", "steward")


def test_what_the_domains_own_rules_would_refuse_is_never_written(asked):
    asked.approve_by_both("lending")
    asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    path = asked.file("lending")
    text = path.read_text()
    path.write_text(text[: text.index("          # Revoked")])
    asked.approve("lending", "steward")
    before = asked.files()
    with pytest.raises(PolicyError, match="has it on record") as refused:
        asked.approve("lending", "risk")
    assert refused.value.reason == "grant.revoked"
    assert asked.files() == before


def test_a_file_that_changed_meanwhile_is_left_alone_and_nothing_is_recorded(
    asked, monkeypatch
):
    path = asked.file("lending")

    def meddle(*args):
        path.write_text(path.read_text().replace("days: 90", "days: 91"))
        return with_decision(*args)

    monkeypatch.setattr(f"{FILES}.with_decision", meddle)
    with pytest.raises(StorageError, match="changed by somebody else"):
        asked.approve("lending", "steward")
    assert "days: 91" in path.read_text()
    assert decision(asked) == {"status": "requested"}
    assert asked.records("lending") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("days: 90", "days: 91"),
        ("- age", "- amount"),
        ("type: ml", "type: ["),
        ("", "x"),
    ],
)
def test_an_edit_that_touches_more_than_the_decision_is_not_written(
    asked, monkeypatch, old, new
):
    monkeypatch.setattr(
        f"{FILES}.with_decision", lambda *a: with_decision(*a).replace(old, new, 1)
    )
    before = asked.files()
    with pytest.raises(ContractError, match="without touching the rest"):
        asked.approve("lending", "steward")
    assert asked.files() == before
    assert asked.records("lending") == []


@pytest.mark.parametrize("name", ["../x", "nothing", "g\x00", "", "x" * 4000, "*"])
@pytest.mark.parametrize("domain", ["lending", "../lending", "", "\u202e", "x" * 4000])
def test_hostile_names_decide_nothing(asked, domain, name):
    with pytest.raises(MeshError) as refused:
        asked.access.reject(domain, name, "steward.lending@bank.example")
    assert len(refused.value.problem) < 300
    assert "\u202e" not in refused.value.problem


def test_a_grant_can_be_named_in_one_word(asked):
    asked.access.reject(f"lending.{NAME}", "", "steward.lending@bank.example")
    assert decision(asked)["status"] == "rejected"
