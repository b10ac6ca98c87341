"""One changed word of a policy changes its fingerprint; a description does not."""

from dataclasses import replace
from datetime import date

import pytest

from fl_plugin.manifest.types import Owner
from fl_plugin.policy.fingerprint import policy_fingerprint

STEWARDS = ("steward.consumer@bank.example", "risk.consumer@bank.example")
WORDS = {
    "status": "draft",
    "classification": "restricted",
    "tags": {"lob": "consumer_banking", "region": "eu"},
    "purposes": ["credit_risk"],
    "uses": ["train_horizontal", "train_vertical", "evaluate"],
    "allow": [],
    "deny": [],
    "row_filter": "opt_out is null",
    "min_cohort": 24,
    "dp": {"epsilon": 4.5, "delta": 1e-5, "period_days": 365},
    "approval": {"approvers": 1, "restricted_approvers": 1, "max_days": 180},
    "quality": {"completeness": 0.98, "validity": 0.99, "uniqueness": 1.0},
    "freshness_hours": 25,
    "retention_days": 731,
}
DP = {
    "required_for": ["evaluate"],
    "epsilon": 5.0,
    "delta": 2e-5,
    "per": ["consumer"],
    "period_days": 30,
}
COLUMN_WORDS = {
    "roles": ["feature", "protected"],
    "classification": "internal",
    "pii": "sensitive",
    "uses": ["evaluate"],
    "bounds": [18, 101],
}


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_the_contract_counts(product_with, word):
    changed = product_with(contract={word: WORDS[word]})
    assert policy_fingerprint(changed) != policy_fingerprint(product_with())


REQUIRED = {"status", "classification", "purposes", "uses", "approval"}


@pytest.mark.parametrize("word", sorted(set(WORDS) - REQUIRED))
def test_leaving_a_word_out_counts(product_with, word):
    changed = product_with(contract={word: None})
    assert policy_fingerprint(changed) != policy_fingerprint(product_with())


@pytest.mark.parametrize("word", DP)
def test_each_word_of_a_budget_counts(product_with, word):
    base = {"epsilon": 4.0, "delta": 1e-5, "period_days": 365}
    changed = product_with(contract={"dp": base | {word: DP[word]}})
    assert policy_fingerprint(changed) != policy_fingerprint(product_with())


@pytest.mark.parametrize("word", COLUMN_WORDS)
def test_each_word_of_a_column_counts(product_with, word):
    changed = product_with(columns={"age": {word: COLUMN_WORDS[word]}})
    assert policy_fingerprint(changed) != policy_fingerprint(product_with())


def test_opening_a_label_counts(product_with):
    changed = product_with(columns={"is_bad": {"label_sharing": "shared"}})
    assert policy_fingerprint(changed) != policy_fingerprint(product_with())


@pytest.mark.parametrize(
    "field",
    [
        {"name": "consumer_banking.other"},
        {"version": 2},
        {"version": None},
        {"access": "protected"},
        {"contract_enforced": False},
        {"deprecation_date": date(2027, 1, 1)},
        {"key": ()},
        {"owner": Owner(name="x", stewards=STEWARDS[:1])},
        {"owner": Owner(name="x", stewards=(*STEWARDS, "more@bank.example"))},
        {"owner": Owner(name="x", stewards=(STEWARDS[0], "new@bank.example"))},
    ],
    ids=str,
)
def test_what_dbt_says_of_the_product_counts(product_with, field):
    assert policy_fingerprint(product_with(**field)) != policy_fingerprint(
        product_with()
    )


@pytest.mark.parametrize(
    "field",
    [
        {"data_type": "bigint"},
        {"nullable": False},
        {"accepted_values": ("1", "2")},
        {"accepted_values": ()},
    ],
    ids=str,
)
def test_what_dbt_says_of_a_column_counts(product_with, field):
    product = product_with()
    column = replace(product.columns["age"], **field)
    changed = replace(product, columns={**product.columns, "age": column})
    assert policy_fingerprint(changed) != policy_fingerprint(product)


def test_adding_and_removing_a_column_counts(product_with):
    product = product_with()
    fewer = {n: c for n, c in product.columns.items() if n != "age"}
    more = {**product.columns, "new": product.columns["age"]}
    prints = {policy_fingerprint(replace(product, columns=c)) for c in (fewer, more)}
    assert len(prints | {policy_fingerprint(product)}) == 3


def test_what_people_read_does_not_count(product_with):
    product = product_with()
    told = {
        n: replace(c, description="Another text.") for n, c in product.columns.items()
    }
    owner = Owner(name="New name", email="new@bank.example", stewards=STEWARDS[::-1])
    same = replace(
        product,
        description="Another text.",
        tags=("other",),
        owner=owner,
        columns=dict(reversed(told.items())),
    )
    assert policy_fingerprint(same) == policy_fingerprint(product)


def test_a_type_spelt_differently_is_the_same_type(product_with):
    product = product_with()
    column = replace(product.columns["amount"], data_type="NUMERIC(12,2)")
    same = replace(product, columns={**product.columns, "amount": column})
    assert policy_fingerprint(same) == policy_fingerprint(product)


def test_a_default_that_is_written_out_is_the_same_policy(product_with):
    written = {"approval": {"approvers": 1, "restricted_approvers": 2, "max_days": 180}}
    left_out = product_with(contract={"approval": None})
    assert policy_fingerprint(product_with(contract=written)) == policy_fingerprint(
        left_out
    )


def test_the_fingerprint_of_the_design_text_stays_as_it_is(product_with):
    """A change here stops every grant in the mesh: raise FORMAT and say so."""
    golden = "0ca6e9ac68f02315ee981561cec349d17baf7914470e93fc8675738bdfb6162a"
    assert policy_fingerprint(product_with()) == f"sha256:{golden}"
