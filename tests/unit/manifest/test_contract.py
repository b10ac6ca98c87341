"""Words of the contract: what is refused, and that no error prints a value."""

from typing import Any

import pytest
from pydantic import ValidationError

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.grant_contract import GrantContract
from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.manifest.validation import closest, shown, validated
from fl_plugin.preparation.splits import MAX_FOLDS, MAX_HOLDOUT, MAX_REPEATS

Block = dict[str, Any]

CANARY = "canary-4711"
PRODUCT: Block = {
    "product": "consumer_banking.credit_profile",
    "status": "active",
    "classification": "confidential",
    "purposes": ["credit_risk"],
    "uses": ["evaluate"],
}
ALLOW: Block = {
    "consumer": {"org_unit": ["ml_coe"]},
    "purposes": ["credit_risk"],
    "uses": ["evaluate"],
}
DP: Block = {"epsilon": 4.0, "delta": 1e-5, "period_days": 365}
REQUEST: Block = {
    "study": "credit_risk",
    "consumer": "ml_coe",
    "by": "ml-coe@bank.example",
    "at": "2026-11-02",
    "purpose": "credit_risk",
    "uses": ["evaluate"],
    "columns": ["age"],
    "days": 90,
}
DECISION: Block = {
    "status": "approved",
    "by": ["steward@bank.example"],
    "at": "2026-11-04",
    "expires": "2027-02-02",
    "policy": "sha256:" + "a" * 64,
}
STUDY: Block = {
    "consumer": "ml_coe",
    "purpose": "credit_risk",
    "mode": "horizontal",
    "algorithm": {"name": "logistic_regression", "l2": 1},
    "target": "is_bad",
    "features": ["age"],
}
WRONG_PRODUCT: list[Block] = [
    {"product": CANARY},
    {"product": "../up.x"},
    {"product": "a.b.c"},
    {"product": "a.b\n"},
    {"status": CANARY},
    {"status": None},
    {"classification": CANARY},
    {"purposes": []},
    {"purposes": "credit_risk"},
    {"purposes": [3]},
    {"purposes": [CANARY + "!"]},
    {"uses": []},
    {"tags": [CANARY]},
    {"tags": {"lob": [CANARY]}},
    {"tags": {"Up per": "x"}},
    {"allow": [ALLOW | {"consumer": {}}]},
    {"allow": [ALLOW | {"consumer": {"org_unit": []}}]},
    {"allow": [ALLOW | {"consumer": {"org_unit": "ml_coe"}}]},
    {"allow": [ALLOW | {"purposes": []}]},
    {"allow": [ALLOW | {"purposes": ["other"]}]},
    {"allow": [ALLOW | {"uses": ["other"]}]},
    {"allow": [ALLOW | {"columns": {"pii": ["quasi"]}}]},
    {"allow": ALLOW},
    {"deny": [{}]},
    {"deny": [{"columns": {}}]},
    {"deny": [{"column": {"pii": ["quasi"]}}]},
    {"deny": [{"columns": {"names": ["a b"]}}]},
    {"row_filter": ["x"]},
    {"row_filter": 3},
    {"row_filter": ""},
    {"row_filter": "a; drop table t"},
    {"row_filter": "a -- b"},
    {"row_filter": "a /* b */"},
    {"row_filter": "a\nb"},
    {"row_filter": "{{ env_var('X') }}"},
    {"row_filter": "a" * 2001},
    {"min_cohort": 0},
    {"min_cohort": -1},
    {"min_cohort": 2.5},
    {"min_cohort": "25"},
    {"min_cohort": True},
    {"dp": DP | {"epsilon": 0}},
    {"dp": DP | {"epsilon": -1}},
    {"dp": DP | {"epsilon": "4"}},
    {"dp": DP | {"delta": 1}},
    {"dp": DP | {"delta": 0}},
    {"dp": DP | {"per": ["study"]}},
    {"dp": DP | {"period_days": 0}},
    {"dp": {"epsilon": 1}},
    {"approval": {"approvers": 0}},
    {"approval": {"approvers": 3, "restricted_approvers": 2}},
    {"approval": {"max_days": 0}},
    {"quality": {"completeness": 1.1}},
    {"quality": {"validity": -0.1}},
    {"quality": {"drift_psi": 0}},
    {"quality": {"uniqueness": "1"}},
    {"freshness_hours": 0},
    {"freshness_hours": float("nan")},
    {"freshness_hours": float("inf")},
    {"retention_days": 0},
    {"retention_days": 1.5},
    {"extra": CANARY},
]
WRONG_COLUMN: list[Block] = [
    {"roles": "feature"},
    {"roles": [CANARY + "!"]},
    {"classification": CANARY},
    {"bounds": [100, 18]},
    {"bounds": [18, 18]},
    {"bounds": [18]},
    {"bounds": [18, 50, 100]},
    {"bounds": ["a", "b"]},
    {"bounds": [float("nan"), 1]},
    {"label_sharing": "shared"},
    {"roles": ["label"], "label_sharing": CANARY},
    {"uses": [3]},
    {"pii": ["quasi"]},
    {"role": ["feature"]},
]
WRONG_GRANT: list[Block] = [
    {"request": REQUEST | {"by": CANARY}},
    {"request": REQUEST | {"at": CANARY}},
    {"request": REQUEST | {"at": 3}},
    {"request": REQUEST | {"uses": []}},
    {"request": REQUEST | {"columns": []}},
    {"request": REQUEST | {"columns": ["a b"]}},
    {"request": REQUEST | {"days": 0}},
    {"request": REQUEST | {"epsilon": 0}},
    {"request": REQUEST | {"epsilon": -1}},
    {"request": REQUEST | {"study": "../up"}},
    {"request": REQUEST | {"extra": 1}},
    {"request": {k: v for k, v in REQUEST.items() if k != "consumer"}},
    {"decision": DECISION | {"status": "yes"}},
    {"decision": DECISION | {"by": []}},
    {"decision": DECISION | {"by": [CANARY]}},
    {"decision": DECISION | {"by": "steward@bank.example"}},
    {"decision": DECISION | {"at": None}},
    {"decision": DECISION | {"expires": None}},
    {"decision": DECISION | {"policy": None}},
    {"decision": DECISION | {"policy": "sha256:..."}},
    {"decision": DECISION | {"policy": "md5:" + "a" * 64}},
    {"decision": DECISION | {"expires": "2026-11-04"}},
    {"decision": DECISION | {"expires": "2027-02-03"}},
    {"decision": DECISION | {"at": "2026-11-01"}},
    {"decision": None},
    {"approved": True},
]
WRONG_UNITS = (
    *("32,", ",32", "32,,16", "32;16", "32\n", "32,\n16", "32,-1", "3.5,1", " 32,1"),
    *("\u0663\u0662,1", "32\u066016", "123456,1", "1," * 16 + "1", "../32", "32,{{x}}"),
)
WRONG_STUDY: list[Block] = [
    {"mode": CANARY},
    {"algorithm": CANARY},
    {"algorithm": {"l2": 1}},
    {"algorithm": {"name": "../x"}},
    {"algorithm": {"name": "x", "code": "import os"}},
    {"algorithm": {"name": "x", "l2": [1]}},
    *({"algorithm": {"name": "x", "layers": words}} for words in WRONG_UNITS),
    {"algorithm": {"name": "x", "l2": float("nan")}},
    {"target": "a b"},
    {"features": []},
    {"features": ["age", "age"]},
    {"features": ["is_bad"]},
    {"features": ["a b"]},
    {"privacy": {"secure_aggregation": "yes"}},
    {"privacy": {"epsilon": 0}},
    {"privacy": {"mask": True}},
    {"evaluation": {"holdout": 0}},
    {"evaluation": {"holdout": 0.51}},
    {"evaluation": {"folds": 1}},
    {"evaluation": {"folds": 21}},
    {"evaluation": {"repeats": 0}},
    {"evaluation": {"repeats": 21}},
    {"evaluation": {"fairness": ["age"]}},
    {"evaluation": {"fairness": ["is_bad"]}},
    {"evaluation": {"group": "age"}},
    {"privacy": {"delta": 1e-6}},
    {"evaluation": {"threshold": 1}},
    {"evaluation": {"bins": 8}},
    {"preparation": {"numeric": "minmax"}},
    {"seed": -1},
    {"seed": 2**63},
    {"seed": 1.5},
]
TABLE = [
    *((ProductContract, PRODUCT | change) for change in WRONG_PRODUCT),
    *((ColumnContract, change) for change in WRONG_COLUMN),
    *((GrantContract, {"request": REQUEST} | change) for change in WRONG_GRANT),
    *((StudyContract, STUDY | change) for change in WRONG_STUDY),
]


