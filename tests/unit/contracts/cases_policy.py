"""Rows and budgets, who decides, quality, and whether it can be used."""

from tests.unit.contracts.conftest import MODEL, group
from tests.unit.contracts.edits import (
    Case,
    add_test,
    data_test,
    drop,
    drop_test,
    field,
    inside,
    only_some_rows,
    only_v1,
    put,
    soften,
    without,
)

CASES = [
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
        lambda raw: data_test(raw, "unique", "customer_id")["config"].update(
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
            if i in {MODEL, MODEL.replace("v1", "v2")}
        ],
        only_v1,
    ),
]
