"""A broken contract is told precisely and hides nothing else."""

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.manifest.reader import contract_problems, read_manifest
from fl_plugin.manifest.vocabulary import Floors, Vocabulary

NAME = "consumer_banking.credit_profile"
VOCABULARY = Vocabulary(
    purposes=("credit_risk",),
    uses=("train_horizontal", "evaluate"),
    classifications=("public", "internal", "confidential", "restricted"),
    pii=("identifier", "quasi"),
    roles=("join_key", "feature", "label"),
    tags={"lob": ("consumer_banking",), "region": ("eu",), "subject": ("customer",)},
    floors=Floors(min_cohort=10),
)


def test_one_broken_contract_does_not_hide_the_rest(written, parts):
    broken = parts["model"]({"product": "consumer_banking.other"}, None)
    broken |= {"name": "other", "unique_id": "model.consumer_banking.other"}
    written.add("model.consumer_banking.other", broken)
    manifest = read_manifest(written.path())
    assert NAME in manifest.products
    assert list(manifest.problems) == ["consumer_banking.other"]
    assert isinstance(manifest.problems["consumer_banking.other"], ContractError)


def test_a_broken_latest_version_is_found_by_the_products_name(written):
    del written.mesh["status"]
    manifest = read_manifest(written.path())
    assert manifest.problems[NAME] is manifest.problems[f"{NAME}.v1"]
    assert len(contract_problems(manifest, VOCABULARY)) == 1


def test_an_unknown_word_names_domain_product_and_the_nearest_word(written):
    written.mesh["purpouses"] = written.mesh.pop("purposes")
    problem = read_manifest(written.path()).problems[NAME]
    assert NAME in problem.problem
    assert "unknown word purpouses" in problem.problem
    assert problem.remedy == "Did you mean purposes?"


def test_an_unknown_word_of_a_column_names_the_column(written):
    written.columns["age"]["config"]["meta"]["mesh"]["rolls"] = ["feature"]
    problem = read_manifest(written.path()).problems[NAME]
    assert "column age" in problem.problem
    assert problem.remedy == "Did you mean roles?"


@pytest.mark.parametrize("block", [[], "x", 3, {}, {"prodct": "x"}])
def test_a_block_that_is_no_products_is_a_problem(written, block):
    written.model["config"]["meta"]["mesh"] = block
    manifest = read_manifest(written.path())
    assert NAME not in manifest.products
    assert NAME in manifest.problems


def test_a_block_that_names_another_product_is_a_problem(written):
    written.mesh["product"] = "auto_finance.credit_profile"
    assert NAME not in read_manifest(written.path()).products


def test_with_a_vocabulary_an_unknown_purpose_is_no_product(written):
    written.mesh["purposes"] = ["credit_risk", "credit_risks"]
    manifest = read_manifest(written.path(), VOCABULARY)
    assert NAME not in manifest.products
    assert manifest.problems[NAME].remedy == "Did you mean credit_risk?"


def test_all_problems_of_all_contracts_can_be_listed(written):
    written.mesh["min_cohort"] = 9
    written.grant["request"]["days"] = 0
    found = contract_problems(read_manifest(written.path()), VOCABULARY)
    said = " ".join(p.problem for p in found)
    assert len(found) == 2
    assert "min_cohort" in said
    assert "request.days" in said


def test_a_sound_manifest_has_no_problems(written):
    assert contract_problems(read_manifest(written.path()), VOCABULARY) == []
