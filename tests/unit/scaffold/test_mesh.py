"""A new mesh: whole, its own, and valid to this package's readers."""

import json
import re

import pytest
import yaml

from fl_plugin.cli.main import main
from fl_plugin.errors import UsageError
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.node import load_node
from fl_plugin.policy.principals import load_principals
from fl_plugin.scaffold.domain import new_domain
from fl_plugin.scaffold.mesh import new_mesh
from fl_plugin.scaffold.shared import shared_files
from fl_plugin.scaffold.team import team_of

HOSTILE_TEXT = "L'\"é: #x - [a] *b* |c|"


def test_every_settings_file_of_a_new_mesh_is_plain_yaml(root):
    found = [p for p in root.rglob("*.yml") if "governance" not in p.parts]
    assert len(found) > 8
    for path in found:
        assert read_yaml(path)


def test_the_words_and_the_people_are_those_that_were_asked_for(tmp_path):
    folder = new_mesh(
        tmp_path / "m-1",
        purposes=("credit_risk", "fraud_detection"),
        consumers=("ml_team", "analysts"),
    )
    words, people = load_vocabulary(folder), load_principals(folder)
    assert words.purposes == ("credit_risk", "fraud_detection")
    assert {"train_vertical", "match_many"} < set(words.uses)
    assert set(people.consumers) == {"ml_team", "analysts"}
    assert people.consumers["ml_team"].attributes == {"org_unit": ("ml_team",)}
    assert read_yaml(folder / "dbt_project.yml")["name"] == "m_1"


def test_the_shared_files_are_in_their_places(root):
    for place, text in shared_files().items():
        assert (root / place).read_text(encoding="utf-8") == text


def test_the_floor_that_the_macros_fall_back_to_is_the_policys(root):
    macro = (root / "macros" / "replace_product_profile.sql").read_text()
    (fallback,) = re.findall(r'get\("min_cohort", (\d+)\)', macro)
    assert load_vocabulary(root).floors.min_cohort == int(fallback)


def test_a_folder_that_holds_anything_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        new_mesh(tmp_path, "bank")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["../x", "null", "Bank", "a" * 60])
def test_a_mesh_of_a_bad_name_is_not_made(tmp_path, name):
    with pytest.raises(UsageError):
        new_mesh(tmp_path / "m", name)
    assert list(tmp_path.iterdir()) == []


def test_free_text_stands_in_the_files_as_it_was_said(tmp_path):
    team = team_of(
        "mesh",
        name=HOSTILE_TEXT,
        email="owner@bank.example",
        stewards=("a@bank.example", "b@bank.example"),
        support=HOSTILE_TEXT,
    )
    folder = new_mesh(tmp_path / "bank", team=team)
    new_domain(folder, "lending", team)
    for place in ("models/mesh_owner.yml", "domains/lending/models/owner.yml"):
        owner = yaml.safe_load((folder / place).read_text("utf-8"))["groups"][0][
            "owner"
        ]
        assert owner["name"] == owner["support"] == HOSTILE_TEXT
        assert owner["stewards"] == ["a@bank.example", "b@bank.example"]


def test_one_steward_is_not_enough_however_often_he_is_named():
    for stewards in (("a@b.example",), ("a@b.example", "A@b.example")):
        with pytest.raises(UsageError, match="needs two stewards"):
            team_of("lending", stewards=stewards)


def test_a_domain_pins_the_principals_as_they_are_now(root):
    node = load_node(root / "domains" / "lending")
    assert node.principals_pinned
    assert set(node.consumers) == {"team"}
    with (root / "principals.yml").open("a") as file:
        file.write("# edited\n")
    assert not load_node(root / "domains" / "lending").consumers


def test_a_domain_may_not_be_called_as_the_mesh_or_made_twice(root):
    for name, why in (
        ("bank", "the name of the mesh"),
        ("lending", "is there already"),
    ):
        with pytest.raises(UsageError, match=why):
            new_domain(root, name, team_of(name))


def test_the_verbs_make_a_mesh_with_a_listed_domain(tmp_path, capsys):
    place = tmp_path / "bank"
    assert main(["init", str(place)]) == 0
    told = capsys.readouterr().out
    assert "stand-ins" in told
    words = ["--owner", HOSTILE_TEXT, "--email", "a@bank.example"]
    words += ["--steward", "b@bank.example", "--steward", "c@bank.example"]
    assert main(["new", "domain", "lending", *words, "--project", str(place)]) == 0
    assert "stand-ins" not in capsys.readouterr().out
    assert read_yaml(place / "packages.yml")["packages"] == [
        {"local": "domains/lending"}
    ]
    assert main(["new", "domain", "../x", "--project", str(place), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
    assert [p.name for p in (place / "domains").iterdir()] == ["lending"]
