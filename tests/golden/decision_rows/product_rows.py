"""Columns, the product as dbt knows it, its owner, and differential privacy."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.golden.decision_facts import LEFT_OUT
from tests.golden.decision_rows.contract_rows import ONE_STEWARD, PLAIN
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

AMOUNT = "columns/amount"
LABEL = "columns/is_bad/mesh"
SHARED = {"request/columns": {"amount": "feature", "is_bad": "shared_label"}}
# A request and a grant that both name an epsilon; the request its delta, too.
WITH_DP = {
    "request/epsilon": 1.0,
    "request/delta": 1e-5,
    "grant/request/epsilon": 4.0,
}


def product_rows() -> Iterator[Row]:
    """Yield the rows of everything here."""
    yield from _column_rows()
    yield from _label_rows()
    yield from _dbt_column_rows()
    yield from _dp_rows()
    yield from _dbt_rows()
    yield from _words_that_do_not_decide()
    yield from _owner_rows()


def _column_rows() -> Iterator[Row]:
    yield from rows(
        f"{AMOUNT}/mesh/roles",
        {
            YES: [["feature"], ["label", "feature"]],
            "column.role": [LEFT_OUT, [], ["label"], ["protected"]],
            UNREADABLE: ["feature", ["colour"], None, [1]],
        },
    )
    yield from rows(
        f"{AMOUNT}/mesh/classification",
        {
            YES: ["public", "internal", "confidential", LEFT_OUT, None],
            "grant.approvers": ["restricted"],
            UNREADABLE: ["secret", "Restricted", 3],
        },
        ONE_STEWARD | PLAIN,
    )
    yield from rows(
        f"{AMOUNT}/mesh/pii",
        {
            YES: ["sensitive", "identifier", LEFT_OUT, None],
            "access.denied": ["quasi"],
            UNREADABLE: ["colour", 3, ["quasi"]],
        },
        {"contract/deny": [{"columns": {"pii": ["quasi"]}}]}
        | {"request/columns": {"amount": "feature"}},
    )
    yield from rows(
        f"{AMOUNT}/mesh/uses",
        {
            YES: [["train_horizontal", "evaluate"], LEFT_OUT, None],
            "column.use": [["train_horizontal"], ["evaluate"], []],
            UNREADABLE: [["sell"], "evaluate", 3],
        },
    )
    yield from rows(
        f"{AMOUNT}/mesh/bounds",
        {
            YES: [[0, 1], [-1.5, 2], LEFT_OUT, None],
            UNREADABLE: [[1, 0], [1, 1], [0], [0, 1, 2], "0-1", ["0", "1"]],
        },
    )
    yield from rows(
        "columns/customer_id/mesh/roles",
        {"column.role": [["feature"]], "column.use": [["join_key"]]},
        {"request/columns": {"customer_id": "join_key"}},
    )


def _label_rows() -> Iterator[Row]:
    yield from rows(
        f"{LABEL}/label_sharing", {YES: ["shared", "protected", LEFT_OUT, None]}
    )
    yield from rows(
        f"{LABEL}/label_sharing",
        {
            YES: ["shared"],
            "column.role": ["protected", LEFT_OUT, None],
            UNREADABLE: ["open", True],
        },
        SHARED,
    )
    # It belongs to a label, and to nothing else.
    yield from rows(f"{AMOUNT}/mesh/label_sharing", {UNREADABLE: ["shared"]})
    yield from rows(
        f"{AMOUNT}/mesh/mask",
        {
            "column.masked": ["null", "hash", "year"],
            YES: [LEFT_OUT, None],
            UNREADABLE: ["rot13", 3, True],
        },
    )


def _dbt_column_rows() -> Iterator[Row]:
    yield from rows(
        f"{AMOUNT}/data_type",
        {
            YES: ["DECIMAL(12,2)", "numeric( 12 , 2 )"],
            "product.table_differs": [LEFT_OUT, "decimal", "double", "decimal(12, 3)"],
        },
    )
    yield from rows(
        f"{AMOUNT}/description", {YES: ["What was lent.", "<b>x</b>", LEFT_OUT]}
    )
    # Whoever changes one of these changes the policy; the grant here follows.
    yield from rows(f"{AMOUNT}/nullable", {YES: [False, True, LEFT_OUT]})
    yield from rows(
        f"{AMOUNT}/accepted_values", {YES: [["a", "b"], [], LEFT_OUT, None]}
    )
    old = {"grant/decision/policy": "(another)"}
    yield from rows(f"{AMOUNT}/nullable", {"grant.policy_changed": [False, True]}, old)
    yield from rows(
        f"{AMOUNT}/accepted_values", {"grant.policy_changed": [["a"], None]}, old
    )


def _dp_rows() -> Iterator[Row]:
    yield from rows(
        "contract/dp",
        {
            YES: [LEFT_OUT, None],
            UNREADABLE: [{}, 4.0, [], {"epsilon": 1.0}],
        },
    )
    yield from rows("contract/dp", {"budget.missing": [LEFT_OUT, None]}, WITH_DP)
    yield from rows(
        "contract/dp/required_for",
        {
            YES: [[], ["fraud_detection"], ["predict"], LEFT_OUT],
            "privacy.dp_required": [
                ["credit_risk"],
                ["evaluate"],
                ["predict", "evaluate"],
            ],
            UNREADABLE: [["spam"], "credit_risk", None],
        },
    )
    yield from rows(
        "contract/dp/required_for", {YES: [["credit_risk"], ["evaluate"]]}, WITH_DP
    )
    yield from rows(
        "contract/dp/epsilon",
        {
            YES: [1.0, 4.0, 1e6],
            "budget.exceeded": [0.999, 0.1],
            UNREADABLE: [LEFT_OUT, 0, -1, "4", None],
        },
        WITH_DP,
    )
    yield from rows(
        "contract/dp/delta",
        {YES: [1e-9, 0.5], UNREADABLE: [LEFT_OUT, 0, 1, -1, 2, "1e-5"]},
    )
    yield from rows(
        "contract/dp/delta", {YES: [1e-5, 0.5], "budget.delta": [9.9e-6, 1e-9]}, WITH_DP
    )
    yield from rows(
        "contract/dp/per",
        {
            YES: [["consumer"], ["purpose", "consumer"], LEFT_OUT],
            UNREADABLE: [["domain"], "consumer", None],
        },
    )
    yield from rows(
        "contract/dp/period_days",
        {YES: [1, 365], UNREADABLE: [LEFT_OUT, 0, -1, 1.5, "365", 36_501]},
    )


def _dbt_rows() -> Iterator[Row]:
    yield from rows(
        "product/name",
        {
            YES: ["consumer_banking.credit_profile"],
            "product.missing": ["consumer_banking.other", ""],
        },
    )
    yield from rows(
        "product/domain",
        {YES: ["consumer_banking"], "product.missing": ["auto_finance", ""]},
    )
    yield from rows(
        "product/unique_id",
        {
            YES: ["model.consumer_banking.credit_profile.v1"],
            "grant.missing": ["model.consumer_banking.credit_profile.v2", ""],
        },
    )
    yield from rows("product/version", {YES: [1], "product.missing": [2, None]})
    yield from rows("product/version", {YES: [2, None]}, {"request/version": None})
    yield from rows(
        "product/deprecation_date",
        {
            YES: [None, _day("2026-11-22"), _day("2036-01-01")],
            "product.deprecated": [_day("2026-11-21"), _day("2020-01-01")],
        },
    )
    yield from rows(
        "product/access",
        {
            YES: ["public"],
            "product.not_public": ["private", "protected", "", "Public"],
        },
    )
    yield from rows(
        "product/contract_enforced",
        {YES: [True], "product.contract_not_enforced": [False, None]},
    )


def _words_that_do_not_decide() -> Iterator[Row]:
    """What people read, and where a table lies: neither opens nor shuts anything."""
    quiet: dict[str, list[Any]] = {
        "latest_version": [1, 2, None],
        "description": ["One row per application.", "", None],
        "materialized": ["table", "view", ""],
        "tags": [["data_product"], [], None],
        "key": [["customer_id"], [], ["amount", "age"]],
        "event_time": ["amount", None, ""],
        "relation/database": ["consumer_banking", "other", ""],
        "relation/schema": ["main", "other", ""],
        "relation/identifier": ["credit_profile_v1", "other", ""],
    }
    for word, values in quiet.items():
        yield from rows(f"product/{word}", {YES: values})
    for word in ("name", "email", "support"):
        yield from rows(f"owner/{word}", {YES: ["Somebody", "", "x@bank.example"]})


def _owner_rows() -> Iterator[Row]:
    first, second = "steward.consumer@bank.example", "risk.consumer@bank.example"
    yield from rows(
        "owner/stewards",
        {
            YES: [
                [first, second],
                [second, first, "third@bank.example"],
                [first.upper(), f" {second} "],
            ],
            "grant.approvers": [[], [first], [second, "third@bank.example"]],
        },
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)
