"""Columns, who may ask, and how guarded what they ask for is."""

from tests.unit.contracts.conftest import mesh, node
from tests.unit.contracts.edits import (
    Case,
    accepted,
    add_column,
    col,
    constraint,
    data_test,
    inside,
    no_accepted,
    nullable,
    other_key,
    put,
    required,
    uncol,
    unenforced,
    without,
)

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
        lambda raw: data_test(raw, "accepted_values", "job")["config"].update(
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
    # A class that a deny names stands for every more guarded one as well.
    Case(
        "classification.raised",
        "tightened",
        col("amount", "classification", "restricted"),
        put("deny", [{"columns": {"classification": ["confidential"]}}]),
    ),
    Case(
        "consumer.denied",
        "tightened",
        put("deny", [{"columns": {"classification": ["internal"]}}]),
        put("deny", [{"columns": {"classification": ["restricted"]}}]),
    ),
    Case(
        "consumer.no_longer_denied",
        "loosened",
        put("deny", [{"columns": {"classification": ["restricted"]}}]),
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
]
