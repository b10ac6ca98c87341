"""Everything that is wrong with the mesh's contracts, from the domains' manifests."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fl_plugin.catalog.published import read_published
from fl_plugin.contracts.check import Check, Domain, Finding
from fl_plugin.contracts.parsed import Project, domain_names
from fl_plugin.discovery import discover
from fl_plugin.errors import BuildError, MeshError, StorageError
from fl_plugin.manifest.reader import MAX_BYTES
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary

ROOM = "fl_plugin.contracts.lints"
UNPARSED = "parsed"
_LEVELS = ("error", "warning")


@cache
def checks() -> tuple[Check, ...]:
    """Return one of each check, the plug-ins' too."""
    return tuple(kind() for kind in discover(ROOM, Check, ROOM).values())


def lint(root: Path, only: str | None = None) -> tuple[Finding, ...]:
    """Return what is wrong, the errors first.

    A domain that has to be parsed is an error of its own and hides no other domain.

    Args:
        root: The mesh's folder.
        only: Look at this domain alone.

    Raises:
        ContractError: mesh_policy.yml is not valid.
    """
    vocabulary = load_vocabulary(root)
    names = [n for n in domain_names(root) if only in {None, n}]
    found = [f for name in names for f in _of_domain(root, name, vocabulary)]
    found += [f for check in checks() for f in check.of_mesh(root, only)]
    unique = dict.fromkeys(found)
    return tuple(
        sorted(unique, key=lambda f: (_LEVELS.index(f.level), f.where, f.rule))
    )


def _of_domain(root: Path, name: str, vocabulary: Vocabulary) -> Iterator[Finding]:
    project = Project(root, name)
    try:
        catalog = _catalog(root, project)
        domain = Domain(
            root=root,
            project=project,
            vocabulary=vocabulary,
            catalog=catalog,
            published=read_published(root),
        )
        project.manifest  # noqa: B018 reads it: what cannot be read ends here
        found = [f for check in checks() for f in check.of_domain(domain)]
    except (BuildError, StorageError) as error:
        yield unparsed(name, error)
        return
    yield from found


def unparsed(name: str, error: MeshError) -> Finding:
    """Return the finding that a domain's manifest cannot be used."""
    return Finding(
        level="error",
        rule=UNPARSED,
        where=name or "the mesh",
        sentence=error.problem,
        remedy=error.remedy,
    )


def _catalog(root: Path, project: Project) -> Mapping[str, Any]:
    """Return dbt's newest catalog of a domain or of the mesh; none is no error."""
    places = [project.folder / "target" / "catalog.json", root / "target/catalog.json"]
    found = [p for p in places if p.is_file() and p.stat().st_size <= MAX_BYTES]
    newest = max(found, key=lambda p: p.stat().st_mtime, default=None)
    try:
        catalog = json.loads(newest.read_bytes()) if newest else {}
    except (OSError, ValueError, RecursionError):
        catalog = {}
    return catalog if isinstance(catalog, Mapping) else {}
