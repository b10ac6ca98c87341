"""Every kind of change, with the verdict that governance gives it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import fl_plugin.contracts.diff as room
from fl_plugin.contracts.changes.sensitivity import LEVELS
from fl_plugin.contracts.diff import changes
from fl_plugin.contracts.verdict import EXIT_CODES
from fl_plugin.policy.fingerprint import policy_fingerprint
from tests.unit.contracts.conftest import (
    GRANT,
    MODEL,
    PRODUCT,
    STUDY,
    Raw,
    column,
    grant,
    group,
    mesh,
    new_version,
    node,
)

Edit = Callable[[Raw], object]


class Case(NamedTuple):
    """One edit of the built manifest; `before` is made on both sides."""

    kind: str
    verdict: str
    edit: Edit
    before: Edit = lambda raw: None


def test_of(raw: Raw, kind: str, on: str) -> Raw:
    """Return the node of one data test."""
    return next(
        n
        for n in raw["nodes"].values()
        if n.get("attached_node") == MODEL
        and n["test_metadata"]["name"] == kind
        and n["column_name"] == on
    )


test_of.__test__ = False  # type: ignore[attr-defined]


def put(name: str, value: Any) -> Edit:
    """Set a word of the product's mesh block."""
    return lambda raw: mesh(raw).__setitem__(name, value)


def drop(name: str) -> Edit:
    return lambda raw: mesh(raw).pop(name)


def inside(block: str, name: str, value: Any) -> Edit:
    return lambda raw: mesh(raw)[block].__setitem__(name, value)


def without(block: str, name: str) -> Edit:
    return lambda raw: mesh(raw)[block].pop(name)


def col(name: str, word: str, value: Any) -> Edit:
    return lambda raw: column(raw, name).__setitem__(word, value)


def uncol(name: str, word: str) -> Edit:
    return lambda raw: column(raw, name).pop(word)


def field(name: str, value: Any) -> Edit:
    """Set a field of dbt's own node."""
    return lambda raw: node(raw).__setitem__(name, value)


def config(name: str, value: Any) -> Edit:
    return lambda raw: node(raw)["config"].__setitem__(name, value)


def decision(**words: Any) -> Edit:
    return lambda raw: grant(raw)["decision"].update(words)


def request(**words: Any) -> Edit:
    return lambda raw: grant(raw)["request"].update(words)


def unenforced(raw: Raw) -> None:
    node(raw)["contract"]["enforced"] = False
    node(raw)["config"]["contract"]["enforced"] = False


def moved(raw: Raw) -> None:
    """Call the product otherwise; everything else stays."""
    found = raw["nodes"].pop(MODEL)
    found |= {
        "name": "credits",
        "unique_id": MODEL.replace("credit_profile", "credits"),
    }
    found["config"]["meta"]["mesh"]["product"] = "consumer_banking.credits"
    raw["nodes"][found["unique_id"]] = found


def moved_and_looser(raw: Raw) -> None:
    mesh(raw)["min_cohort"] = 10
    moved(raw)


def copied(raw: Raw) -> None:
    """Publish the same columns again, for smaller cohorts."""
    found = {**node(raw), "name": "open_credits", "alias": "open_credits"}
    found["unique_id"] = MODEL.replace("credit_profile", "open_credits")
    block = {**mesh(raw), "product": "consumer_banking.open_credits", "min_cohort": 10}
    found["config"] = {**found["config"], "meta": {"mesh": block}}
    raw["nodes"][found["unique_id"]] = found


def novel(raw: Raw) -> None:
    """Publish something that looks like nothing that was there."""
    copied(raw)
    found = raw["nodes"][MODEL.replace("credit_profile", "open_credits")]
    found["columns"] = {"other": {"name": "other", "data_type": "varchar"}}
    found["constraints"] = []


def unversion(raw: Raw) -> None:
    node(raw)["version"] = node(raw)["latest_version"] = None


def reversion(raw: Raw) -> None:
    node(raw)["version"] = node(raw)["latest_version"] = 1


def gone(raw: Raw) -> None:
    del raw["nodes"][MODEL]


def only_v1(raw: Raw) -> None:
    new_version(raw)


def remove_domain(raw: Raw) -> None:
    del raw["nodes"]["model.asset_management.wealth_profile"]


