"""What a request may ask for, and what it leaves in the domains' folders."""

from pathlib import Path

import pytest
import yaml

from fl_plugin.access import writing
from fl_plugin.access.asking import Asking
from fl_plugin.access.wanted import Exploration
from fl_plugin.errors import (
    PolicyError,
    StorageError,
    UsageError,
)


def outcomes(asked):
    return [(one.domain, one.outcome) for one in asked]


def explore(mesh, **changes):
    words = {
        "product": "lending.credit_profile",
        "consumer": "ml_coe",
        "purpose": "credit_risk",
        "columns": ("age", "amount"),
    }
    exploration = Exploration(**(words | changes))
    return mesh.access.explore(exploration, Asking(by="scientist@bank.example"))


def test_a_study_asks_each_domain_for_exactly_what_it_needs(small_mesh):
    asked = small_mesh.ask()
    assert outcomes(asked) == [("cards", "written"), ("lending", "written")]
    found = yaml.safe_load(small_mesh.file("lending").read_text())["exposures"][0]
    assert found["config"]["meta"]["mesh"] == {
        "request": {
            "study": "credit_risk",
            "consumer": "ml_coe",
            "by": "scientist@bank.example",
            "at": "2026-11-21",
            "purpose": "credit_risk",
            "uses": ["train_horizontal", "evaluate"],
            "columns": ["amount", "age", "is_bad"],
            "epsilon": None,
            "days": 90,
        },
        "decision": {"status": "requested"},
    }
    assert found["depends_on"] == ["ref('credit_profile')"]


def test_what_was_written_is_a_valid_grant_for_dbts_manifest(small_mesh):
    small_mesh.ask()
    small_mesh.parse()
    assert small_mesh.access.check().broken == ()
    assert [s.state for s in small_mesh.access.list()] == ["requested"] * 2


def test_a_contract_that_allows_fewer_days_is_asked_for_those(small_mesh):
    small_mesh.contracts["cards"]["approval"] = {"max_days": 30}
    small_mesh.parse()
    assert [one.days for one in small_mesh.ask()] == [30, 90]


def test_more_days_than_one_contract_allows_write_nothing_anywhere(small_mesh):
    small_mesh.contracts["lending"]["approval"] = {"max_days": 30}
    small_mesh.parse()
    with pytest.raises(PolicyError, match=r"lending\..* at most 30 days"):
        small_mesh.ask(days=31)
    assert small_mesh.files() == {}


def test_asking_again_changes_nothing_and_says_so(small_mesh):
    small_mesh.ask()
    before = small_mesh.files()
    assert outcomes(small_mesh.ask()) == [
        ("cards", "asked already"),
        ("lending", "asked already"),
    ]
    assert small_mesh.files() == before


def test_what_is_granted_is_not_asked_for_again_unless_it_is_renewed(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    before = small_mesh.file("lending").read_text()
    assert outcomes(small_mesh.ask())[1] == ("lending", "granted already")
    renewed = small_mesh.ask(renew=True)[1]
    assert (renewed.outcome, renewed.grant) == ("written", "g_credit_risk_ml_coe_2")
    assert small_mesh.file("lending").read_text() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("              - age\n", ""),
        ("uses: [train_horizontal, evaluate]", "uses: [train_horizontal]"),
        ("epsilon: null", "epsilon: 1.0"),
    ],
)
def test_a_grant_that_covers_less_is_not_enough(small_mesh, old, new):
    small_mesh.ask()
    path = small_mesh.file("lending")
    path.write_text(path.read_text().replace(old, new))
    small_mesh.approve_by_both("lending")
    assert outcomes(small_mesh.ask())[1] == ("lending", "written")


def test_a_grant_that_covers_more_is_enough(small_mesh):
    small_mesh.ask()
    path = small_mesh.file("lending")
    path.write_text(path.read_text().replace("evaluate]", "evaluate, query]"))
    small_mesh.approve_by_both("lending")
    assert outcomes(small_mesh.ask())[1] == ("lending", "granted already")


