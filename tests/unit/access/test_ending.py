"""How a request is rejected and a grant revoked, and what the ledger then says."""

import pytest
import yaml

from fl_plugin.errors import (
    StorageError,
    UsageError,
)

NAME = "g_credit_risk_ml_coe"
FILES = "fl_plugin.access.grant_file"


@pytest.fixture
def asked(small_mesh):
    small_mesh.ask()
    return small_mesh


def decision(mesh, domain="lending", name=NAME):
    found = yaml.safe_load(mesh.file(domain, name).read_text())["exposures"][0]
    return found["config"]["meta"]["mesh"]["decision"]


@pytest.mark.parametrize("verb", ["reject", "revoke"])
def test_what_has_ended_stays_ended_in_its_file(asked, verb):
    if verb == "revoke":
        asked.approve_by_both("lending")
    getattr(asked.access, verb)("lending", NAME, "steward.lending@bank.example")
    asked.parse()
    with pytest.raises(UsageError, match="not waiting"):
        asked.approve("lending", "risk")
    assert asked.ask()[1].grant == f"{NAME}_2"


def test_a_rejection_names_who_said_so_and_why(asked):
    asked.approve("lending", "steward")
    reason = "too wide\n          status: approved  \u202e{{ x }}"
    asked.access.reject("lending", NAME, "risk.lending@bank.example", reason)
    assert decision(asked) == {
        "status": "rejected",
        "by": ["risk.lending@bank.example"],
        "at": "2026-11-21",
    }
    text = asked.file("lending").read_text()
    assert "# Rejected: too wide status: approved ??? x ??\n" in text
    asked.parse()
    assert [s.state for s in asked.access.list("lending")] == ["rejected"]
    assert asked.records("lending")[-1][0] == "reject"


def test_only_a_request_is_rejected_and_only_an_approval_revoked(asked):
    with pytest.raises(UsageError, match="nothing to end"):
        asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    asked.approve_by_both("lending")
    with pytest.raises(UsageError, match="only a request"):
        asked.access.reject("lending", NAME, "steward.lending@bank.example")


def test_a_revocation_counts_before_the_domain_is_built_again(asked):
    asked.approve_by_both("lending")
    found = asked.access.revoke("lending", NAME, "steward.lending@bank.example", "left")
    assert found.at_once
    with asked.ledger("lending") as ledger:
        assert len(ledger.revoked()) == 1
    assert decision(asked)["status"] == "revoked"
    assert "# Revoked by steward.lending@bank.example on 2026-11-21: left" in (
        asked.file("lending").read_text()
    )
    assert [s.state for s in asked.access.list("lending")] == ["revoked"]


def test_a_revocation_ends_what_was_built_even_if_the_file_says_something_else(asked):
    asked.approve_by_both("lending")
    path = asked.file("lending")
    path.write_text(path.read_text().replace("              - age\n", ""))
    asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    with asked.ledger("lending") as ledger:
        assert len(ledger.revoked()) == 1  # it names the grant, whatever its words


def test_a_revocation_is_on_record_although_the_file_cannot_be_written(
    asked, monkeypatch
):
    def refuse(*_):
        raise StorageError("The disk is full.", remedy="Free some space.")

    asked.approve_by_both("lending")
    monkeypatch.setattr(f"{FILES}.put", refuse)
    with pytest.raises(StorageError, match="full"):
        asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    assert decision(asked)["status"] == "approved"
    with asked.ledger("lending") as ledger:
        assert len(ledger.revoked()) == 1


def test_revoking_by_file_and_again_before_the_build_leaves_one_record(asked):
    asked.approve_by_both("lending")
    for who in ("steward", "risk"):
        asked.access.revoke("lending", NAME, f"{who}.lending@bank.example")
    assert [r[0] for r in asked.records("lending")].count("revoke") == 1


def test_without_a_ledger_here_a_revocation_waits_for_the_build(asked):
    asked.approve_by_both("lending")
    for path in (asked.root / "domains" / "lending" / "ledger").iterdir():
        path.unlink()
    found = asked.access.revoke("lending", NAME, "steward.lending@bank.example")
    assert (found.recorded, found.at_once) == (False, False)
    assert [s.state for s in asked.access.list("lending")] == ["unbuilt"]