def rename_domain(raw: Raw) -> None:
    found = raw["nodes"].pop("model.asset_management.wealth_profile")
    found |= {
        "package_name": "wealth",
        "unique_id": "model.wealth.wealth_profile",
        "database": "wealth",
        "group": "wealth",
    }
    found["config"]["group"] = "wealth"
    found["config"]["meta"]["mesh"]["product"] = "wealth.wealth_profile"
    raw["nodes"][found["unique_id"]] = found
    owner = raw["groups"].pop("group.asset_management.asset_management")
    raw["groups"]["group.wealth.wealth"] = owner | {"package_name": "wealth"}


def invalid(raw: Raw) -> None:
    mesh(raw)["min_cohorts"] = 5


def drop_test(raw: Raw) -> None:
    found = test_of(raw, "in_range", "age")
    del raw["nodes"][found["unique_id"]]


def add_test(raw: Raw) -> None:
    found = {**test_of(raw, "in_range", "age"), "column_name": "amount"}
    found["test_metadata"] = {"name": "in_range", "kwargs": {"low": 1}}
    raw["nodes"]["test.consumer_banking.in_range_more"] = found


def soften(raw: Raw) -> None:
    test_of(raw, "unique", "customer_id")["config"]["severity"] = "WARN"


def only_some_rows(raw: Raw) -> None:
    test_of(raw, "unique", "customer_id")["config"]["where"] = "age > 90"


def accepted(raw: Raw) -> list[str]:
    found: list[str] = test_of(raw, "accepted_values", "job")["test_metadata"][
        "kwargs"
    ]["values"]
    return found


def no_accepted(raw: Raw) -> None:
    test_of(raw, "accepted_values", "job")["config"]["severity"] = "WARN"


def constraint(raw: Raw) -> None:
    node(raw)["constraints"].append({"type": "check", "expression": "amount > 0"})


