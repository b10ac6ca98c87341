from fl_plugin.catalog.show import KINDS, show


def test_a_card_has_the_five_kinds_of_metadata(small):
    card = show(small.view(), "lending.credit_profile")
    assert tuple(card.kinds) == KINDS
    assert all(card.kinds.values())
    assert card.problems == ()


def test_a_card_shows_measured_facts_and_lineage(small):
    kinds = show(small.view(), "credit_profile").kinds
    assert kinds["technical"]["Rows"] == "about 500"
    measured = kinds["quality"]["Completeness"]
    assert measured == "at least 99.5 % (promised: at least 98 %)"
    assert kinds["quality"]["Tests"] == "1 dbt test"
    assert kinds["tracking"]["Made from"] == "raw_credit"
    assert kinds["access"]["Never: org unit marketing"] == "age"
    assert kinds["access"]["Grant g_credit_risk"] == "ml_coe: live until 2027-01-30"


def test_what_is_missing_is_told_by_its_kind(small):
    small.catalog["nodes"] = {}
    small.product["description"] = ""
    small.product["columns"]["age"]["description"] = ""
    small.mesh["allow"] = []
    del small.mesh["retention_days"]
    small.group["owner"]["stewards"] = []
    problems = show(small.view(), "credit_profile").problems
    assert {p.split(":")[0] for p in problems} == set(KINDS)
    assert "business: no description of age" in problems
    assert "access: it has no steward" in problems


def test_lineage_that_runs_in_a_circle_ends(small):
    small.manifest["parent_map"]["model.lending.stg_credit"] = [
        "model.lending.credit_profile.v1"
    ]
    assert "Made from" not in show(small.view(), "credit_profile").kinds["tracking"]
