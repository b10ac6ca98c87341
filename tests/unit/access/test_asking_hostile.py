"""Words, names and files of an opponent: a request writes nothing for them."""

import pytest
import yaml

from fl_plugin.access.asking import Asking
from fl_plugin.access.wanted import Exploration
from fl_plugin.errors import (
    BuildError,
    ContractError,
    MeshError,
    UsageError,
)

HOSTILE = [
    "../../../tmp/x",
    "lending/../../x",
    "g\n- name: evil",
    "{{ env_var('HOME') }}",
    "\u202egnidnel",
    "lending\x00",
    "",
    " ",
    "x" * 5000,
    "CON",
    "*",
]


def explore(mesh, **changes):
    words = {
        "product": "lending.credit_profile",
        "consumer": "ml_coe",
        "purpose": "credit_risk",
        "columns": ("age", "amount"),
    }
    exploration = Exploration(**(words | changes))
    return mesh.access.explore(exploration, Asking(by="scientist@bank.example"))


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("field", ["product", "consumer", "purpose", "columns", "uses"])
def test_hostile_words_of_a_look_write_nothing(small_mesh, field, word):
    value = (word,) if field in ("columns", "uses") else word
    with pytest.raises(MeshError) as refused:
        explore(small_mesh, **{field: value})
    assert small_mesh.files() == {}
    assert len(refused.value.problem) < 300
    assert "\u202e" not in refused.value.problem


@pytest.mark.parametrize("word", [*HOSTILE, "nobody"])
def test_hostile_names_of_studies_and_domains_write_nothing(small_mesh, word):
    with pytest.raises(MeshError):
        small_mesh.access.request(word, Asking(by="scientist@bank.example"))
    with pytest.raises(MeshError):
        small_mesh.access.request(
            "credit_risk", Asking(by="scientist@bank.example"), word
        )
    assert small_mesh.files() == {}


@pytest.mark.parametrize(
    "by",
    [
        "",
        "scientist",
        'scientist@bank.example"\n          decision: {status: approved}',
        "scientist@bank.example\n          decision:\n            status: approved",
        "scientist@bank.example # x",
        "{{env_var('X')}}@bank.example",
        "k\u0456m@bank.example",  # a Cyrillic i
        "scientist@bank.example\u202e",
        "a@b@c",
        "x" * 65 + "@bank.example",
    ],
)
def test_an_address_that_could_be_more_than_one_is_refused(small_mesh, by):
    with pytest.raises(UsageError, match="--by"):
        small_mesh.access.request("credit_risk", Asking(by=by))
    assert small_mesh.files() == {}


@pytest.mark.parametrize("name", ["no", "null", "1e3", "123", "on"])
def test_a_name_that_yaml_reads_as_something_else_is_quoted(small_mesh, name):
    small_mesh.know("lending", **{name: {"org_unit": ["ml_coe"]}})
    explore(small_mesh, consumer=name)
    (path,) = small_mesh.files()
    found = yaml.safe_load(path.read_text())["exposures"][0]
    assert found["config"]["meta"]["mesh"]["request"]["consumer"] == name


def test_names_too_long_for_a_file_are_cut_and_still_told_apart(small_mesh):
    names = ("c" * 64, "c" * 63 + "d")
    small_mesh.know("lending", **{n: {"org_unit": ["ml_coe"]} for n in names})
    first = explore(small_mesh, consumer="c" * 64)[0].grant
    second = explore(small_mesh, consumer="c" * 63 + "d")[0].grant
    assert first != second
    assert max(len(first), len(second)) <= 64
    small_mesh.parse()
    assert small_mesh.access.check().broken == ()


def test_an_owner_with_braces_and_line_ends_is_only_a_name(small_mesh):
    path = small_mesh.root / "target" / "manifest.json"
    hostile = "ML {{ 1/0 }}\\n  x: y"
    path.write_text(path.read_text().replace('"ML CoE"', f'"{hostile}"'))
    small_mesh.ask()
    text = small_mesh.file("cards").read_text()
    assert "{{" not in text
    assert set(yaml.safe_load(text)["exposures"][0]["owner"]) == {"name", "email"}


def test_a_study_edited_after_the_catalog_was_read_is_not_asked_for(small_mesh):
    study = small_mesh.root / "models" / "studies" / "credit_risk.yml"
    study.parent.mkdir(parents=True)
    study.write_text("{}")
    with pytest.raises(BuildError, match=r"credit_risk\.yml was changed"):
        small_mesh.ask()


def test_a_broken_grant_file_is_told_before_anything_is_asked(small_mesh):
    small_mesh.grants("lending").mkdir()
    small_mesh.file("lending", "broken").write_text("exposures: [")
    with pytest.raises(ContractError, match="not valid YAML"):
        small_mesh.ask()
    assert not small_mesh.file("cards").exists()