def nullable(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"] = []


def required(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"] = [{"type": "not_null"}]


def other_key(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"].append({"type": "primary_key"})


def add_column(raw: Raw) -> None:
    node(raw)["columns"]["extra"] = {"name": "extra", "data_type": "integer"}


def other_sql(raw: Raw) -> None:
    node(raw)["checksum"]["checksum"] = "0" * 64


def other_sql_behind(raw: Raw) -> None:
    behind = raw["nodes"]["model.consumer_banking.stg_applications"]
    behind["checksum"]["checksum"] = "0" * 64


def revoke(raw: Raw) -> None:
    grant(raw)["decision"]["status"] = "revoked"


def no_grant(raw: Raw) -> None:
    del raw["exposures"][GRANT]


def strange_approver(raw: Raw) -> None:
    """Somebody becomes a steward and approves a wider grant in one change."""
    group(raw)["stewards"] = ["new@bank.example", "other@bank.example"]
    grant(raw)["decision"]["by"] = ["new@bank.example", "other@bank.example"]
    grant(raw)["decision"]["at"] = "2026-11-20"


def study(raw: Raw) -> Raw:
    found: Raw = raw["exposures"][STUDY]["config"]["meta"]["mesh"]
    return found


NARROW_ALLOW = [
    {
        "consumer": {"org_unit": ["ml_coe"]},
        "purposes": ["credit_risk"],
        "uses": ["evaluate"],
    }
]
EVERYBODY = [
    {
        "consumer": {"org_unit": ["ml_coe", "marketing"]},
        "purposes": ["credit_risk"],
        "uses": [
            "aggregate",
            "train_horizontal",
            "train_vertical",
            "evaluate",
            "predict",
        ],
    }
]
SPLIT = [
    {"consumer": {"org_unit": ["marketing"]}, "columns": {"pii": ["quasi"]}},
    {"consumer": {"org_unit": ["marketing"]}, "columns": {"pii": ["sensitive"]}},
]
LESS_DENIED = [{"consumer": {"org_unit": ["marketing"]}, "columns": {"pii": ["quasi"]}}]
MORE_DENIED = [
    {
        "consumer": {"org_unit": ["marketing"]},
        "columns": {"pii": ["quasi", "sensitive", "identifier"]},
    }
]
MODEL_V2 = MODEL.replace("v1", "v2")

CASES = [
    # Schema and constraints.
    Case("column.removed", "breaking", lambda raw: node(raw)["columns"].pop("job")),
    Case("column.added", "safe", add_column),
    Case(
        "column.type",
        "breaking",
        lambda raw: node(raw)["columns"]["age"].update(data_type="bigint"),
    ),
    Case(
        "column.type_spelled",
        "safe",
        lambda raw: node(raw)["columns"]["age"].update(data_type="INT"),
    ),
    Case("column.not_null_removed", "breaking", nullable),
    Case("column.not_null_added", "breaking", required, nullable),
    Case("constraint.added", "breaking", constraint),
    Case(
        "constraint.removed",
        "breaking",
        lambda raw: node(raw)["constraints"].clear(),
        constraint,
    ),
    Case("key.changed", "breaking", other_key),
    Case("contract.unenforced", "breaking", unenforced),
    Case(
        "contract.enforced",
        "loosened",
        lambda raw: node(raw)["contract"].update(enforced=True),
        unenforced,
    ),
    Case("values.widened", "breaking", lambda raw: accepted(raw).append("astronaut")),
    Case("values.narrowed", "breaking", lambda raw: accepted(raw).pop()),
    Case("values.withdrawn", "breaking", no_accepted),
    Case(
        "values.promised",
        "breaking",
        lambda raw: test_of(raw, "accepted_values", "job")["config"].update(
            severity="ERROR"
        ),
        no_accepted,
    ),
    Case("values.reordered", "review", lambda raw: accepted(raw).reverse()),
    # Purposes, uses, consumers.
    Case(
        "purpose.added",
        "loosened",
        put("purposes", ["credit_risk", "fraud_detection"]),
        put("purposes", ["credit_risk"]),
    ),
    Case("purpose.removed", "tightened", put("purposes", ["credit_risk"])),
    Case(
        "purpose.reordered", "safe", put("purposes", ["fraud_detection", "credit_risk"])
    ),
    Case(
        "use.added",
        "loosened",
        lambda raw: mesh(raw)["uses"].append("predict"),
        lambda raw: (
            mesh(raw)["uses"].remove("predict"),
            put("allow", NARROW_ALLOW)(raw),
        ),
    ),
    Case(
        "use.removed",
        "tightened",
        lambda raw: mesh(raw)["uses"].remove("predict"),
        put("allow", NARROW_ALLOW),
    ),
    Case("consumer.allowed", "loosened", put("allow", EVERYBODY)),
    Case("consumer.no_longer_allowed", "tightened", put("allow", NARROW_ALLOW)),
    Case(
        "consumer.allow_reworded",
        "safe",
        lambda raw: mesh(raw)["allow"].extend(NARROW_ALLOW),
    ),
    Case("consumer.no_longer_denied", "loosened", put("deny", LESS_DENIED)),
    Case("consumer.denied", "tightened", put("deny", MORE_DENIED)),
    Case("consumer.deny_reworded", "safe", put("deny", SPLIT)),
    # A deny rule that no longer reaches a column, though nobody has edited the rule.
    Case(
        "consumer.no_longer_denied",
        "loosened",
        col("amount", "classification", "restricted"),
        put("deny", [{"columns": {"classification": ["confidential"]}}]),
    ),
    Case(
        "consumer.no_longer_denied",
        "loosened",
        col("age", "roles", []),
        put("deny", [{"columns": {"roles": ["feature"]}}]),
    ),
    Case(
        "consumer.no_longer_denied",
        "loosened",
        put("deny", [{"purposes": ["credit_risk"], "uses": ["predict"]}]),
        put("deny", [{"uses": ["predict"]}]),
    ),
    Case(
        "consumer.allowed",
        "loosened",
        put("allow", [{**NARROW_ALLOW[0], "uses": ["evaluate", "predict"]}]),
        put("allow", [NARROW_ALLOW[0], {**NARROW_ALLOW[0], "uses": ["predict"]}]),
    ),
    # How guarded.
    Case("classification.lowered", "loosened", put("classification", "internal")),
    Case("classification.raised", "tightened", put("classification", "restricted")),
    Case(
        "classification.lowered",
        "loosened",
        col("is_bad", "classification", "confidential"),
    ),
    Case(
        "classification.raised", "tightened", col("age", "classification", "restricted")
    ),
    Case("classification.restated", "safe", uncol("age", "classification")),
    Case("pii.removed", "loosened", uncol("age", "pii")),
    Case("pii.changed", "loosened", col("age", "pii", "sensitive")),
    Case("pii.added", "tightened", col("amount", "pii", "quasi")),
    Case("label.shared", "loosened", col("is_bad", "label_sharing", "shared")),
    Case(
        "label.protected",
        "tightened",
        col("is_bad", "label_sharing", "protected"),
        col("is_bad", "label_sharing", "shared"),
    ),
    Case("label.restated", "safe", uncol("is_bad", "label_sharing")),
    Case("role.added", "loosened", col("age", "roles", ["feature", "join_key"])),
    Case("role.removed", "tightened", col("age", "roles", [])),
    Case("role.removed", "loosened", col("foreign_worker", "roles", [])),
    Case(
        "column_use.added",
        "loosened",
        col("foreign_worker", "uses", ["aggregate", "evaluate", "predict"]),
    ),
    Case(
        "column_use.removed", "tightened", col("foreign_worker", "uses", ["aggregate"])
    ),
    Case("column_use.freed", "loosened", uncol("foreign_worker", "uses")),
    Case("column_use.narrowed", "tightened", col("age", "uses", ["evaluate"])),
    Case("bounds.widened", "loosened", col("age", "bounds", [18, 101])),
    Case("bounds.narrowed", "tightened", col("age", "bounds", [19, 100])),
    Case("bounds.removed", "loosened", uncol("age", "bounds")),
    Case(
        "bounds.added",
        "tightened",
        col("age", "bounds", [18, 100]),
        uncol("age", "bounds"),
    ),
    Case("mask.added", "tightened", col("age", "mask", "null")),
    Case("mask.removed", "loosened", uncol("age", "mask"), col("age", "mask", "null")),
    Case(
        "mask.changed",
        "loosened",
        col("age", "mask", "bucket"),
        col("age", "mask", "null"),
    ),
    Case(
        "tag.added",
        "loosened",
        inside("tags", "region", "eu"),
        without("tags", "region"),
    ),
    Case("tag.removed", "loosened", without("tags", "region")),
    Case("tag.changed", "loosened", inside("tags", "lob", "auto_finance")),
    # Rows, cohort, privacy.
    Case("row_filter.changed", "loosened", put("row_filter", "age >= 17")),
    Case("row_filter.removed", "loosened", drop("row_filter")),
    Case(
        "row_filter.added",
        "tightened",
        put("row_filter", "age >= 18"),
        drop("row_filter"),
    ),
    Case("cohort.lowered", "loosened", put("min_cohort", 24)),
    Case("cohort.raised", "tightened", put("min_cohort", 26)),
    Case("cohort.removed", "loosened", drop("min_cohort")),
    Case("cohort.added", "tightened", put("min_cohort", 25), drop("min_cohort")),
    Case("dp.epsilon.raised", "loosened", inside("dp", "epsilon", 4.1)),
    Case("dp.epsilon.lowered", "tightened", inside("dp", "epsilon", 3.9)),
    Case("dp.delta.raised", "loosened", inside("dp", "delta", 1e-4)),
    Case("dp.period_days.lowered", "loosened", inside("dp", "period_days", 364)),
    Case("dp.per.removed", "tightened", inside("dp", "per", ["consumer"])),
    Case(
        "dp.per.added",
        "loosened",
        inside("dp", "per", ["consumer", "purpose"]),
        inside("dp", "per", ["consumer"]),
    ),
    Case(
        "dp.required_for.added",
        "tightened",
        inside("dp", "required_for", ["credit_risk"]),
    ),
    Case(
        "dp.required_for.removed",
        "loosened",
        inside("dp", "required_for", []),
        inside("dp", "required_for", ["credit_risk"]),
    ),
    Case("dp.removed", "loosened", drop("dp")),
    Case(
        "dp.added",
        "loosened",
        put("dp", {"epsilon": 1.0, "delta": 1e-5, "period_days": 30}),
        drop("dp"),
    ),
    Case(
        "dp.added",
        "tightened",
        put(
            "dp",
            {
                "epsilon": 1.0,
                "delta": 1e-5,
                "period_days": 30,
                "required_for": ["credit_risk"],
            },
        ),
        drop("dp"),
    ),
    # Who decides, and for how long.
    Case(
        "approval.restricted_approvers.lowered",
        "loosened",
        inside("approval", "restricted_approvers", 1),
    ),
    Case("approval.approvers.raised", "tightened", inside("approval", "approvers", 2)),
    Case(
        "approval.approvers.lowered",
        "loosened",
        inside("approval", "approvers", 1),
        inside("approval", "approvers", 2),
    ),
    Case("approval.max_days.raised", "loosened", inside("approval", "max_days", 366)),
    Case("approval.max_days.lowered", "tightened", inside("approval", "max_days", 364)),
    Case(
        "steward.added",
        "loosened",
        lambda raw: group(raw)["stewards"].append("new@bank.example"),
    ),
    Case("steward.removed", "loosened", lambda raw: group(raw)["stewards"].pop()),
    Case("steward.respelled", "safe", lambda raw: group(raw)["stewards"].reverse()),
    Case(
        "owner.email",
        "review",
        lambda raw: group(raw).update(email="other@bank.example"),
    ),
    Case("owner.name", "review", lambda raw: group(raw).update(name="Others")),
    Case("owner.support", "safe", lambda raw: group(raw).update(support="#elsewhere")),
    # Quality, freshness, retention.
    Case(
        "quality.completeness.lowered",
        "loosened",
        inside("quality", "completeness", 0.97),
    ),
    Case("quality.validity.raised", "tightened", inside("quality", "validity", 1.0)),
    Case("quality.uniqueness.removed", "loosened", without("quality", "uniqueness")),
    Case(
        "quality.drift_psi.raised",
        "loosened",
        inside("quality", "drift_psi", 0.3),
        inside("quality", "drift_psi", 0.2),
    ),
    Case("quality.on_breach_warn", "loosened", inside("quality", "on_breach", "warn")),
    Case(
        "quality.on_breach_stop",
        "tightened",
        inside("quality", "on_breach", "stop"),
        inside("quality", "on_breach", "warn"),
    ),
    Case("test.removed", "loosened", drop_test),
    Case("test.added", "tightened", add_test),
    Case("test.softened", "loosened", soften),
    Case("test.softened", "loosened", only_some_rows),
    Case(
        "test.hardened",
        "tightened",
        lambda raw: test_of(raw, "unique", "customer_id")["config"].update(
            severity="ERROR"
        ),
        soften,
    ),
    Case("freshness.raised", "loosened", put("freshness_hours", 721)),
    Case("freshness.lowered", "tightened", put("freshness_hours", 719)),
    Case("freshness.removed", "loosened", drop("freshness_hours")),
    Case("retention.raised", "loosened", put("retention_days", 731)),
    Case("retention.removed", "loosened", drop("retention_days")),
    Case("retention.lowered", "tightened", put("retention_days", 729)),
    # Whether it can be used at all.
    Case("status.closed", "tightened", put("status", "retired")),
    Case("status.opened", "loosened", put("status", "active"), put("status", "draft")),
    Case("status.changed", "safe", put("status", "retired"), put("status", "draft")),
    Case("access.narrowed", "tightened", field("access", "private")),
    Case(
        "access.widened",
        "loosened",
        field("access", "public"),
        field("access", "private"),
    ),
    Case("deprecation.set", "tightened", field("deprecation_date", "2027-01-01")),
    Case(
        "deprecation.lifted",
        "loosened",
        field("deprecation_date", None),
        field("deprecation_date", "2027-01-01"),
    ),
    Case(
        "deprecation.postponed",
        "loosened",
        field("deprecation_date", "2027-02-01"),
        field("deprecation_date", "2027-01-01"),
    ),
    Case(
        "deprecation.advanced",
        "tightened",
        field("deprecation_date", "2026-12-01"),
        field("deprecation_date", "2027-01-01"),
    ),
    Case(
        "version.latest",
        "review",
        lambda raw: [
            n.update(latest_version=2)
            for i, n in raw["nodes"].items()
            if i in {MODEL, MODEL_V2}
        ],
        only_v1,
    ),
    # Versions, and products that come and go.
    Case("version.added", "safe", new_version),
    Case("column.removed", "safe", new_version),
    Case("cohort.lowered", "loosened", lambda raw: new_version(raw, min_cohort=10)),
    Case("version.removed", "breaking", gone, only_v1),
    Case("version.introduced", "review", reversion, unversion),
    Case("product.removed", "breaking", gone),
    Case("product.ended", "safe", gone, put("status", "retired")),
    Case("product.ended", "safe", gone, field("deprecation_date", "2026-11-20")),
    Case("product.invalid", "breaking", invalid),
    Case("product.invalid", "breaking", put("classification", "secret")),
    Case("product.added", "review", novel),
    Case("product.copied", "review", copied),
    Case("cohort.lowered", "loosened", copied),
    Case("product.moved", "breaking", moved),
    Case(
        "cohort.lowered",
        "loosened",
        moved_and_looser,
    ),
    Case("domain.removed", "breaking", remove_domain),
    Case("product.moved", "breaking", rename_domain),
    Case("contract.invalid", "breaking", lambda raw: grant(raw).update(decided={})),
    # How it is made, where it lies, what is read.
    Case("made.otherwise", "review", other_sql),
    Case("made.otherwise", "review", other_sql_behind),
    Case("made.hooks", "review", config("post-hook", [{"sql": "select 1"}])),
    Case("made.materialized", "review", config("materialized", "view")),
    Case("made.event_time", "review", config("event_time", "updated_at")),
    Case("relation.database", "loosened", field("database", "auto_finance")),
    Case("relation.schema", "review", field("schema", "other")),
    Case("relation.identifier", "review", field("alias", "other")),
    Case("description.product", "safe", field("description", "Otherwise.")),
    Case(
        "description.column",
        "safe",
        lambda raw: node(raw)["columns"]["age"].update(description="Otherwise."),
    ),
    Case("dbt_tags", "safe", field("tags", ["other"])),
    # Grants and studies.
    Case("grant.removed", "tightened", no_grant),
    Case("grant.revoked", "tightened", revoke),
    Case(
        "grant.widened",
        "loosened",
        lambda raw: grant(raw)["request"]["uses"].append("predict"),
    ),
    Case(
        "grant.widened",
        "loosened",
        lambda raw: grant(raw)["request"]["columns"].append("foreign_worker"),
    ),
    Case("grant.widened", "loosened", request(consumer="marketing_analytics")),
    Case(
        "grant.widened",
        "review",
        lambda raw: (
            request(purpose="fraud_detection")(raw),
            decision(at="2026-11-05")(raw),
        ),
    ),
    Case(
        "grant.narrowed",
        "tightened",
        lambda raw: grant(raw)["request"]["uses"].remove("aggregate"),
    ),
    Case(
        "grant.approved",
        "review",
        decision(status="approved"),
        decision(status="requested"),
    ),
    Case(
        "grant.approved",
        "loosened",
        decision(status="approved"),
        decision(status="revoked"),
    ),
    Case(
        "grant.unfounded",
        "loosened",
        lambda raw: (
            decision(by=["x@bank.example"])(raw),
            request(purpose="fraud_detection")(raw),
        ),
    ),
    Case("grant.unfounded", "loosened", strange_approver),
    Case("grant.requested", "safe", request(days=100), decision(status="requested")),
    Case(
        "study.edited",
        "review",
        lambda raw: study(raw).update(purpose="fraud_detection"),
    ),
    Case("study.narrowed", "safe", lambda raw: study(raw)["features"].remove("age")),
    Case(
        "study.removed",
        "safe",
        lambda raw: raw["exposures"].pop(STUDY),
        lambda raw: raw["exposures"].update(
            {STUDY + "2": {**raw["exposures"][STUDY], "name": "credit_risk2"}}
        ),
    ),
    Case(
        "study.described",
        "safe",
        lambda raw: raw["exposures"][STUDY].update(label="Otherwise"),
    ),
]


# These are about a product that is new or has moved: its policy is compared as well.
ELSEWHERE = {"product.copied", "product.moved"}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}-{c.verdict}")
def test_a_change_has_its_verdict(diffed, case):
    found = diffed(case.edit, case.before)
    assert (case.kind, case.verdict) in {(c.kind, c.verdict) for c in found}
    about = [c for c in found if c.kind == case.kind]
    assert all(c.sentence.endswith(".") and c.product for c in about)
    assert "unknown" not in {c.kind for c in found}
    # What is not written down as a loosening loosens nothing by the way either.
    if case.verdict != "loosened" and case.kind not in ELSEWHERE:
        assert not [c for c in found if c.verdict == "loosened"]


def test_the_table_holds_more_kinds_than_were_asked_for(capsys):
    kinds = {case.kind for case in CASES}
    with capsys.disabled():
        print(f"\npolicy diff: {len(kinds)} kinds of change, {len(CASES)} cases")  # noqa: T201 the figure
    assert len(kinds) >= 40
    assert {case.verdict for case in CASES} == {
        "safe",
        "tightened",
        "review",
        *EXIT_CODES,
    }


def test_nothing_has_changed_between_a_manifest_and_itself(diffed):
    assert diffed(lambda raw: None) == ()


def test_the_classes_are_in_the_mesh_s_order(vocabulary):
    assert vocabulary.classifications == LEVELS


def test_a_tightening_names_the_grants_that_it_stops_and_whom_to_write_to(diffed):
    (change,) = diffed(put("min_cohort", 26))
    assert change.stops == ("consumer_banking.g_credit_risk_ml_coe",)
    assert {(t.through, t.address) for t in change.consumers} == {
        ("grant consumer_banking.g_credit_risk_ml_coe", "ml-coe@bank.example"),
        ("study credit_risk", "ml-coe@bank.example"),
    }


def test_a_change_of_a_column_touches_those_who_name_it(diffed):
    (named,) = diffed(col("age", "bounds", [19, 100]))
    (unnamed,) = diffed(col("foreign_worker", "uses", ["aggregate"]))
    assert named.consumers
    assert not unnamed.consumers
    assert unnamed.stops  # a new fingerprint stops the grant all the same


def test_a_change_of_words_stops_nothing(diffed):
    (change,) = diffed(field("description", "Otherwise."))
    assert (change.stops, change.consumers) == ((), ())


def test_what_stops_a_grant_is_told_apart_from_what_came_with_it(diffed):
    def edit(raw):
        put("min_cohort", 26)(raw)
        field("description", "Otherwise.")(raw)

    stops = {c.kind: bool(c.stops) for c in diffed(edit)}
    assert stops == {"cohort.raised": True, "description.product": False}


def test_who_becomes_a_steward_cannot_approve_in_the_same_change(diffed, compared):
    """Even where everything else about the approval holds on the head."""
    heads = compared(strange_approver).head.products
    head = next(p for p in heads if p.name == PRODUCT)

    def edit(raw):
        strange_approver(raw)
        decision(policy=policy_fingerprint(head))(raw)

    (found,) = [c for c in diffed(edit) if c.kind == "grant.unfounded"]
    assert found.verdict == "loosened"
    assert "becomes a steward" in found.sentence


def test_one_domain_s_changes_can_be_looked_at_alone(diffed):
    def both(raw):
        put("min_cohort", 10)(raw)
        mesh(raw, "model.auto_finance.credit_profile.v1")["min_cohort"] = 10

    assert {c.product for c in diffed(both)} == {
        PRODUCT,
        "auto_finance.credit_profile",
    }
    alone = diffed(both, domain="auto_finance")
    assert {c.product for c in alone} == {"auto_finance.credit_profile"}


def test_no_sentence_holds_a_value_of_data(diffed):
    """Filters, bounds and accepted values come from data, or may."""

    def edit(raw):
        put("row_filter", "amount <> 4711")(raw)
        col("age", "bounds", [18, 4711])(raw)
        accepted(raw).append("v4711")
        constraint(raw)
        node(raw)["constraints"][-1]["expression"] = "amount <> 4711"
        add_test(raw)
        kwargs = raw["nodes"]["test.consumer_banking.in_range_more"]["test_metadata"]
        kwargs["kwargs"] = {"low": 4711}

    found = diffed(edit)
    assert len(found) >= 5
    assert not [c for c in found if "4711" in c.sentence]


def test_what_no_family_explains_is_loosened(compared, monkeypatch):
    """Without the family of cohorts a smaller one is still found."""
    others = tuple(f for f in room.families() if f.name != "cohort")
    monkeypatch.setattr(room, "families", lambda: others)
    both = compared(put("min_cohort", 26))
    (change,) = changes(both, lambda _, found: found)
    assert (change.kind, change.verdict) == ("unknown", "loosened")
    assert "contract.min_cohort" in change.sentence


def test_a_fingerprint_that_nobody_can_explain_is_loosened(compared, monkeypatch):
    told = iter(("sha256:a", "sha256:b"))
    monkeypatch.setattr(room, "policy_fingerprint", lambda _: next(told))
    both = compared(field("description", "Otherwise."))
    pair = next(p for p in both.pairs if p.head.name == PRODUCT)
    assert "unknown" in {f.kind for f in room.explained(pair)}
