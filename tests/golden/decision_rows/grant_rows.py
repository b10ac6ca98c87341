"""What was asked of a domain, what its stewards said, and who signed it."""

from collections.abc import Iterator
from datetime import date

from tests.golden.decision_facts import CURRENT, LEFT_OUT, OTHER, SIGNED, THIS
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

ASKED, DECIDED = "grant/request", "grant/decision"
FIRST, SECOND = "steward.consumer@bank.example", "risk.consumer@bank.example"
PRODUCT_ID = "model.consumer_banking.credit_profile.v1"
MISSING = "grant.missing"
MUST_SIGN = {"node/require_signatures": ["grants"]}
BOTH = {FIRST: SIGNED, SECOND: SIGNED}


def grant_rows() -> Iterator[Row]:
    """Yield the rows of a grant."""
    yield from _exposure_rows()
    yield from _asked_rows()
    yield from _dates_asked_rows()
    yield from _status_rows()
    yield from _approver_rows()
    yield from _dates_decided_rows()
    yield from _signature_rows()


def _exposure_rows() -> Iterator[Row]:
    yield from rows(
        "exposure/name",
        {YES: ["g_1", "another"], UNREADABLE: [LEFT_OUT, "", "../g", "G", "x" * 65]},
    )
    yield from rows(
        "exposure/package_name",
        {YES: ["consumer_banking"], MISSING: ["auto_finance", LEFT_OUT]},
    )
    yield from rows(
        "exposure/depends_on",
        {
            YES: [[PRODUCT_ID], ["model.consumer_banking.other", PRODUCT_ID]],
            MISSING: [
                ["model.consumer_banking.other"],
                ["model.consumer_banking.credit_profile.v2"],
            ],
            UNREADABLE: [
                LEFT_OUT,
                [],
                ["source.consumer_banking.x"],
                ["model.auto_finance.credit_profile"],
            ],
        },
    )


def _asked_rows() -> Iterator[Row]:
    yield from rows("grant/request", {UNREADABLE: [LEFT_OUT, {}, None, "please"]})
    yield from rows("grant/misspelt", {UNREADABLE: [1]})
    for word in ("study", "consumer"):
        yield from rows(
            f"{ASKED}/{word}",
            {
                MISSING: ["other"],
                UNREADABLE: [LEFT_OUT, None, "", "a b", "../x", ["credit_risk"]],
            },
        )
    yield from rows(f"{ASKED}/study", {YES: ["credit_risk"]})
    yield from rows(f"{ASKED}/consumer", {YES: ["ml_coe"]})
    yield from rows(
        f"{ASKED}/by",
        {
            YES: ["anybody@bank.example"],
            # Four eyes: nobody decides on their own request.
            "grant.approvers": [FIRST, SECOND, FIRST.upper()],
            UNREADABLE: [LEFT_OUT, None, "", "scientist", "a b@c", 3],
        },
    )
    yield from rows(
        f"{ASKED}/purpose",
        {
            YES: ["credit_risk"],
            "purpose.not_allowed": ["fraud_detection"],
            UNREADABLE: [LEFT_OUT, None, "", "A"],
        },
    )
    yield from rows(
        f"{ASKED}/uses",
        {
            YES: [["evaluate", "train_horizontal", "aggregate"]],
            "use.not_allowed": [["evaluate"], ["train_horizontal"], ["aggregate"]],
            UNREADABLE: [LEFT_OUT, None, [], "evaluate", [1]],
        },
    )
    yield from rows(
        f"{ASKED}/columns",
        {
            YES: [["amount", "age", "is_bad", "opt_out"]],
            "column.not_granted": [["amount", "age"], ["is_bad"], ["customer_id"]],
            UNREADABLE: [LEFT_OUT, None, [], "amount", ["a b"], [1]],
        },
    )
    # A column that nobody knows counts as restricted: it could become anything.
    yield from rows(
        f"{ASKED}/columns",
        {
            YES: [["amount"], ["amount", "age"]],
            "grant.approvers": [["amount", "is_bad"], ["amount", "income"]],
        },
        {f"{DECIDED}/by": [FIRST], "request/columns": {"amount": "feature"}},
    )
    yield from rows(
        f"{ASKED}/epsilon",
        {
            YES: [LEFT_OUT, None],
            "privacy.dp_required": [1.0],
            UNREADABLE: [0, -1, "1", True],
        },
    )
    yield from rows(
        f"{ASKED}/epsilon",
        {
            YES: [1.0, 2.0],
            "budget.not_granted": [LEFT_OUT, None, 0.5, 0.99],
        },
        {"request/epsilon": 1.0, "request/delta": 1e-5},
    )


