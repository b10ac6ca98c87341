"""What is asked, as it comes over the wire."""

from collections.abc import Iterator
from typing import Any

from fl_plugin.privacy.terms import TWO_PARTIES
from tests.golden.decision_facts import LEFT_OUT
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

NAN, INF = float("nan"), float("inf")
NOT_SENT = [LEFT_OUT, None]
NO = "access.not_allowed"
QUERY: dict[str, Any] = {
    "contract/uses": ["query", "evaluate"],
    "contract/allow/uses": ["query"],
    "grant/request/uses": ["query"],
    "request/uses": ["query"],
    "request/columns": {"amount": "feature"},
    "request/algorithm": "",
    "request/parameters": {},
}
WITH = ["train_vertical", "evaluate"]
HASHED = [*WITH, "match_by_hash"]
MATCHED: dict[str, Any] = {
    "grant/request/uses": WITH,
    "request/uses": WITH,
    "request/match": "private",
}
BY_HASH: dict[str, Any] = {
    "vocabulary/uses": HASHED,
    "contract/uses": HASHED,
    "contract/allow/uses": HASHED,
    "grant/request/uses": HASHED,
    "request/uses": HASHED,
}
WITH_DP = {"grant/request/epsilon": 2.0, "request/delta": 1e-5}


def asked_rows() -> Iterator[Row]:
    """Yield the rows of a request, as it comes over the wire."""
    yield from rows(
        "request/study",
        {
            YES: ["credit_risk"],
            "grant.missing": ["other", "", "CREDIT_RISK", "credit_risk "],
            UNREADABLE: [*NOT_SENT, 3, "x" * 257],
        },
    )
    yield from rows(
        "request/consumer",
        {
            YES: ["ml_coe"],
            "consumer.mismatch": ["marketing_analytics", "", "ML_COE", "stranger"],
            UNREADABLE: [*NOT_SENT, 3, "x" * 257],
        },
    )
    yield from rows(
        "request/actor",
        {YES: ["anybody", ""], UNREADABLE: [*NOT_SENT, 3, "x" * 257]},
    )
    yield from rows(
        "request/purpose",
        {
            YES: ["credit_risk"],
            NO: ["fraud_detection", "spam", "", "Credit_risk"],
            UNREADABLE: [*NOT_SENT, 3, ["credit_risk"]],
        },
    )
    yield from rows(
        "request/product",
        {
            YES: ["consumer_banking.credit_profile"],
            "product.missing": ["consumer_banking.other", "", "credit_profile"],
            UNREADABLE: [*NOT_SENT, 3],
        },
    )
    yield from rows(
        "request/version",
        {
            YES: [1, None],
            "product.missing": [2, 0, -1],
            UNREADABLE: [LEFT_OUT, "one", 1.5, [1]],
        },
    )
    yield from _asked_for_rows()
    yield from _algorithm_rows()


def _asked_for_rows() -> Iterator[Row]:
    yield from rows(
        "request/uses",
        {
            YES: [["train_horizontal", "evaluate"], ["evaluate"], ["train_horizontal"]],
            "use.not_allowed": [[]],
            "use.mode": [["train_vertical"], ["train_horizontal", "train_vertical"]],
            NO: [["predict"], ["evaluate", "aggregate"], ["sell"], [""]],
            UNREADABLE: [*NOT_SENT, "evaluate", [1], 3],
        },
    )
    yield from rows(
        "request/columns",
        {
            YES: [{"amount": "feature"}, {"is_bad": "label"}],
            "column.unknown": [
                {},
                {"income": "feature"},
                {"": "feature"},
                {"AMOUNT": "feature"},
            ],
            "column.role": [
                {"amount": "label"},
                {"amount": ""},
                {"opt_out": "feature"},
                {"is_bad": "feature"},
                {"is_bad": "shared_label"},
                {"customer_id": "feature"},
            ],
            "column.use": [{"customer_id": "join_key"}],
            UNREADABLE: [*NOT_SENT, ["amount"], {"amount": 1}, "amount"],
        },
    )


