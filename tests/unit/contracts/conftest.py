"""The manifest of the built mesh, to be edited, and what the diff says of an edit."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.contracts.change import Change
from fl_plugin.contracts.diff import changes
from fl_plugin.contracts.pairs import Comparison, compare
from fl_plugin.contracts.side import Side, read_side
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Raw = dict[str, Any]
Edit = Callable[[Raw], object]
MODEL = "model.consumer_banking.credit_profile.v1"
PRODUCT = "consumer_banking.credit_profile"
GRANT = "exposure.consumer_banking.g_credit_risk_ml_coe"
STUDY = "exposure.data_mesh.credit_risk"


def node(raw: Raw, unique_id: str = MODEL) -> Raw:
    """Return dbt's node of a product."""
    found: Raw = raw["nodes"][unique_id]
    return found


def mesh(raw: Raw, unique_id: str = MODEL) -> Raw:
    """Return a product's mesh block."""
    found: Raw = node(raw, unique_id)["config"]["meta"]["mesh"]
    return found


def column(raw: Raw, name: str, unique_id: str = MODEL) -> Raw:
    """Return a column's mesh block."""
    found: Raw = node(raw, unique_id)["columns"][name]["config"]["meta"]["mesh"]
    return found


def grant(raw: Raw) -> Raw:
    """Return the mesh block of consumer banking's grant."""
    found: Raw = raw["exposures"][GRANT]["config"]["meta"]["mesh"]
    return found


def group(raw: Raw, domain: str = "consumer_banking") -> Raw:
    """Return a domain's owner."""
    found: Raw = raw["groups"][f"group.{domain}.{domain}"]["owner"]
    return found


def new_version(raw: Raw, **blocks: Any) -> None:
    """Add a version 2 beside version 1; `blocks` go into its mesh block."""
    copied = {**node(raw), "unique_id": MODEL.replace("v1", "v2"), "version": 2}
    copied["config"] = {**copied["config"], "meta": {"mesh": {**mesh(raw), **blocks}}}
    copied["columns"] = {k: v for k, v in copied["columns"].items() if k != "job"}
    raw["nodes"][copied["unique_id"]] = copied
    for name, test in [*raw["nodes"].items()]:
        if test.get("attached_node") == MODEL and test["column_name"] != "job":
            raw["nodes"][f"{name}2"] = {**test, "attached_node": copied["unique_id"]}


def slim(raw: Raw) -> Raw:
    """Return a manifest without most of its bytes, and with all of its contracts."""
    unread = {"macros", "docs", "parent_map", "child_map", "group_map", "unit_tests"}
    for found in raw["nodes"].values():
        for name in ("raw_code", "fqn", "unrendered_config", "refs", "docs"):
            found.pop(name, None)
    return raw | {key: {} for key in unread}


@pytest.fixture(scope="session")
def raw(built_mesh: Path) -> Raw:
    """The whole mesh's manifest, as dbt wrote it."""
    found: Raw = json.loads((built_mesh / "target" / "manifest.json").read_text())
    return slim(found)


@pytest.fixture(scope="session")
def vocabulary(built_mesh: Path):
    return load_vocabulary(built_mesh)


@pytest.fixture(scope="session")
def unedited(raw, tmp_path_factory) -> Side:
    """The base of most comparisons, read once."""
    path = tmp_path_factory.mktemp("base") / "manifest.json"
    path.write_text(json.dumps(raw))
    return read_side(path)


@pytest.fixture
def compared(raw, unedited, vocabulary, tmp_path) -> Callable[..., Comparison]:
    """Return the comparison of two edits of the manifest."""
    path = tmp_path / "manifest.json"

    def side(content: Raw, words: Vocabulary | None) -> Side:
        path.write_text(json.dumps(content))
        return read_side(path, words)

    def run(
        edit: Edit, before: Edit | None = None, *, domain: str | None = None
    ) -> Comparison:
        head, old = copy.deepcopy(raw), unedited
        if before is not None:
            before(head)
            old = side(head, None)
        edit(head)
        return compare(old, side(head, vocabulary), domain, NOW)

    return run


@pytest.fixture
def diffed(compared) -> Callable[..., tuple[Change, ...]]:
    """Return the changes between the manifest and an edit of it; nothing approved."""

    def run(*edits: Edit, **words: Any) -> tuple[Change, ...]:
        return changes(compared(*edits, **words), lambda _, found: found)

    return run


@pytest.fixture
def small_mesh(built_mesh, raw, tmp_path) -> Callable[..., Path]:
    """Return the maker of a mesh's folder without data: files, and two manifests.

    `base.json` holds the manifest as it was, `target/manifest.json` an edit of it.
    """

    def make(edit: Edit, before: Edit | None = None) -> Path:
        root: Path = tmp_path / "small"
        for file in [
            *built_mesh.glob("*.yml"),
            *built_mesh.glob("domains/*/*.yml"),
        ]:
            copied = root / file.relative_to(built_mesh)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(file.read_bytes())
        content = copy.deepcopy(raw)
        if before is not None:
            before(content)
        (root / "base.json").write_text(json.dumps(content))
        edit(content)
        (root / "target").mkdir(exist_ok=True)
        (root / "target" / "manifest.json").write_text(json.dumps(content))
        return root

    return make
