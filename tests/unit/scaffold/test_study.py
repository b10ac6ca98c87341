"""A new study: of products that are built, in words that are known."""

import shutil

import pytest
import yaml

from fl_plugin.errors import BuildError, UsageError
from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.manifest.validation import validated
from fl_plugin.scaffold.study import Question, new_study

LENDERS = ("auto_finance", "commercial_banking", "consumer_banking")


def question(**words):
    return Question(
        **{
            "products": tuple(f"{d}.credit_profile" for d in LENDERS),
            "target": "is_bad",
            "consumer": "ml_coe",
            "purpose": "credit_risk",
        }
        | words
    )


def exposure(root, made):
    (found,) = yaml.safe_load((root / made.file).read_text("utf-8"))["exposures"]
    return found


@pytest.mark.slow
def test_a_study_takes_every_feature_that_all_products_offer(mesh_folder):
    made = new_study(mesh_folder, "risk_two", question(label="Risk: \"2\" # 'x'"))
    found = exposure(mesh_folder, made)
    block = validated(StudyContract, found["config"]["meta"]["mesh"], "study")
    assert block.features == made.features
    assert len(block.features) == 11
    assert not {"customer_id", "is_bad", "foreign_worker"} & set(block.features)
    assert found["label"] == "Risk: \"2\" # 'x'"
    assert found["owner"]["email"] == "ml-coe@bank.example"
    assert found["depends_on"][0] == "ref('auto_finance', 'credit_profile')"
    with pytest.raises(UsageError, match="has these files already"):
        new_study(mesh_folder, "risk_two", question())


@pytest.fixture(scope="module")
def one_copy(built_mesh, tmp_path_factory):
    """A mesh that no refusal may change."""
    copy = tmp_path_factory.mktemp("studies") / "mesh"
    shutil.copytree(built_mesh, copy, symlinks=True)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"products": ("auto_finance.credit_profil",)}, "There is no product"),
        ({"products": ("auto_finanz.credit_profile",)}, "There is no domain"),
        ({"products": ("../x.credit_profile",)}, "There is no domain"),
        ({"products": ()}, "at least one"),
        ({"products": ("auto_finance.credit_profile",) * 2}, "one product of each"),
        ({"target": "is_good"}, "There is no column of auto_finance"),
        ({"features": ("age", "agee")}, "There is no column of auto_finance"),
        ({"features": ()}, "has no features"),
        ({"features": ("is_bad",)}, "has no features"),
        ({"purpose": "credit_rsk"}, "There is no purpose"),
        ({"algorithm": "magic"}, "There is no algorithm"),
        ({"consumer": "ml_cie"}, "There is no consumer"),
        ({"email": "nobody"}, "not a mail address"),
        ({"description": "{{ x }}"}, "description cannot be used"),
    ],
)
def test_a_word_that_is_not_known_is_refused_and_nothing_is_written(
    one_copy, words, why
):
    before = sorted((one_copy / "models").rglob("*"))
    with pytest.raises(UsageError, match=why):
        new_study(one_copy, "risk_two", question(**words))
    assert sorted((one_copy / "models").rglob("*")) == before


@pytest.mark.parametrize("name", ["../x", "Credit", "select", "a.b", ""])
def test_a_study_of_a_bad_name_is_not_made(root, name):
    with pytest.raises(UsageError):
        new_study(root, name, question())


def test_a_domain_that_is_not_built_is_named(root):
    with pytest.raises(BuildError, match="lending is not built"):
        new_study(root, "risk", question(products=("lending.credits",)))