@pytest.mark.parametrize(
    ("model", "block"),
    [
        (ProductContract, PRODUCT),
        (ProductContract, PRODUCT | {"dp": DP, "allow": [ALLOW]}),
        (ProductContract, PRODUCT | {"deny": [{"consumer": {"org_unit": ["x"]}}]}),
        (ColumnContract, {}),
        (ColumnContract, {"bounds": [18, 100]}),
        (GrantContract, {"request": REQUEST}),
        (GrantContract, {"request": REQUEST, "decision": DECISION}),
        (GrantContract, {"request": REQUEST, "decision": {"status": "revoked"}}),
        (StudyContract, STUDY),
        (StudyContract, STUDY | {"privacy": {"epsilon": 1}, "seed": 2**63 - 1}),
    ],
)
def test_the_words_of_the_design_are_accepted(model, block):
    assert validated(model, block, "here")


@pytest.mark.parametrize(("model", "block"), TABLE)
def test_anything_else_is_refused_where_it_stands_and_never_printed(model, block):
    with pytest.raises(ContractError) as caught:
        validated(model, block, "consumer_banking.credit_profile")
    assert caught.value.problem.startswith("consumer_banking.credit_profile: ")
    assert caught.value.remedy
    assert CANARY not in caught.value.problem + caught.value.remedy
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize("word", sorted(PRODUCT))
def test_every_word_that_decides_is_required(word):
    block = {k: v for k, v in PRODUCT.items() if k != word}
    with pytest.raises(ContractError, match=f"{word} is missing"):
        validated(ProductContract, block, "here")