def _dates_asked_rows() -> Iterator[Row]:
    yield from rows(
        f"{ASKED}/at",
        {
            YES: [date(2026, 11, 4), date(2020, 1, 1)],
            UNREADABLE: [LEFT_OUT, None, "", "soon", 3, date(2026, 11, 5)],
        },
    )
    yield from rows(
        f"{ASKED}/days",
        {YES: [90, 36_500], UNREADABLE: [LEFT_OUT, None, 0, -1, 89, 1.5, "90", 36_501]},
    )


def _status_rows() -> Iterator[Row]:
    yield from rows(
        "grant/decision", {"grant.not_approved": [LEFT_OUT], UNREADABLE: [None, {}]}
    )
    yield from rows(
        f"{DECIDED}/status",
        {
            YES: ["approved"],
            "grant.not_approved": ["requested", "rejected", "revoked"],
            UNREADABLE: [LEFT_OUT, None, "", "Approved", "expired", True],
        },
    )
    yield from rows("grant/decision/misspelt", {UNREADABLE: [1]})


def _approver_rows() -> Iterator[Row]:
    yield from rows(
        f"{DECIDED}/by",
        {
            YES: [[FIRST, SECOND], [SECOND.upper(), FIRST]],
            "grant.approvers": [
                [FIRST],
                [FIRST, FIRST],
                [FIRST, FIRST.upper()],
                [FIRST, "stranger@bank.example"],
                [FIRST, SECOND, "stranger@bank.example"],
                ["ml-coe@bank.example", FIRST],
            ],
            UNREADABLE: [LEFT_OUT, None, [], FIRST, ["steward"], [1]],
        },
    )
    free = {
        "columns/is_bad/mesh/classification": "confidential",
        f"{DECIDED}/by": [FIRST],
    }
    yield from rows(f"{DECIDED}/by", {YES: [[FIRST], [SECOND]]}, free)


def _dates_decided_rows() -> Iterator[Row]:
    yield from rows(
        f"{DECIDED}/at",
        {
            YES: [date(2026, 11, 4), date(2026, 11, 21)],
            "grant.not_yet_valid": [date(2026, 11, 22), date(2027, 2, 1)],
            UNREADABLE: [
                LEFT_OUT,
                None,
                "soon",
                date(2026, 11, 1),
                date(2026, 11, 3),
                date(2027, 2, 2),
            ],
        },
    )
    yield from rows(
        f"{DECIDED}/expires",
        {
            YES: [date(2027, 2, 2), date(2026, 11, 22)],
            "grant.expired": [date(2026, 11, 21), date(2026, 11, 5)],
            UNREADABLE: [
                LEFT_OUT,
                None,
                "never",
                date(2026, 11, 4),
                date(2026, 11, 1),
                date(2027, 2, 3),
            ],
        },
    )
    yield from rows(
        f"{DECIDED}/expires",
        {"grant.too_long": [date(2027, 5, 4)], YES: [date(2027, 5, 3)]},
        {f"{ASKED}/days": 400},
    )
    yield from rows(
        f"{DECIDED}/policy",
        {
            YES: [CURRENT],
            "grant.policy_changed": [OTHER],
            UNREADABLE: [LEFT_OUT, None, "", "sha256:0", "md5:" + "0" * 64],
        },
    )
    yield from rows(
        "facts/revoked",
        {YES: [[], [OTHER]], "grant.revoked": [[THIS], [OTHER, THIS]]},
    )


def _signature_rows() -> Iterator[Row]:
    yield from rows(
        f"{DECIDED}/signatures",
        {
            YES: [LEFT_OUT, {}, BOTH],
            UNREADABLE: [None, [], {FIRST: "x"}, {"steward": SIGNED}],
        },
    )
    yield from rows(
        f"{DECIDED}/signatures",
        {
            YES: [BOTH, BOTH | {"stranger@bank.example": SIGNED}],
            "grant.unsigned": [
                LEFT_OUT,
                {},
                {FIRST: SIGNED},
                {SECOND: SIGNED},
                {FIRST: SIGNED, SECOND: f"(by {FIRST})"},
                {FIRST: SIGNED, SECOND: "(by stranger@bank.example)"},
            ],
        },
        MUST_SIGN,
    )
