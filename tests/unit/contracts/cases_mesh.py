"""Products that come and go, how they are made, grants and studies."""

from tests.unit.contracts.conftest import STUDY, grant, new_version, node
from tests.unit.contracts.edits import (
    Case,
    config,
    copied,
    decision,
    field,
    gone,
    invalid,
    moved,
    moved_and_looser,
    no_grant,
    novel,
    only_v1,
    other_sql,
    other_sql_behind,
    put,
    remove_domain,
    rename_domain,
    request,
    reversion,
    revoke,
    strange_approver,
    study,
    unversion,
)

CASES = [
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
