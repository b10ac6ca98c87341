"""The mesh's words and floors: a domain may be stricter, never looser."""

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.manifest.vocabulary import check, load_vocabulary

POLICY = """
purposes: [credit_risk, fraud_detection]
uses: [aggregate, train_horizontal, train_vertical, evaluate, predict]
classifications: [public, internal, confidential, restricted]
pii: [identifier, quasi, sensitive]
roles: [join_key, feature, label, protected]
tags:
  lob: [consumer_banking, auto_finance]
  region: [eu]
  subject: [customer]
floors:
  min_cohort: 10
"""
DP = {"epsilon": 1.0, "delta": 1e-5, "period_days": 1}


@pytest.fixture
def vocabulary(tmp_path):
    (tmp_path / "mesh_policy.yml").write_text(POLICY)
    return load_vocabulary(tmp_path)


def test_the_vocabulary_is_read_from_the_mesh_or_from_the_file(tmp_path, vocabulary):
    assert load_vocabulary(tmp_path / "mesh_policy.yml") == vocabulary
    assert vocabulary.floors.min_cohort == 10
    assert vocabulary.classifications[-1] == "restricted"


def test_a_product_in_the_meshs_words_passes(vocabulary, product_with):
    product = product_with()
    check(product, vocabulary)
    assert product.contract.min_cohort > vocabulary.floors.min_cohort


@pytest.mark.parametrize("cohort", [1, 9])
def test_a_domain_may_not_be_looser_than_the_floor(vocabulary, product_with, cohort):
    check(product_with(contract={"min_cohort": 10}), vocabulary)
    check(product_with(contract={"min_cohort": None}), vocabulary)
    with pytest.raises(ContractError, match="floor"):
        check(product_with(contract={"min_cohort": cohort}), vocabulary)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"contract": {"purposes": ["credit_risk", "credit_rik"]}}, "credit_rik"),
        ({"contract": {"uses": ["query"], "allow": []}}, "query"),
        ({"contract": {"tags": {"colour": "red"}}}, "colour"),
        ({"contract": {"tags": {"region": "us"}}}, "us"),
        ({"contract": {"deny": [{"purposes": ["other"]}]}}, "other"),
        ({"contract": {"deny": [{"uses": ["other"]}]}}, "other"),
        ({"contract": {"deny": [{"columns": {"pii": ["quas"]}}]}}, "quas"),
        ({"contract": {"deny": [{"columns": {"roles": ["labl"]}}]}}, "labl"),
        ({"contract": {"dp": DP | {"required_for": ["other"]}}}, "other"),
        ({"columns": {"age": {"roles": ["featur"]}}}, "featur"),
        ({"columns": {"age": {"pii": "quassi"}}}, "quassi"),
        ({"columns": {"age": {"uses": ["predikt"]}}}, "predikt"),
    ],
)
def test_an_unknown_word_is_an_error_that_names_it(
    vocabulary, product_with, change, word
):
    with pytest.raises(ContractError) as caught:
        check(product_with(**change), vocabulary)
    assert f" {word}" in caught.value.problem
    assert "consumer_banking.credit_profile" in caught.value.problem
    assert caught.value.remedy


def test_a_column_is_named_and_the_nearest_word_offered(vocabulary, product_with):
    with pytest.raises(ContractError) as caught:
        check(product_with(columns={"age": {"roles": ["featur"]}}), vocabulary)
    assert "column age" in caught.value.problem
    assert caught.value.remedy == "Did you mean feature?"


def test_a_classification_that_the_mesh_left_out_is_unknown(tmp_path, product_with):
    fewer = POLICY.replace(", restricted]", "]")
    (tmp_path / "mesh_policy.yml").write_text(fewer)
    with pytest.raises(ContractError, match="restricted"):
        check(product_with(), load_vocabulary(tmp_path))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("floors:\n  min_cohort: 10\n", ""),
        ("min_cohort: 10", "min_cohort: 0"),
        ("min_cohort: 10", "min_cohort: ten"),
        ("min_cohort: 10", "min_cohorts: 10"),
        ("purposes:", "purpose:"),
        ("[public, internal,", "[open, internal,"),
        ("region: [eu]", "region: eu"),
    ],
)
def test_a_wrong_vocabulary_is_refused(tmp_path, old, new):
    (tmp_path / "mesh_policy.yml").write_text(POLICY.replace(old, new))
    with pytest.raises(ContractError):
        load_vocabulary(tmp_path)


def test_without_a_vocabulary_there_is_none(tmp_path):
    with pytest.raises(ContractError, match="does not exist"):
        load_vocabulary(tmp_path)
