from copy import deepcopy

import pytest

from fl_plugin.catalog.enrich import enrich
from fl_plugin.catalog.view import TrainedModel

PRODUCT = "model.lending.credit_profile.v1"
STAGING = "model.lending.stg_credit"
GRANT = "exposure.lending.g_credit_risk"
STUDY = "exposure.data_mesh.credit_risk"
TAG = '<img src=x onerror="alert(1)">'


@pytest.fixture
def described(small):
    """Return the product's description after the mesh was changed."""

    def describe(*, confirm=True):
        view = small.view(confirm=confirm)
        return enrich(view).manifest["nodes"][PRODUCT]["description"]

    return describe


def test_the_artifacts_that_policy_reads_stay_as_dbt_wrote_them(small):
    view = small.view()
    before = deepcopy((view.artifact, view.catalog))
    enrich(view)
    assert (view.artifact, view.catalog) == before


def test_the_mesh_block_becomes_plain_keys_and_other_meta_stays(small):
    meta = enrich(small.view()).manifest["nodes"][PRODUCT]["meta"]
    assert meta == {
        "Domain": "lending",
        "Status": "active",
        "Classification": "confidential",
        "Purposes": "credit risk, fraud detection",
        "Smallest cohort": "25 rows",
        "cost_centre": "42",
    }


def test_the_mesh_floor_counts_where_the_contract_names_none(small):
    del small.mesh["min_cohort"]
    meta = enrich(small.view()).manifest["nodes"][PRODUCT]["meta"]
    assert meta["Smallest cohort"] == "10 rows"


def test_a_page_says_who_may_do_what_for_which_purpose(described):
    text = described()
    row = (
        "| train \\(horizontal\\) | org unit ml coe | credit risk | "
        "1 steward, 2 for restricted columns; at most 180 days |"
    )
    assert row in text
    assert "count and sum |" not in text  # offered, but allowed to nobody


def test_a_product_without_allow_says_that_nobody_may_ask(small, described):
    small.mesh["allow"] = []
    assert "Nobody may ask for it" in described()


def test_a_page_says_what_never_happens(described):
    text = described()
    for line in (
        "No row leaves the domain",
        "No consumer with org unit marketing may use `age`.",
        "age is at least 18 and opt out is not set "
        "(`age >= 18 and not coalesce(opt_out, false)`) are ever read.",
        "fewer than 25 rows",
        "A model never learns from `sex`",
        "`is_bad` is a protected label",
    ):
        assert line in text


def test_measured_quality_stands_beside_what_is_promised(described):
    text = described()
    assert "| at least 99.5 % | at least 98 % |" in text
    assert "| 100 % | \N{EN DASH} |" in text
    assert "2026-11-21 04:50 UTC | at most 24 hours |" in text
    assert "about 500 rows, 67 kB" in text


def test_a_late_build_is_called_late(small, described):
    small.stats["last_built"]["value"] = "2026-11-19 04:50 UTC"
    assert "**too long ago**" in described()


def test_a_product_that_was_never_built_has_no_measurements(small, described):
    small.catalog["nodes"] = {}
    text = described()
    assert "| not in the catalog | at least 98 % |" in text
    assert "| never |" in text


def test_a_measurement_of_another_kind_is_none(small, described):
    small.stats["row_count"]["value"] = TAG
    small.stats["completeness"]["value"] = 1e9
    text = described()
    assert "rows, 67" not in text
    assert "| not in the catalog | at least 98 % |" in text


def test_a_live_grant_links_to_its_page(described):
    text = described()
    assert "[credit risk](#!/exposure/exposure.lending.g_credit_risk)" in text
    assert "**live until 2027\N{NON-BREAKING HYPHEN}01" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "revoked"}, "revoked"),
        ({"expires": "2026-11-20"}, "expired on 2026"),
        ({"by": ["steward.lending@bank.example"]}, "not approved by enough stewards"),
    ],
)
def test_a_grant_that_is_not_live_is_never_called_live(small, described, change, said):
    small.decision |= change
    text = described().replace("\N{NON-BREAKING HYPHEN}", "-")
    assert said in text
    assert "live until" not in text


def test_a_grant_of_another_policy_is_not_live(described):
    text = described(confirm=False)
    assert "the policy has changed since" in text
    assert "live until" not in text


def test_the_page_names_stewards_studies_and_commands_that_exist(described):
    text = described()
    assert "(mailto:steward.lending@bank.example)" in text
    assert "[Credit risk](#!/exposure/exposure.data_mesh.credit_risk)" in text
    assert "`fl access explain credit_risk`" in text
    assert "`fl access request credit_risk --by ADDRESS`" in text