def test_a_grant_that_has_run_out_is_asked_for_under_another_name(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.later(days=91)
    asked = small_mesh.access.request(
        "credit_risk", Asking(by="scientist@bank.example"), "lending"
    )
    assert [(a.grant, a.outcome) for a in asked] == [
        ("g_credit_risk_ml_coe_2", "written")
    ]


def test_a_grant_that_stopped_with_its_policy_is_to_be_confirmed(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    small_mesh.contracts["lending"]["min_cohort"] = 30
    small_mesh.parse()
    assert outcomes(small_mesh.ask())[1] == ("lending", "to be confirmed")


def test_a_request_with_other_words_gets_its_own_file_and_names_the_older(small_mesh):
    small_mesh.ask()
    path = small_mesh.file("lending")
    path.write_text(path.read_text().replace("              - age\n", ""))
    found = small_mesh.ask()[1]
    assert (found.outcome, found.grant) == ("written", "g_credit_risk_ml_coe_2")
    assert found.older == ("g_credit_risk_ml_coe",)


def test_a_name_that_the_last_build_still_knows_is_not_used_again(small_mesh):
    small_mesh.ask()
    small_mesh.parse()
    for path in small_mesh.files():
        path.unlink()
    assert [a.grant for a in small_mesh.ask()] == ["g_credit_risk_ml_coe_2"] * 2
    for path in small_mesh.files():
        path.unlink()
    small_mesh.parse()
    assert [a.grant for a in small_mesh.ask()] == ["g_credit_risk_ml_coe"] * 2


def test_one_domain_can_be_asked_alone(small_mesh):
    asking = Asking(by="scientist@bank.example")
    small_mesh.access.request("credit_risk", asking, "cards")
    assert list(small_mesh.files()) == [small_mesh.file("cards")]


def test_when_one_file_cannot_be_written_none_is(small_mesh):
    small_mesh.grants("lending").parent.joinpath("grants").write_text("in the way")
    with pytest.raises(StorageError):
        small_mesh.ask()
    assert not small_mesh.file("cards").exists()


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    small_mesh, monkeypatch
):
    linked = writing._link

    def meddle(aside: Path, path: Path) -> None:
        if path == small_mesh.file("lending"):
            path.write_text("mine")
        linked(aside, path)

    monkeypatch.setattr(writing, "_link", meddle)
    with pytest.raises(UsageError, match="appeared meanwhile"):
        small_mesh.ask()
    assert small_mesh.files() == {small_mesh.file("lending"): "mine"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purpose": "fraud_detection"}, "purpose.not_allowed"),
        ({"uses": ("aggregate",)}, "use.not_allowed"),
        ({"columns": ("nothing",)}, "column.unknown"),
        ({"columns": ("note",)}, "column.role"),
        ({"columns": ("customer_id",)}, "column.use"),
    ],
)
def test_what_the_contract_does_not_offer_cannot_be_asked_for(
    small_mesh, changes, reason
):
    with pytest.raises(PolicyError) as refused:
        explore(small_mesh, **changes)
    assert refused.value.reason == reason
    assert small_mesh.files() == {}


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [(None, "consumer.unknown"), ({"org_unit": ["marketing"]}, "access.not_allowed")],
)
def test_whoever_may_not_ask_is_told_at_once(small_mesh, attributes, reason):
    known = {} if attributes is None else {"ml_coe": attributes}
    small_mesh.know("lending", **known)
    with pytest.raises(PolicyError) as refused:
        small_mesh.ask()
    assert refused.value.reason == reason
    assert small_mesh.files() == {}


def test_what_is_denied_cannot_be_asked_for(small_mesh):
    deny = {"consumer": {"org_unit": ["ml_coe"]}, "columns": {"names": ["age"]}}
    small_mesh.contracts["lending"]["deny"] = [deny]
    small_mesh.parse()
    with pytest.raises(PolicyError) as refused:
        small_mesh.ask()
    assert refused.value.reason == "access.denied"


def test_a_look_at_a_product_is_a_grant_of_its_own(small_mesh):
    (asked,) = explore(small_mesh)
    assert asked.grant == "g_exploration_ml_coe_credit_profile"
    small_mesh.parse()
    (standing,) = small_mesh.access.list("lending")
    assert (standing.study, standing.state) == ("exploration", "requested")
    assert standing.needed == 1
