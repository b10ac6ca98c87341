"""Builds the catalog's site: dbt's own page beside enriched copies of its artifacts."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fl_plugin.catalog.dbt_docs import generate_docs
from fl_plugin.catalog.enrich import Enriched, enrich
from fl_plugin.catalog.reading import (
    CATALOG,
    INDEX,
    MANIFEST,
    read_text,
    read_view,
    site_folder,
)
from fl_plugin.catalog.view import TrainedModel
from fl_plugin.errors import BuildError, StorageError
from fl_plugin.registry.store import list_models

STATIC = "static_index.html"
_DBT_WRITES = (INDEX, CATALOG, MANIFEST)
# Where dbt's own `docs generate --static` puts the two artifacts into its page.
_INLINE = re.compile(r'"(MANIFEST|CATALOG)\.JSON INLINE DATA"')


@dataclass(frozen=True, kw_only=True)
class Site:
    """A built site.

    Args:
        folder: What `catalog serve` serves.
        static: One file to hand around; it needs no server.
        problems: What is not valid and is said so on its page, by name.
    """

    folder: Path
    static: Path
    products: int
    grants: int
    studies: int
    problems: Mapping[str, Exception]

    @property
    def index(self) -> Path:
        """The page."""
        return self.folder / INDEX


def build_site(
    root: Path, out: Path | None = None, *, run_dbt: bool = True, feed: str = ""
) -> Site:
    """Write the site of a mesh and return where it is.

    Args:
        root: The mesh's folder.
        out: The site's folder; None for target/catalog below the root.
        run_dbt: False enriches the artifacts that are in target/ already.
        feed: What the first page calls the feed of changes; "" where there is none.

    Raises:
        BuildError: dbt is missing or fails, or a domain is not built.
        ContractError: mesh_policy.yml is missing or not valid.
        StorageError: A file is locked, damaged or cannot be written. The site and the
            artifacts are then as they were.
    """
    target = root / "target"
    if run_dbt:
        _refresh(root, target)
    view = read_view(root, datetime.now(UTC), _models(root / "registry"))
    view = replace(view, feed=feed)
    page = read_text(target / INDEX)
    copies = enrich(view)
    folder = out or site_folder(root)
    files = {
        MANIFEST: json.dumps(copies.manifest),
        CATALOG: json.dumps(copies.catalog),
        STATIC: static_page(page, copies),
        INDEX: page,
    }
    _write_all(folder, {name: text.encode() for name, text in files.items()})
    return Site(
        folder=folder,
        static=folder / STATIC,
        products=len(view.latest),
        grants=len(view.manifest.grants),
        studies=len(view.manifest.studies),
        problems=view.manifest.problems,
    )


def static_page(page: str, copies: Enriched) -> str:
    """Return dbt's page with both artifacts inside it.

    Raises:
        BuildError: This version of dbt's page has no place for them.
    """
    data = {
        "MANIFEST": _script_json(copies.manifest),
        "CATALOG": _script_json(copies.catalog),
    }
    # One pass: a place that an artifact's own text imitates is not one.
    filled, places = _INLINE.subn(lambda found: data[found[1]], page)
    if places != len(data):
        raise BuildError(
            "dbt's page has no place for the artifacts.",
            remedy="Use a version of dbt that this release names: pip install '.[dbt]'",
        )
    return filled


def _script_json(value: Mapping[str, Any]) -> str:
    """Return JSON that ends no script element, whatever text is in it."""
    return json.dumps(value).replace("<", "\\u003c")


def _refresh(root: Path, target: Path) -> None:
    """Let dbt write aside, then swap in what it wrote, the manifest last."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".docs-", dir=target) as aside:
            generate_docs(root, Path(aside))
            for name in _DBT_WRITES:
                (Path(aside) / name).replace(target / name)
    except OSError as error:
        raise _cannot_write(target, error) from None


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file aside before the first is renamed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".site-", dir=folder) as aside:
            for name, data in files.items():
                _write(Path(aside) / name, data)
            for name in files:
                (Path(aside) / name).replace(folder / name)
    except OSError as error:
        raise _cannot_write(folder, error) from None


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _cannot_write(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{folder} cannot be written ({error.strerror}).",
        remedy="Free space or fix its permissions; the last catalog is still there.",
    )


def _models(registry: Path) -> dict[str, TrainedModel]:
    """Return the newest readable model of each study."""
    found: dict[str, TrainedModel] = {}
    for entry in list_models(registry).entries:
        estimate = entry.run.metrics.get("roc_auc")
        model = TrainedModel(
            study=entry.study,
            version=entry.version,
            created_at=entry.run.created_at,
            score=estimate.value if estimate else None,
        )
        found.setdefault(entry.study, model)  # the newest comes first
    return found
