"""Registering a domain: once, in its place, and nothing else in the file changes."""

import multiprocessing

import pytest
import yaml

from fl_plugin.building.registration import linked, register, unreadable
from fl_plugin.errors import ContractError
from fl_plugin.scaffold.mesh import new_mesh

PACKAGES = """# keep me
packages:
  # about a
  - local: domains/a
  - local: domains/c  # c

# the end
"""


@pytest.fixture
def root(tmp_path):
    return new_mesh(tmp_path / "bank")


def with_database(root, name):
    folder = root / "domains" / name / "data"
    folder.mkdir(parents=True)
    (folder / f"{name}.duckdb").touch()


def packages(root):
    found = yaml.safe_load((root / "packages.yml").read_text())["packages"]
    return [entry["local"] for entry in found]


def attached(root):
    (profile,) = yaml.safe_load((root / "profiles.yml").read_text()).values()
    return [entry["alias"] for entry in profile["outputs"]["dev"]["attach"]]


def test_a_domain_is_listed_once_however_often_it_is_registered(root):
    assert register(root, "lending") == ("packages.yml",)
    assert register(root, "lending") == ()
    assert packages(root) == ["domains/lending"]
    assert attached(root) == []


def test_its_database_is_listed_once_there_is_one(root):
    register(root, "lending")
    with_database(root, "lending")
    assert register(root, "lending") == ("profiles.yml",)
    assert register(root, "lending") == ()
    assert attached(root) == ["lending"]
    assert unreadable(root) == ()
    (root / "domains/lending/data/lending.duckdb").unlink()
    assert unreadable(root) == ("domains/lending/data/lending.duckdb",)


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_domains_stand_in_the_order_of_their_names(root, order):
    for name in order:
        with_database(root, name)
        register(root, name)
    assert packages(root) == [f"domains/{name}" for name in "abc"]
    assert attached(root) == list("abc")


@pytest.mark.parametrize(("name", "line"), [("a0", 4), ("b", 4), ("d", 5)])
def test_comments_and_every_other_line_stay(root, name, line):
    path = root / "packages.yml"
    path.write_text(PACKAGES)
    register(root, name)
    after = path.read_text().splitlines()
    assert after[line] == f"  - local: domains/{name}"
    assert after[:line] + after[line + 1 :] == PACKAGES.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "packages: {}\n",
        "other: []\n",
        "packages: [{local: domains/a}]\n",
        "packages: []\nmore:\n  packages: []\n",
        'packages: []\nnote: "a\u2028b"\n',  # a line end that would become a space
    ],
)
def test_what_cannot_be_edited_safely_is_left_with_the_line_to_add(root, text):
    path = root / "packages.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match="not written plainly enough") as caught:
        register(root, "b")
    assert "local: domains/b" in caught.value.remedy
    assert path.read_text(encoding="utf-8") == text


def test_a_list_at_the_margin_is_edited_too(root):
    path = root / "packages.yml"
    path.write_text("packages:\n- local: domains/a\n- local: domains/c\nlast: 1\n")
    for name in ("b", "d"):
        register(root, name)
    assert packages(root) == [f"domains/{name}" for name in "abcd"]
    assert path.read_text().endswith("- local: domains/d\nlast: 1\n")


def test_a_package_from_elsewhere_stays(root):
    path = root / "packages.yml"
    path.write_text('packages:\n  - package: a/b\n    version: "1.0.0"\n')
    register(root, "lending")
    found = yaml.safe_load(path.read_text())["packages"]
    assert found == [
        {"local": "domains/lending"},
        {"package": "a/b", "version": "1.0.0"},
    ]


def test_two_who_register_at_once_lose_no_line(root):
    names = [f"d{n}" for n in range(12)]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(register, [(root, name) for name in names])
    assert packages(root) == sorted(f"domains/{name}" for name in names)


def test_packages_are_linked_when_dbts_links_lead_to_this_meshs_domains(root):
    assert not linked(root)
    with_database(root, "a")
    register(root, "a")
    (root / "package-lock.yml").touch()
    (root / "dbt_packages").mkdir()
    assert not linked(root)
    link = root / "dbt_packages" / "a"
    link.symlink_to(root / "domains" / "a")
    assert linked(root)
    link.unlink()
    link.symlink_to(root / "domains")  # a mesh that was moved, or copied
    assert not linked(root)