@pytest.mark.parametrize(
    "block", [None, [], "x", 3, True, {"a": {1, 2}}, {1: object()}]
)
def test_what_is_no_block_is_refused(block):
    with pytest.raises(ContractError):
        validated(ProductContract, block, "here")


@pytest.mark.parametrize(
    ("block", "hint"),
    [
        ({"clasification": 1}, "classification"),
        ({"dp": DP | {"epsilonn": 1}}, "epsilon"),
        ({"allow": [ALLOW | {"purpose": 1}]}, "purposes"),
        ({"deny": [{"columns": {"pi": 1}}]}, "pii"),
        ({"quality": {"completness": 1}}, "completeness"),
    ],
)
def test_the_nearest_word_is_offered_at_every_depth(block, hint):
    with pytest.raises(ContractError) as caught:
        validated(ProductContract, PRODUCT | block, "here")
    assert caught.value.remedy == f"Did you mean {hint}?"


def test_a_study_asks_for_no_more_than_a_party_answers():
    most = {"holdout": MAX_HOLDOUT, "folds": MAX_FOLDS, "repeats": MAX_REPEATS}
    found = validated(StudyContract, STUDY | {"evaluation": most}, "here").evaluation
    assert {word: getattr(found, word) for word in most} == most
    for word, value in most.items():
        more = {"evaluation": {word: value + (value if value < 1 else 1)}}
        with pytest.raises(ContractError, match=word):
            validated(StudyContract, STUDY | more, "here")


@pytest.mark.parametrize("words", ["", "32", "64,32", "64, 32", ",".join(["8"] * 16)])
def test_a_study_lists_the_units_of_layers(words):
    block = STUDY | {"algorithm": {"name": "x", "layers": words}}
    found = validated(StudyContract, block, "here").algorithm.parameters
    assert found == {"layers": words}


def test_a_value_of_no_kind_is_told_once_and_with_every_kind():
    block = STUDY | {"algorithm": {"name": "x", "l2": [1, 2]}}
    with pytest.raises(ContractError) as caught:
        validated(StudyContract, block, "here")
    assert caught.value.problem == (
        "here: algorithm.parameters.l2 must be one finite number, true or false, or "
        "a plain word."
    )


def test_a_contract_cannot_be_changed():
    found = validated(ProductContract, PRODUCT, "here")
    with pytest.raises(ValidationError, match="frozen"):
        found.status = "draft"


def test_a_hostile_word_is_made_fit_for_one_line():
    word = "x\n\x1b[31m{{ y }}" + "z" * 500
    with pytest.raises(ContractError) as caught:
        validated(ProductContract, PRODUCT | {word: 1}, "here")
    assert "\n" not in caught.value.problem
    assert "\x1b" not in caught.value.problem
    assert "{{" not in caught.value.problem
    assert len(caught.value.problem) < 200


def test_without_a_near_word_all_are_told():
    assert closest("zzz", ["b", "a"]) == "Known words: a, b."
    assert shown("a\tb") == "a?b"
