"""What a domain is shown of a new principals.yml, and what is written."""

import shutil
import subprocess

import pytest
import yaml

from fl_plugin.access.area import Access
from fl_plugin.errors import ContractError, MeshError
from fl_plugin.policy.node import load_node
from fl_plugin.policy.principals import principals_digest
from fl_plugin.signing.keys import create_key

PRINCIPALS = """\
roles: {analyst: [select]}
consumers:
  ml_coe: {attributes: {org_unit: [ml_coe]}, roles: [analyst]}
people:
  steward.lending@bank.example: {domain: lending}
"""
NODE = """\
# What this domain has pinned.
domain: lending
database: data/lending.duckdb

# Who a caller is.
consumers:   # a list of our own
  ml_coe: {org_unit: [ml_coe]}
  # nobody else
  marketing: {org_unit: [marketing]}

# What may be run here.
algorithms:
  logistic_regression: {l2: [0, 1]}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "mesh_policy.yml").touch()
    (tmp_path / "principals.yml").write_text(PRINCIPALS)
    folder = tmp_path / "domains" / "lending"
    folder.mkdir(parents=True)
    (folder / "node.yml").write_text(NODE)
    return tmp_path


@pytest.fixture
def access(root):
    return Access(root)


def git(root, *words):
    who = ("-c", "user.name=x", "-c", "user.email=x@bank.example")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def node(root):
    return root / "domains" / "lending" / "node.yml"


def test_a_pin_takes_the_place_of_the_domains_own_list(access, root):
    found = access.pin("lending")
    assert found.written
    text = node(root).read_text()
    digest = principals_digest(root)
    assert text == NODE.replace(
        "consumers:   # a list of our own\n"
        "  ml_coe: {org_unit: [ml_coe]}\n"
        "  # nobody else\n"
        "  marketing: {org_unit: [marketing]}\n",
        f'principals: "{digest}"\n',
    )
    assert set(load_node(root / "domains" / "lending").consumers) == {"ml_coe"}
    changes = {(c.what, c.name): (c.before, c.after) for c in found.changes}
    assert changes["consumer", "marketing"] == ("attributes org_unit marketing", "")
    assert changes["consumer", "ml_coe"] == (
        "attributes org_unit ml_coe",
        "attributes org_unit ml_coe; roles analyst",
    )
    assert ("person", "steward.lending@bank.example") in changes


def test_a_pin_of_what_is_pinned_writes_nothing(access, root):
    access.pin("lending")
    before = node(root).read_bytes()
    found = access.pin("lending")
    assert not found.written
    assert node(root).read_bytes() == before


def test_a_changed_file_knows_nobody_until_it_is_pinned(access, root):
    access.pin("lending")
    before = node(root).read_text()
    path = root / "principals.yml"
    path.write_text(PRINCIPALS.replace("roles: [analyst]", "roles: []"))
    assert load_node(root / "domains" / "lending").consumers == {}
    access.pin("lending")
    assert set(load_node(root / "domains" / "lending").consumers) == {"ml_coe"}
    changed = set(before.splitlines()) ^ set(node(root).read_text().splitlines())
    assert {line.partition(":")[0] for line in changed} == {"principals"}


def test_looking_writes_nothing(access, root):
    assert not access.pin("lending", write=False).written
    assert node(root).read_text() == NODE


def test_the_change_is_told_against_the_very_file_that_was_pinned(access, root):
    git(root, "init", "-q")
    access.pin("lending")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    path = root / "principals.yml"
    key = create_key(root / "k.pem").public
    path.write_text(PRINCIPALS.replace("{domain: lending}", f"{{key: '{key}'}}"))
    git(root, "commit", "-qam", "second")
    path.write_text(path.read_text() + "# a remark\n")
    found = access.pin("lending", write=False)
    assert found.known
    (change,) = found.changes
    assert (change.what, change.name) == ("person", "steward.lending@bank.example")
    assert (change.before, change.after) == ("domain lending", f"key {key}")


def test_without_the_pinned_file_everything_is_shown(access, root):
    access.pin("lending")
    (root / "principals.yml").write_text(PRINCIPALS + "domains: {}\n")
    found = access.pin("lending")
    assert not found.known
    assert len(found.changes) == 3


def test_without_git_everything_is_shown(access, root, monkeypatch):
    access.pin("lending")
    (root / "principals.yml").write_text(PRINCIPALS + "domains: {}\n")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert not access.pin("lending").known


@pytest.mark.parametrize(
    "text", ["", "people: [", "peple: {}", "people: {x: {}}", "a: &a [*a]", "\x00"]
)
def test_a_file_that_is_not_valid_is_pinned_by_nobody(access, root, text):
    (root / "principals.yml").write_text(text)
    with pytest.raises(ContractError):
        access.pin("lending")
    assert node(root).read_text() == NODE


@pytest.mark.parametrize("shape", ["flow", "last", "none", "windows"])
def test_a_node_of_any_shape_keeps_its_other_words(access, root, shape):
    start, end = NODE.index("consumers:"), NODE.index("\n# What may")
    shapes = {
        "flow": NODE[:start] + "consumers: {ml_coe: {a: [b]}}  # one\n" + NODE[end:],
        "last": NODE[:start] + NODE[end:] + NODE[start:end],
        "none": NODE[:start] + NODE[end:].rstrip(),
        "windows": NODE.replace("\n", "\r\n"),
    }
    node(root).write_bytes(shapes[shape].encode())
    before = yaml.safe_load(shapes[shape])
    before.pop("consumers", None)
    access.pin("lending")
    after = yaml.safe_load(node(root).read_bytes())
    assert after.pop("principals") == principals_digest(root)
    assert after == before
    assert "# What may be run here." in node(root).read_text()
    assert ("# one" in node(root).read_text()) == (shape == "flow")
    assert load_node(root / "domains" / "lending").principals_pinned


def test_a_node_that_cannot_be_edited_is_left_alone(access, root):
    text = "{domain: lending, database: data/lending.duckdb}\n"
    node(root).write_text(text)
    with pytest.raises(ContractError, match="cannot be edited"):
        access.pin("lending")
    assert node(root).read_text() == text


@pytest.mark.parametrize("domain", ["nothing", "../lending", "", "\u202e", "x" * 3000])
def test_an_unknown_domain_is_said(access, domain):
    with pytest.raises(MeshError, match="no domain") as refused:
        access.pin(domain)
    assert len(refused.value.problem) < 200
