import pytest

from fl_plugin.catalog.search import product_named, search, suggestion
from fl_plugin.errors import ContractError, UsageError


def test_a_name_ranks_above_a_description(small):
    small.manifest["exposures"]["exposure.data_mesh.credit_risk"]["description"] = (
        "About the profile of a person."
    )
    found = search(small.view().manifest, ["profile"])
    assert [hit.name for hit in found[:2]] == ["lending.credit_profile", "credit_risk"]
    assert "name" in found[0].found_in
    assert found[1].found_in == ("description",)


def test_every_word_must_stand_somewhere(small):
    manifest = small.view().manifest
    assert search(manifest, ["credit", "age"])
    assert not search(manifest, ["credit", "zebra"])


def test_columns_are_found_by_role_and_kind_of_personal_data(small):
    manifest = small.view().manifest
    assert "lending.credit_profile.sex" in [
        h.name for h in search(manifest, ["protected"])
    ]
    assert search(manifest, ["quasi"])[0].name == "lending.credit_profile.age"


def test_an_underscore_and_capitals_do_not_matter(small):
    manifest = small.view().manifest
    assert search(manifest, ["Credit_Profile"]) == search(
        manifest, ["credit", "profile"]
    )


def test_a_misspelt_word_is_answered_with_the_near_one(small):
    assert suggestion(small.view().manifest, ["creditt"]) == "Did you mean credit?"


def test_searching_for_nothing_is_an_error(small):
    with pytest.raises(UsageError):
        search(small.view().manifest, [" "])


def test_a_product_is_found_by_its_last_name_where_that_is_unique(small):
    manifest = small.view().manifest
    assert product_named(manifest, "credit_profile").name == "lending.credit_profile"
    with pytest.raises(UsageError, match="no product") as caught:
        product_named(manifest, "lending.credit_profil")
    assert "lending.credit_profile" in caught.value.remedy


def test_a_product_whose_contract_is_broken_says_what_is_wrong(small):
    small.mesh["classification"] = "secret"
    with pytest.raises(ContractError, match="classification"):
        product_named(small.view().manifest, "lending.credit_profile")
