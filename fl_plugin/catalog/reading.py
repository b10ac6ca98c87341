"""Reads what dbt left in the mesh's target/."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from fl_plugin.catalog.published import read_published
from fl_plugin.catalog.view import TrainedModel, View
from fl_plugin.errors import BuildError, MeshError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import MAX_BYTES, read_manifest
from fl_plugin.manifest.types import Manifest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.node import load_node

Found = TypeVar("Found")
INDEX, MANIFEST, CATALOG = "index.html", "manifest.json", "catalog.json"


def site_folder(root: Path) -> Path:
    """Return where a mesh's site stands unless somebody says otherwise."""
    return root / "target" / "catalog"


def read_contracts(root: Path) -> Manifest:
    """Return the mesh's contracts alone.

    Raises:
        BuildError: manifest.json is missing or not readable.
        ContractError: mesh_policy.yml is missing or not valid.
    """
    return read_manifest(root / "target" / MANIFEST, load_vocabulary(root))


def read_view(
    root: Path, now: datetime, models: Mapping[str, TrainedModel] | None = None
) -> View:
    """Return the mesh as its artifacts in target/ show it.

    Args:
        root: The mesh's folder.
        now: Decides which grants are live; UTC.
        models: By study; the registry is not looked at here.

    Raises:
        BuildError: manifest.json or catalog.json is missing or not readable.
        ContractError: mesh_policy.yml is missing or not valid.
    """
    target, vocabulary = root / "target", load_vocabulary(root)
    return View(
        manifest=read_manifest(target / MANIFEST, vocabulary),
        artifact=_json(target / MANIFEST),
        catalog=_json(target / CATALOG),
        now=now,
        mesh_min_cohort=vocabulary.floors.min_cohort,
        models=models or {},
        published=read_published(root),
        nodes=_of_domains(root, load_node),
        revoked=_of_domains(root, _revoked),
    )


def _of_domains(root: Path, read: Callable[[Path], Found]) -> dict[str, Found]:
    """Return what can be read in the domains' folders; elsewhere there may be none."""
    found = {}
    for file in sorted((root / "domains").glob("*/node.yml")):
        with suppress(MeshError):
            found[file.parent.name] = read(file.parent)
    return found


def _revoked(folder: Path) -> frozenset[str]:
    with Ledger.open(folder / "ledger" / "ledger.sqlite", write=False) as ledger:
        return ledger.revoked()


def read_text(path: Path) -> str:
    """Return a text file of dbt's, however large dbt may make it.

    Raises:
        BuildError: It is missing, not UTF-8, or larger than any manifest.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    raise BuildError(
        f"{path} is missing or cannot be read.", remedy="Run `fl catalog build`."
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BuildError(f"{path} is not valid JSON.", remedy="Run `fl catalog build`.")
    return found