def test_a_column_says_class_role_and_range(small):
    columns = enrich(small.view()).manifest["nodes"][PRODUCT]["columns"]
    age = columns["age"]["description"].replace("\\", "")
    assert age.startswith("The age.\n\n*confidential; feature; may identify a person")
    assert "from 18 to 100" in age
    assert "never shown to another party" in columns["is_bad"]["description"]
    assert columns["sex"]["meta"]["Role"] == "protected, for fairness only"
    assert "mesh" not in columns["age"]["meta"]


def test_a_study_says_what_each_domain_allows_and_what_was_learned(small):
    model = TrainedModel(
        study="credit_risk", version=3, created_at="2026-11-20T01:02:03Z", score=0.781
    )
    copies = enrich(small.view(models={"credit_risk": model}))
    text = copies.manifest["exposures"][STUDY]["description"]
    assert text.startswith("What the owner says.")
    assert f"(#!/model/{PRODUCT})" in text
    assert f"(#!/exposure/{GRANT})" in text
    assert "Predicts `is_bad` from 1 feature: `age`." in text
    assert "v3 of" in text
    assert "0.781" in text
    overview = copies.manifest["docs"]["doc.data_mesh.__overview__"]["block_contents"]
    assert "| v3 | 0.781 |" in overview


def test_a_grant_says_who_asked_who_decided_and_which_columns(small):
    exposure = enrich(small.view()).manifest["exposures"][GRANT]
    text = exposure["description"]
    assert "`age`, `is_bad`" in text
    assert "| Decided by | [steward" in text
    assert "2026-11-04" in text.replace("\\", "")
    assert exposure["label"] == "Credit risk, lending"


def test_the_overview_keeps_what_the_team_wrote_and_adds_what_there_is(small):
    small.manifest["docs"]["doc.data_mesh.__overview__"] = {
        "name": "__overview__",
        "package_name": "data_mesh",
        "block_contents": "# Our own words",
    }
    docs = enrich(small.view()).manifest["docs"]
    text = docs["doc.data_mesh.__overview__"]["block_contents"]
    assert text.startswith("# Our own words")
    assert f"(#!/model/{PRODUCT})" in text
    assert "(#!/overview/lending)" in text


def test_every_domain_has_a_page(small):
    docs = enrich(small.view()).manifest["docs"]
    text = docs["doc.lending.__lending__"]["block_contents"]
    assert f"(#!/model/{PRODUCT})" in text
    assert "Lending team" in text


def test_a_domain_that_wrote_its_own_page_keeps_it_first(small):
    small.manifest["docs"]["doc.lending.__lending__"] = {
        "name": "__lending__",
        "package_name": "lending",
        "block_contents": "# We lend",
    }
    docs = enrich(small.view()).manifest["docs"]
    text = docs["doc.lending.__lending__"]["block_contents"]
    assert text.startswith("# We lend\n\n---")
    assert "Who answers" not in text
    assert "live until" in text


def test_a_broken_contract_is_told_on_its_own_page(small):
    small.mesh["classification"] = "secret"
    copies = enrich(small.view())
    text = copies.manifest["nodes"][PRODUCT]["description"]
    assert text.startswith("**Not valid, so every request is refused.**")
    overview = copies.manifest["docs"]["doc.data_mesh.__overview__"]["block_contents"]
    assert "Not valid, and so refused" in overview


def test_nothing_that_an_author_wrote_can_run_on_the_page(small):
    small.product["description"] = f"Hello {TAG}\n\n```\nopen"
    small.product["tags"] = [TAG]
    small.product["raw_code"] = f"-- {TAG}"
    small.manifest["nodes"][STAGING]["columns"] = {TAG: {"name": TAG}}
    small.grant["owner"]["name"] = TAG
    small.grant["label"] = TAG
    small.group["owner"] |= {"name": f"| {TAG} **x**", "support": TAG}
    copies = enrich(small.view())
    assert "<img" not in str(copies.manifest)
    assert "Who may use it" in copies.manifest["nodes"][PRODUCT]["description"]


def test_no_copy_names_the_machine_that_built_it(small):
    text = str(enrich(small.view()).manifest)
    assert "/home/somebody" not in text
    assert "'user_id': 'somebody'" not in text


def test_a_product_whose_rows_may_be_read_says_so(small, described):
    small.mesh["uses"] = [*small.mesh["uses"], "query"]
    text = described(confirm=False)
    assert "No row leaves" not in text
    assert "or said about" not in text
    assert "`fl sample lending.credit_profile` shows rows" in text
