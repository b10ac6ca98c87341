"""Every word of a product's contract."""

from collections.abc import Iterator

from tests.golden.decision_facts import LEFT_OUT
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

NO = "access.not_allowed"
COE = {"org_unit": ["ml_coe"]}
RULE = {
    "consumer": COE,
    "purposes": ["credit_risk"],
    "uses": ["train_horizontal", "evaluate"],
}
ONE_STEWARD = {"grant/decision/by": ["steward.consumer@bank.example"]}
PLAIN = {
    "grant/request/columns": ["amount", "age"],
    "request/columns": {"amount": "feature", "age": "feature"},
}
NO_NAMES = [LEFT_OUT, [], "credit_risk", [1], ["Credit"], ["a b"], None]


def contract_rows() -> Iterator[Row]:
    """Yield the rows of the product's own words."""
    yield from rows(
        "contract/product",
        {
            YES: ["consumer_banking.credit_profile"],
            UNREADABLE: [
                LEFT_OUT,
                "consumer_banking.other",
                "auto_finance.credit_profile",
                "../x.y",
                3,
                "",
            ],
        },
    )
    yield from rows("contract/misspelt", {UNREADABLE: [True]})
    yield from rows(
        "contract/status",
        {
            YES: ["active"],
            "product.not_active": ["draft", "retired"],
            UNREADABLE: [LEFT_OUT, "Active", "", 3, None, ["active"]],
        },
    )
    yield from rows(
        "contract/classification",
        {
            YES: ["public", "internal", "confidential", "restricted"],
            UNREADABLE: [LEFT_OUT, "secret", "Restricted", 3, None],
        },
    )
    yield from rows(
        "contract/classification",
        {
            YES: ["public", "internal", "confidential"],
            "grant.approvers": ["restricted"],
        },
        ONE_STEWARD | PLAIN,
    )
    yield from rows(
        "contract/tags",
        {
            YES: [{"region": "eu"}, {}, LEFT_OUT],
            UNREADABLE: [{"colour": "red"}, {"region": "us"}, ["eu"], {"region": 1}],
        },
    )
    yield from rows(
        "contract/purposes",
        {
            YES: [["credit_risk"], ["credit_risk", "credit_risk"]],
            # Without it an allow rule would promise what is not offered.
            UNREADABLE: [["fraud_detection"], ["credit_risk", "spam"], *NO_NAMES],
        },
    )
    yield from rows(
        "contract/purposes",
        {NO: [["fraud_detection"]]},
        {"contract/allow/purposes": ["fraud_detection"]},
    )
    yield from rows(
        "contract/uses",
        {
            YES: [["train_horizontal", "train_vertical", "evaluate", "predict"]],
            UNREADABLE: [["evaluate"], ["train_horizontal", "sell"], *NO_NAMES],
        },
    )
    yield from _uses_rows()
    yield from _guard_rows()


def _uses_rows() -> Iterator[Row]:
    for use in ("train_horizontal", "evaluate", "aggregate"):
        narrowed = {"contract/allow": [RULE | {"uses": [use]}]}
        yield from rows("contract/uses", {NO: [[use]]}, narrowed)


def _guard_rows() -> Iterator[Row]:
    yield from rows(
        "contract/row_filter",
        {
            YES: ["opt_out is null", LEFT_OUT, None],
            UNREADABLE: [
                "",
                "true; drop table t",
                "true -- x",
                "true /* x */",
                "{{ x }}",
                "a\nb",
                "x" * 2001,
                3,
            ],
        },
    )
    yield from rows(
        "contract/min_cohort",
        {
            YES: [25, 10, 495, LEFT_OUT, None],
            "cohort.too_small": [496, 1_000_000_000],
            # Below the mesh's floor, or no count.
            UNREADABLE: [9, 1, 0, -1, 25.5, "25", True, 1_000_000_001],
        },
    )
    yield from rows(
        "contract/freshness_hours",
        {
            YES: [24, 2, 2.0, 1e6, LEFT_OUT, None],
            "freshness.stale": [1.99, 0.001],
            UNREADABLE: [0, -1, "24", True],
        },
    )
    yield from rows(
        "contract/retention_days",
        {YES: [1, 730, LEFT_OUT, None], UNREADABLE: [0, -1, 1.5, "730", 36_501]},
    )
    yield from _approval_rows()
    yield from _quality_rows()


def _approval_rows() -> Iterator[Row]:
    yield from rows(
        "contract/approval", {YES: [{}, LEFT_OUT], UNREADABLE: [3, [], {"by": 1}]}
    )
    low = ONE_STEWARD | PLAIN
    yield from rows("contract/approval/approvers", {YES: [1, 2, LEFT_OUT]})
    yield from rows(
        "contract/approval/approvers",
        {YES: [1, LEFT_OUT], "grant.approvers": [2], UNREADABLE: [0, -1, 3, "1", 1.5]},
        low,
    )
    yield from rows(
        "contract/approval/restricted_approvers",
        {
            YES: [1, 2, LEFT_OUT],
            "grant.approvers": [3, 100],
            UNREADABLE: [0, -1, "2", None],
        },
    )
    yield from rows(
        "contract/approval/restricted_approvers",
        {YES: [1], "grant.approvers": [2, LEFT_OUT]},
        ONE_STEWARD,
    )
    yield from rows(
        "contract/approval/max_days",
        {
            YES: [90, 180, 36_500, LEFT_OUT],
            "grant.too_long": [89, 30, 1],
            UNREADABLE: [0, -1, 90.5, "90", 36_501],
        },
    )


def _quality_rows() -> Iterator[Row]:
    yield from rows(
        "contract/quality", {YES: [{}, LEFT_OUT], UNREADABLE: [1, {"accuracy": 1}]}
    )
    for word in ("completeness", "validity", "uniqueness"):
        yield from rows(
            f"contract/quality/{word}",
            {
                YES: [0, 0.9, LEFT_OUT, None],
                f"quality.{word}": [0.91, 1.0],
                UNREADABLE: [1.01, -0.1, "0.9", True],
            },
            {f"measured/{word}": 0.9},
        )
    yield from rows(
        "contract/quality/on_breach",
        {
            YES: ["warn"],
            "quality.validity": ["stop", LEFT_OUT],
            UNREADABLE: ["ignore", True, None],
        },
        {"measured/validity": 0.9},
    )
    # A warning is for what is known to be broken, not for what nobody measured.
    for word in ("built_at", "completeness", "validity", "uniqueness", "tests_failed"):
        yield from rows(
            f"measured/{word}",
            {"quality.unknown": [None]},
            {"contract/quality/on_breach": "warn"},
        )
    yield from rows(
        "contract/quality/drift_psi",
        {
            YES: [0.2, 1.0, LEFT_OUT, None],
            "quality.drift": [0.19, 0.01],
            UNREADABLE: [0, -0.2, "0.2"],
        },
        {"measured/drift_psi": 0.2},
    )
