"""Approvals that are signed, and what a key is held against."""

import pytest
import yaml

from fl_plugin.errors import (
    PolicyError,
)
from fl_plugin.signing.keys import create_key

NAME = "g_credit_risk_ml_coe"


@pytest.fixture
def asked(small_mesh):
    small_mesh.ask()
    return small_mesh


def decision(mesh, domain="lending", name=NAME):
    found = yaml.safe_load(mesh.file(domain, name).read_text())["exposures"][0]
    return found["config"]["meta"]["mesh"]["decision"]


def test_a_signed_approval_holds_and_an_unsigned_one_is_refused(asked):
    keys = asked.sign_with("lending", "steward", "risk")
    with pytest.raises(PolicyError, match="signature") as refused:
        asked.approve("lending", "steward")
    assert refused.value.reason == "grant.unsigned"
    asked.approve("lending", "steward", key=keys["steward"])
    asked.approve("lending", "risk", key=keys["risk"])
    assert set(decision(asked)["signatures"]) == set(decision(asked)["by"])
    asked.parse()
    assert asked.access.check("lending").broken == ()
    assert [s.state for s in asked.access.list("lending")] == ["live"]


def test_only_the_stewards_own_key_signs(asked, tmp_path):
    keys = asked.sign_with("lending", "steward", "risk")
    stranger = create_key(tmp_path / "stranger.pem")
    for key in (keys["risk"], stranger):
        with pytest.raises(PolicyError, match="another key"):
            asked.approve("lending", "steward", key=key)
    with pytest.raises(PolicyError, match="no key"):
        asked.approve("cards", "steward", key=stranger)
    assert decision(asked) == {"status": "requested"}


def test_words_changed_after_the_first_signature_start_again(asked):
    keys = asked.sign_with("lending", "steward", "risk")
    asked.approve("lending", "steward", key=keys["steward"])
    path = asked.file("lending")
    path.write_text(path.read_text().replace("              - age\n", ""))
    found = asked.approve("lending", "risk", key=keys["risk"])
    assert found.began_again
    assert decision(asked)["by"] == ["risk.lending@bank.example"]
    assert list(decision(asked)["signatures"]) == ["risk.lending@bank.example"]


def test_a_principals_file_that_is_not_pinned_names_no_key(asked):
    keys = asked.sign_with("lending", "steward", "risk")
    path = asked.root / "principals.yml"
    path.write_text(path.read_text() + "# edited\n")
    with pytest.raises(PolicyError, match="has looked at and pinned"):
        asked.approve("lending", "steward", key=keys["steward"])