def _algorithm_rows() -> Iterator[Row]:
    yield from rows(
        "request/algorithm",
        {
            YES: ["logistic_regression"],
            "algorithm.not_allowed": ["other", "", "Logistic_Regression"],
            UNREADABLE: [*NOT_SENT, 3],
        },
    )
    yield from rows(
        "request/parameters",
        {
            # A list holds all that a search tries.
            YES: [
                {},
                {"l2": 0.0001},
                {"l2": 10_000},
                {"l2": 1, "max_rounds": 100},
                {"l2": [1]},
                {"l2": [0.0001, 1, 10_000], "max_rounds": [1, 100]},
            ],
            "parameter.out_of_range": [
                {"l2": 0},
                {"l2": 10_001},
                {"l2": NAN},
                {"l2": INF},
                {"l2": "1"},
                {"l2": True},
                {"l2": None},
                {"l2": []},
                {"l2": [1, 10_001]},
                {"l2": [1, "1"]},
                {"l2": [1, True]},
                {"l2": [1, NAN]},
                {"l2": [[1]]},
                {"max_rounds": 101},
                {"other": 1},
            ],
            UNREADABLE: [*NOT_SENT, [1], "l2"],
        },
    )
    yield from rows(
        "request/secure_aggregation",
        {
            YES: [True],
            "privacy.masks_required": [False],
            UNREADABLE: [*NOT_SENT, "perhaps", 3],
        },
    )
    yield from rows(
        "request/parties",
        {
            YES: [3, 1000],
            "privacy.too_few_parties": [2, 1, 0, -3],
            UNREADABLE: [*NOT_SENT, "many", 2.5],
        },
    )
    yield from rows(
        "request/parties",
        {YES: [2, 3], "privacy.too_few_parties": [1, 0]},
        {"node/two_parties": TWO_PARTIES},
    )
    yield from rows(
        "request/epsilon",
        {
            YES: [1.0, 2.0],
            "budget.not_granted": [2.01, NAN, INF],
            "budget.exceeded": [0, -1.0],
            "privacy.dp_required": [LEFT_OUT, None],
            UNREADABLE: ["much", [1]],
        },
        WITH_DP,
    )
    yield from _query_rows()
    yield from _match_rows()
    yield from rows(
        "request/epsilon",
        {YES: [LEFT_OUT, None], "budget.not_granted": [1.0, 0.1]},
        {"request/delta": 1e-5},
    )
    yield from rows(
        "request/delta",
        {
            YES: [1e-5, 1e-12],
            "budget.delta": [LEFT_OUT, None, 0.0, -1e-6, 1.1e-5, 1.0, NAN, INF],
            UNREADABLE: ["little", [1e-5]],
        },
        {"grant/request/epsilon": 2.0, "request/epsilon": 1.0},
    )
    # Exact figures need a grant of their own; the one here is for noise.
    yield from rows(
        "request/evaluation",
        {
            YES: [0.1, 1.0, LEFT_OUT, None],
            "privacy.dp_required": [0, 0.0],
            UNREADABLE: ["much", [0.1]],
        },
        WITH_DP | {"request/epsilon": 1.0},
    )
    # Nothing is spent, so nothing can fail.
    yield from rows("request/delta", {YES: [LEFT_OUT, None, 0.5, NAN]})


def _query_rows() -> Iterator[Row]:
    """Rows leave only by themselves, and a protected label leaves in no role."""
    yield from rows(
        "request/uses",
        {
            YES: [["query"]],
            "use.not_allowed": [[]],
            NO: [["evaluate"], ["query", "evaluate"]],
        },
        QUERY,
    )
    yield from rows(
        "request/uses",
        {"algorithm.not_allowed": [["query", "evaluate"]]},
        QUERY
        | {
            "contract/allow/uses": ["query", "evaluate"],
            "grant/request/uses": ["query", "evaluate"],
        },
    )
    yield from rows(
        "request/algorithm",
        {YES: [""], "algorithm.not_allowed": ["logistic_regression", "other"]},
        QUERY,
    )
    yield from rows(
        "request/parameters", {YES: [{}], "algorithm.not_allowed": [{"l2": 1}]}, QUERY
    )
    yield from rows(
        "request/columns",
        {
            YES: [{"amount": "feature"}, {"amount": "feature", "age": "feature"}],
            "column.role": [{"is_bad": "label"}, {"is_bad": "shared_label"}],
            "column.unknown": [{}],
        },
        QUERY,
    )
    yield from rows(
        "request/columns",
        {YES: [{"is_bad": "shared_label"}]},
        QUERY | {"columns/is_bad/mesh/label_sharing": "shared"},
    )
    yield from rows(
        "columns/amount/mesh/roles",
        {YES: [["feature"]], "column.role": [["feature", "label"]]},
        QUERY,
    )
    yield from rows(
        "columns/amount/mesh/mask",
        {
            YES: ["null", "hash", "bucket", None],
            "column.mask_unfit": ["year"],
            UNREADABLE: ["rot13"],
        },
        QUERY,
    )


def _match_rows() -> Iterator[Row]:
    """Rows are matched for the uses of matched rows, and sums are for the others."""
    yield from rows(
        "request/match",
        {
            YES: ["", LEFT_OUT],
            "use.mode": ["private", "keyed_hash"],
            UNREADABLE: [None, 3, "open", ["private"]],
        },
    )
    yield from rows(
        "request/match",
        {
            YES: ["private"],
            "use.mode": ["", LEFT_OUT],
            "use.not_allowed": ["keyed_hash"],
        },
        MATCHED,
    )
    yield from rows("request/match", {YES: ["private", "keyed_hash"]}, BY_HASH)
    yield from rows(
        "request/uses",
        {
            YES: [WITH, ["train_vertical"], ["evaluate"]],
            "use.not_allowed": [[]],
            "use.mode": [["train_vertical", "train_horizontal"], ["aggregate"]],
        },
        MATCHED | {"contract/allow/uses": [*WITH, "train_horizontal", "aggregate"]},
    )
    yield from rows(
        "grant/request/uses",
        {YES: [WITH], "use.not_allowed": [["train_horizontal", "evaluate"]]},
        MATCHED,
    )
    # Each pair of domains speaks in sealed messages, so two are enough.
    yield from rows(
        "request/parties",
        {YES: [2, 3, 50], "privacy.too_few_parties": [1, 0, -1]},
        MATCHED,
    )
    for node in ("required", "optional"):
        yield from rows(
            "request/secure_aggregation",
            {YES: [True], "privacy.masks_required": [False]},
            MATCHED | {"node/secure_aggregation": node},
        )
