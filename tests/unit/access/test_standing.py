"""What `access list` tells of each grant, and the command that moves it on."""

import pytest

from fl_plugin.access.deciding import Voice
from fl_plugin.access.standing import WORDS
from fl_plugin.cli.access_list import STATES
from fl_plugin.errors import BuildError

NAME = "g_credit_risk_ml_coe"


def standing(mesh):
    (found,) = mesh.access.list("lending")
    return found


def test_the_program_offers_every_state_there_is():
    assert STATES == WORDS


def test_a_grant_is_followed_from_its_request_to_its_end(small_mesh):
    small_mesh.ask()
    approve = f"fl access approve lending {NAME} --by STEWARD"
    again = "fl access request credit_risk --domain lending --by ADDRESS"
    build = "cd domains/lending && dbt build"
    seen = [standing(small_mesh)]
    small_mesh.approve("lending", "steward")
    seen.append(standing(small_mesh))
    small_mesh.approve("lending", "risk")
    seen.append(standing(small_mesh))
    small_mesh.parse()
    seen.append(standing(small_mesh))
    small_mesh.later(days=90)
    seen.append(standing(small_mesh))
    assert [(s.state, s.next) for s in seen] == [
        ("requested", approve),
        ("half-approved", approve),
        ("unbuilt", build),
        ("live", ""),
        ("expired", again),
    ]
    assert [s.days_left for s in seen] == [None, None, 90, 90, None]
    assert [len(s.approved_by) for s in seen] == [0, 1, 2, 2, 2]
    assert {s.needed for s in seen} == {2}


def test_what_was_renewed_needs_no_next_step(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.later(days=90)
    small_mesh.ask()
    told = {s.state: s.next for s in small_mesh.access.list("lending")}
    assert told["expired"] == ""
    assert told["requested"].startswith("fl access approve")


@pytest.mark.parametrize("verb", ["reject", "revoke"])
def test_what_was_ended_on_purpose_needs_no_next_step(small_mesh, verb):
    small_mesh.ask()
    if verb == "revoke":
        small_mesh.approve_by_both("lending")
    getattr(small_mesh.access, verb)("lending", NAME, "risk.lending@bank.example")
    small_mesh.parse()
    found = standing(small_mesh)
    assert (found.says, found.next) == (found.state, "")


def test_a_changed_policy_stops_a_grant_until_it_is_confirmed(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.contracts["lending"]["min_cohort"] = 20
    small_mesh.parse()
    found = standing(small_mesh)
    assert found.state == "stopped"
    assert "policy has changed" in found.says
    assert found.next == f"fl access confirm lending {NAME} --by STEWARD"
    voice = Voice(by="steward.lending@bank.example")
    small_mesh.access.confirm("lending", NAME, voice)
    assert standing(small_mesh).state == "half-approved"


def test_what_the_file_ends_and_the_build_still_allows_is_said(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    path = small_mesh.file("lending")
    path.write_text(path.read_text().replace("status: approved", "status: revoked"))
    found = standing(small_mesh)
    assert (found.state, found.next) == ("unbuilt", "cd domains/lending && dbt build")
    assert "still allows it" in found.says


def test_a_file_that_was_deleted_still_counts_until_the_build(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.file("lending").unlink()
    assert standing(small_mesh).state == "unbuilt"
    small_mesh.parse()
    assert small_mesh.access.list("lending") == ()


def test_a_grant_of_a_product_that_is_not_valid_is_not_valid(small_mesh):
    small_mesh.ask()
    small_mesh.contracts["lending"]["purposes"] = ["unknown"]
    small_mesh.parse()
    assert standing(small_mesh).state == "invalid"


def test_where_a_domain_is_built_elsewhere_the_catalog_answers(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    (small_mesh.root / "domains" / "lending" / "target" / "manifest.json").unlink()
    assert standing(small_mesh).state == "live"
    (small_mesh.root / "target" / "manifest.json").unlink()
    with pytest.raises(BuildError):
        small_mesh.access.list()


def test_a_signature_that_is_missing_stops_a_grant(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.sign_with("lending", "steward", "risk")
    found = standing(small_mesh)
    assert (found.state, found.says) == (
        "stopped",
        "stopped: a steward's signature is missing",
    )
