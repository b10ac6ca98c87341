"""Who gives which verb on what to whom: permissions.yml."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tests.golden.decision_facts import LEFT_OUT
from tests.golden.decision_rows.grant_rows import FIRST, SECOND
from tests.golden.decision_rows.spec import UNREADABLE, YES, Row, rows

DOMAIN = "consumer_banking"
GIVEN: Mapping[str, Any] = {
    "name": "coe_selects",
    "given_by": {"domain": "consumer_banking"},
    "to": {"consumer": "ml_coe"},
    "verbs": ["select"],
    "resource": {"product": "consumer_banking.credit_profile"},
}
ONE = "permissions/permissions"
MISSING = "permission.missing"


def permission_rows() -> Iterator[Row]:
    """Yield the rows of permissions.yml."""
    base = {"permissions": {"permissions": [dict(GIVEN)]}}
    yield from rows(
        "permissions",
        {YES: [LEFT_OUT, {"permissions": [dict(GIVEN)]}], UNREADABLE: [{}, 1]},
    )
    yield from rows(
        ONE,
        {MISSING: [[]], UNREADABLE: [LEFT_OUT, None, [{}], [dict(GIVEN)] * 2]},
        base,
    )
    yield from _words_of_a_permission(base)
    yield from _resource_rows(base)
    for word in ("given_by", "to"):
        yield from _principal_rows(word, base)


def _words_of_a_permission(base: Mapping[str, Any]) -> Iterator[Row]:
    answers: dict[str, dict[str, list[Any]]] = {
        "name": {YES: ["other"], UNREADABLE: [LEFT_OUT, None, "", "A b"]},
        "effect": {
            YES: ["allow", LEFT_OUT],
            "permission.denied": ["deny"],
            UNREADABLE: ["maybe", None],
        },
        "verbs": {
            YES: [["select"], ["super"], ["describe", "select"]],
            MISSING: [["describe"], ["alter"], ["create_table"], ["associate"]],
            UNREADABLE: [LEFT_OUT, None, [], "select", ["fly"]],
        },
        "grant_option": {
            YES: [[], ["select"], ["super"], LEFT_OUT],
            UNREADABLE: ["select", ["fly"], None],
        },
        "expires": {
            YES: [date(2026, 11, 22), None, LEFT_OUT],
            MISSING: [date(2026, 11, 21), date(2020, 1, 1)],
            UNREADABLE: ["never", 3],
        },
        "given_by": {UNREADABLE: [LEFT_OUT, None, {}, "ml_coe"]},
        "to": {UNREADABLE: [LEFT_OUT, None, {}, "ml_coe"]},
        "resource": {UNREADABLE: [LEFT_OUT, None, {}, "everything"]},
    }
    for word, by_answer in answers.items():
        yield from rows(f"{ONE}/{word}", by_answer, base)


def _resource_rows(base: Mapping[str, Any]) -> Iterator[Row]:
    given = {**base, f"{ONE}/resource": {}}
    answers: dict[str, dict[str, list[Any]]] = {
        "product": {
            YES: ["consumer_banking.credit_profile"],
            MISSING: ["consumer_banking.other", "auto_finance.credit_profile"],
        },
        "tags": {
            YES: [
                {"region": ["eu"]},
                {"region": ["us", "eu"], "lob": [DOMAIN]},
            ],
            MISSING: [{"region": ["us"]}, {"region": ["eu"], "lob": ["other"]}],
        },
        "domain": {YES: [DOMAIN], MISSING: ["auto_finance"]},
        "tag": {MISSING: [{"region": ["eu"]}]},
    }
    for word, by_answer in answers.items():
        wrong = {UNREADABLE: [LEFT_OUT, None, "", 3]}
        yield from rows(f"{ONE}/resource/{word}", by_answer | wrong, given)


def _principal_rows(word: str, base: Mapping[str, Any]) -> Iterator[Row]:
    given = {**base, f"{ONE}/{word}": {}}
    hits: dict[str, list[Any]] = (
        {
            "consumer": ["ml_coe"],
            "role": ["data_scientist"],
            "attributes": [{"org_unit": ["x", "ml_coe"]}],
        }
        if word == "to"
        else {"domain": [DOMAIN], "person": [FIRST, SECOND.upper()]}
    )
    names: dict[str, Any] = {
        "consumer": "marketing_analytics",
        "domain": "auto_finance",
        "role": "crawler",
        "person": "stranger@bank.example",
        "attributes": {"org_unit": ["other"]},
    }
    for kind, name in names.items():
        by_answer = {
            YES: hits.get(kind, []),
            MISSING: [name],
            UNREADABLE: [LEFT_OUT, None, "", 3],
        }
        if word == "given_by" and kind == "attributes":
            by_answer = {UNREADABLE: [LEFT_OUT, None, name]}
        yield from rows(f"{ONE}/{word}/{kind}", by_answer, given)
