"""Whatever somebody writes into a manifest, the diff answers or says what is wrong."""

import copy
import json
import random
from typing import Any

import pytest

from fl_plugin.contracts.codeowners import Codeowners
from fl_plugin.contracts.diff import changes
from fl_plugin.contracts.pairs import compare
from fl_plugin.contracts.side import read_side
from fl_plugin.errors import MeshError
from tests.unit.contracts.conftest import MODEL, NOW, node

HOW_MANY = 400
SPOILS: list[Any] = [
    None,
    True,
    -1,
    1e308,
    "",
    "\x1b[2J\u202e",
    "a" * 70_000,
    [],
    {},
    [[[[[{}]]]]],
    {"": {"": None}},
    ["x", 1, None],
    10**400,
    "\ud800",
]


def places(value, path=()):
    """Yield the path of everything in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, (*path, key))
    elif isinstance(value, list):
        for key, below in enumerate(value):
            yield from places(below, (*path, key))


def spoiled(raw, path, value):
    content = copy.deepcopy(raw)
    holder = content
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return content


@pytest.fixture(scope="session")
def one_domain(raw):
    """A manifest with one domain's nodes only: every place in it matters."""
    nodes = {
        i: n for i, n in raw["nodes"].items() if n["package_name"] == "consumer_banking"
    }
    return raw | {"nodes": nodes}


def answer(path, unedited, vocabulary):
    """Return the changes, or the error that says what is wrong with the manifest."""
    try:
        head = read_side(path, vocabulary)
    except MeshError as error:
        return error
    both = compare(unedited, head, "consumer_banking", NOW)
    return changes(both, lambda _, found: found)


def test_a_spoiled_manifest_is_an_answer_or_an_error_that_says_so(
    one_domain, unedited, vocabulary, tmp_path
):
    path, refused, answered = tmp_path / "manifest.json", 0, 0
    seeded = random.Random(3)  # noqa: S311 no secret
    # Half of them in the product itself, where it matters.
    everywhere = [p for p in places(one_domain) if p and p[0] != "metadata"]
    inside = [p for p in everywhere if p[:2] == ("nodes", MODEL) and len(p) > 2]
    for number in range(HOW_MANY):
        place = seeded.choice(inside if number % 2 else everywhere)
        content = spoiled(one_domain, place, seeded.choice(SPOILS))
        path.write_text(json.dumps(content))
        found = answer(path, unedited, vocabulary)
        if isinstance(found, MeshError):
            refused += 1
            assert found.remedy
        else:
            answered += 1
            assert all(len(c.sentence) < 2_000 for c in found)
    assert refused + answered == HOW_MANY
    assert answered > HOW_MANY / 2


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_deep_nesting_is_refused_and_not_followed(
    one_domain, unedited, vocabulary, tmp_path, depth
):
    path = tmp_path / "manifest.json"
    content = copy.deepcopy(one_domain)
    node(content)["config"]["post-hook"] = "HERE"
    path.write_text(json.dumps(content).replace('"HERE"', "[" * depth + "]" * depth))
    found = answer(path, unedited, vocabulary)
    assert found
    assert not isinstance(found, MeshError) or found.remedy


def test_models_behind_that_stand_in_a_ring_end(one_domain, vocabulary, tmp_path):
    content = copy.deepcopy(one_domain)
    node(content)["depends_on"]["nodes"] = [MODEL]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content))
    assert read_side(path, vocabulary).behind[MODEL].made_from


def test_a_domain_s_folder_cannot_write_a_line_of_its_own(mesh_folder):
    (mesh_folder / "domains" / "x y\n*").mkdir()
    (mesh_folder / "domains" / "x y\n*" / "node.yml").touch()
    with pytest.raises(MeshError):
        Codeowners(mesh_folder).text()
