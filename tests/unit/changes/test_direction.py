"""Which way a policy went, word by word."""

from copy import deepcopy

import pytest

from fl_plugin.changes.direction import _COLUMN, _PRODUCT
from fl_plugin.manifest.contract import (
    Approval,
    ColumnContract,
    DpBudget,
    ProductContract,
    QualityFloors,
)

ALLOW = {
    "consumer": {"org_unit": ["risk"]},
    "purposes": ["credit_risk"],
    "uses": ["evaluate"],
}
DENY = {"consumer": {"org_unit": ["marketing"]}}


def put(**words):
    return lambda mesh: mesh.contract.update(words)


def below(block, **words):
    def change(mesh):
        mesh.contract[block] = mesh.contract[block] | words

    return change


def column(name, **words):
    return lambda mesh: mesh.mesh_of(name).update(words)


def stewards(*addresses):
    return lambda mesh: mesh.owner.update(stewards=list(addresses))


# One step, and the way it goes; the step back goes the other way where `back` says so.
STEPS = {
    "purposes": (put(purposes=["credit_risk", "fraud_detection"]), "loosened", True),
    "uses": (
        put(uses=["aggregate", "train_horizontal", "evaluate"]),
        "loosened",
        True,
    ),
    "allow": (
        lambda mesh: mesh.contract["allow"].append(deepcopy(ALLOW)),
        "loosened",
        True,
    ),
    "deny": (put(deny=[DENY]), "tightened", True),
    "min_cohort": (put(min_cohort=24), "loosened", True),
    "epsilon": (below("dp", epsilon=5.0), "loosened", True),
    "delta": (below("dp", delta=1e-4), "loosened", True),
    "period": (below("dp", period_days=30), "loosened", True),
    "required_for": (below("dp", required_for=["evaluate"]), "tightened", True),
    "no dp": (lambda mesh: mesh.contract.pop("dp"), "loosened", True),
    "approvers": (
        below("approval", approvers=2, restricted_approvers=2),
        "tightened",
        True,
    ),
    "max_days": (below("approval", max_days=366), "loosened", True),
    "completeness": (below("quality", completeness=0.5), "loosened", True),
    "drift": (below("quality", drift_psi=0.2), "tightened", True),
    "on_breach": (below("quality", on_breach="warn"), "loosened", True),
    "freshness": (put(freshness_hours=25), "loosened", True),
    "retention": (put(retention_days=30), "tightened", True),
    "classification": (put(classification="internal"), "loosened", True),
    "status": (put(status="draft"), "tightened", True),
    "access": (lambda mesh: mesh.product.update(access="private"), "tightened", True),
    "filter gone": (lambda mesh: mesh.contract.pop("row_filter"), "loosened", True),
    "filter changed": (put(row_filter="age >= 19"), "loosened", False),
    "stewards": (stewards("somebody.else@bank.example"), "loosened", False),
    "column class": (column("age", classification="public"), "loosened", True),
    "column pii": (lambda mesh: mesh.mesh_of("age").pop("pii"), "loosened", True),
    "column uses": (column("age", uses=["evaluate"]), "tightened", True),
    "column roles": (column("age", roles=["feature", "protected"]), "loosened", True),
    "label": (column("is_bad", label_sharing="shared"), "loosened", True),
    "mask": (column("age", mask="null"), "tightened", True),
}
OTHER_WAY = {"loosened": "tightened", "tightened": "loosened"}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_goes_its_way_and_the_step_back_the_other(lending, step):
    change, way, back = STEPS[step]
    versions, owner = deepcopy(lending.versions), deepcopy(lending.owner)
    change(lending)
    lending.publish()
    (event,) = lending.look()
    assert (event.kind, event.direction) == ("policy.changed", way)
    lending.versions, lending.owner = versions, owner
    lending.publish()
    (event,) = lending.look()
    assert event.direction == (OTHER_WAY[way] if back else way)


def test_one_loosened_word_makes_a_policy_loosened(lending):
    lending.contract.update(min_cohort=100, freshness_hours=48)
    lending.publish()
    (event,) = lending.look()
    assert event.direction == "loosened"


def test_what_is_neither_has_no_direction(lending):
    lending.mesh_of("age")["bounds"] = [18, 100]
    lending.publish()
    (event,) = lending.look()
    assert event.direction is None
    assert "bounds of age" in event.sentence
    assert event.columns == ("age",)


def test_every_word_of_a_contract_has_a_judge_or_none_on_purpose():
    words = set(ProductContract.model_fields) - {"product", "approval", "quality"}
    words |= {f"dp.{word}" for word in DpBudget.model_fields}
    words |= {f"approval.{word}" for word in Approval.model_fields}
    words |= {f"quality.{word}" for word in QualityFloors.model_fields}
    # tags are words for people to find it by; `per` only says what a budget is for.
    assert words - set(_PRODUCT) == {"tags", "dp.per"}
    assert set(ColumnContract.model_fields) - set(_COLUMN) == {"bounds"}


def test_the_meshs_own_floor_is_part_of_every_policy(lending):
    import tests.unit.changes.conftest as mesh  # noqa: PLC0415

    raised = mesh.POLICY.replace("min_cohort: 10", "min_cohort: 50")
    (lending.root / "mesh_policy.yml").write_text(raised)
    del lending.contract["min_cohort"]
    lending._write(lending.folder, {mesh.GRANT: lending._grant()})
    (event,) = lending.look()
    assert (event.kind, event.direction) == ("policy.changed", "tightened")
    (lending.root / "mesh_policy.yml").write_text(mesh.POLICY)
    (event,) = lending.look()
    assert (event.direction, "stops" in event.remedy) == ("loosened", False)
    assert "min_cohort" in event.sentence
