"""Grants and studies, and what stands in their place when they are broken."""

from datetime import date

import pytest

from fl_plugin.manifest.reader import read_manifest

NAME = "consumer_banking.credit_profile"
GRANT = "consumer_banking.g_credit_risk_ml_coe"


def test_a_grant_is_read_under_its_domain(written):
    grant = read_manifest(written.path()).grants[GRANT]
    assert grant.products == (NAME,)
    assert grant.product_ids == ("model.consumer_banking.credit_profile.v1",)
    assert grant.columns == ("age", "is_bad")
    assert grant.decided_at == date(2026, 11, 4)
    assert grant.expires == date(2027, 2, 2)


def test_a_request_without_a_decision_is_only_requested(written):
    del written.grant["decision"]
    grant = read_manifest(written.path()).grants[GRANT]
    assert grant.status == "requested"
    assert grant.policy is None


def test_a_study_is_read_with_its_parameters(written):
    written.whole["metadata"]["project_name"] = "data_mesh"
    study = read_manifest(written.path()).studies["credit_risk"]
    assert study.contract.algorithm.parameters == {"l2": 1.0}
    assert study.contract.features == ("duration", "amount", "age")
    assert study.contract.evaluation.folds == 5
    assert study.products == (NAME,)
    assert study.label == "credit_risk"
    assert study.owner.email == "ml-coe@bank.example"


def test_a_study_of_another_package_goes_by_package_and_name(written):
    assert list(read_manifest(written.path()).studies) == ["data_mesh.credit_risk"]


def test_an_exposure_without_a_block_is_none_of_ours(written):
    manifest = read_manifest(written.path())
    assert len(manifest.grants) + len(manifest.studies) == 2
    assert manifest.problems == {}


def test_a_grant_on_another_domains_product_is_a_problem(written):
    written.depend_on("model.auto_finance.credit_profile.v1")
    manifest = read_manifest(written.path())
    assert manifest.grants == {}
    assert "another domain" in str(manifest.problems[GRANT])


@pytest.mark.parametrize("nodes", [[], ["source.consumer_banking.raw.x"]])
def test_a_grant_on_nothing_is_a_problem(written, nodes):
    written.depend_on(*nodes)
    manifest = read_manifest(written.path())
    assert manifest.grants == {}
    assert "depends_on" in str(manifest.problems[GRANT])


@pytest.mark.parametrize("name", ["../up", "Upper", "a" * 65, "", "a.b", "con\0"])
def test_a_name_that_could_not_be_a_folder_is_a_problem(written, parts, name):
    written.whole["exposures"] = {
        "exposure.data_mesh.x": parts["exposure"](name, written.study, "data_mesh")
    }
    manifest = read_manifest(written.path())
    assert manifest.studies == {}
    assert list(manifest.problems) == ["data_mesh.x"]


@pytest.mark.parametrize("block", [{}, {"requst": {}}, {"purpose": "x"}, [], "x"])
def test_an_exposure_that_is_neither_grant_nor_study_is_a_problem(
    written, parts, block
):
    written.whole["exposures"] = {
        "exposure.consumer_banking.x": parts["exposure"]("x", block)
    }
    assert "consumer_banking.x" in read_manifest(written.path()).problems


def test_a_misspelt_request_is_told_the_right_word(written, parts):
    written.whole["exposures"] = {
        "exposure.consumer_banking.x": parts["exposure"]("x", {"requst": {}})
    }
    problem = read_manifest(written.path()).problems["consumer_banking.x"]
    assert problem.remedy == "Did you mean request?"
