"""Looks at what a domain publishes today: manifest, builds, the studies on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fl_plugin.changes.artifacts import (
    Artifacts,
    is_stale,
    read_artifacts,
    read_catalog,
)
from fl_plugin.changes.published import (
    GrantStage,
    Published,
    PublishedGrant,
    PublishedStudy,
    PublishedVersion,
    grant_of,
    study_of,
    version_of,
)
from fl_plugin.changes.settings_changes import settings_of
from fl_plugin.errors import MeshError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.manifest.vocabulary import Vocabulary, load_vocabulary
from fl_plugin.manifest.words import check_name
from fl_plugin.policy.approval import approval_digest
from fl_plugin.policy.node import load_node

# A grant that ends within so many days is told of.
EXPIRING = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class MeshFacts:
    """What is read once for all domains.

    Args:
        vocabulary: The mesh's words and floors.
        studies: The root project's manifest; None where it cannot be read, and then
            the studies are those of the last look.
        catalog: catalog.json, for what it says was measured.
        problems: What could not be read, by name.
    """

    vocabulary: Vocabulary
    studies: Manifest | None
    catalog: Mapping[str, Any]
    problems: Mapping[str, MeshError]


@dataclass(frozen=True)
class _Today:
    """What versions are looked at with."""

    artifacts: Artifacts
    floor: int
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a domain publishes today, and what of it is not valid."""

    published: Published
    problems: Mapping[str, MeshError] = field(default_factory=dict)


def domain_folders(root: Path) -> dict[str, Path]:
    """Return each domain's folder by name."""
    found = sorted((root / "domains").glob("*/node.yml"))
    for file in found:
        check_name(file.parent.name, "domains")
    return {file.parent.name: file.parent for file in found}


def read_mesh(root: Path) -> MeshFacts:
    """Return what all domains have in common.

    Raises:
        ContractError: mesh_policy.yml is missing or not valid.
    """
    vocabulary = load_vocabulary(root)
    problems: dict[str, MeshError] = {}
    studies: Manifest | None = None
    catalog: Mapping[str, Any] = {}
    try:
        studies = read_manifest(root / "target" / "manifest.json", vocabulary)
    except MeshError as error:
        problems["studies"] = error
    try:
        catalog = read_catalog(root)
    except MeshError as error:
        problems["catalog"] = error
    return MeshFacts(
        vocabulary=vocabulary, studies=studies, catalog=catalog, problems=problems
    )


def look(folder: Path, mesh: MeshFacts, before: Published, now: datetime) -> Look:
    """Return what a domain publishes today.

    A product, grant or study that is not valid today is as it was at the last look: it
    has not gone, and somebody is about to mend it.

    Raises:
        MeshError: The domain's manifest or ledger cannot be read: then nothing is
            known of it today, which is no change.
    """
    manifest = read_manifest(folder / "target" / "manifest.json", mesh.vocabulary)
    artifacts = read_artifacts(folder, mesh.catalog)
    today = _Today(artifacts, mesh.vocabulary.floors.min_cohort, now)
    studies, more = _studies(mesh, folder.name, before)
    settings, unread = _settings(folder, before)
    published = Published(
        versions=dict(_versions(folder.name, manifest, before, today)),
        grants=dict(_grants(folder, manifest, before, now)),
        studies=studies,
        settings=settings,
    )
    problems = {**manifest.problems, **artifacts.problems, **more, **unread}
    return Look(published=published, problems=problems)


def _settings(
    folder: Path, before: Published
) -> tuple[dict[str, str], dict[str, MeshError]]:
    try:
        return settings_of(load_node(folder)), {}
    except MeshError as error:
        return dict(before.settings), {f"{folder.name}.settings": error}


def _versions(
    domain: str, manifest: Manifest, before: Published, today: _Today
) -> Iterator[tuple[str, PublishedVersion]]:
    found = {p.unique_id: p for p in manifest.products.values() if p.domain == domain}
    for node, product in sorted(found.items()):
        yield node, _version(product, before.versions.get(node), today)
    for node, old in before.versions.items():
        broken = manifest.problems.keys() & {node.removeprefix("model."), old.product}
        if node not in found and broken:
            yield node, old


def _version(
    product: Product, old: PublishedVersion | None, today: _Today
) -> PublishedVersion:
    """Return a version with what its build says; a file that is gone says nothing."""
    known = [today.artifacts.built_at(product), old.built_at if old else None]
    built_at = max((moment for moment in known if moment), default=None)
    breaches = today.artifacts.breaches(product, built_at)
    if breaches is None:
        kept = old.breaches if old else ()
        breaches = tuple(b for b in kept if b != "freshness")
    if is_stale(product, built_at, today.now):
        breaches = (*breaches, "freshness")
    version = version_of(product, today.now.date(), today.floor)
    return version.model_copy(update={"built_at": built_at, "breaches": breaches})


def _grants(
    folder: Path, manifest: Manifest, before: Published, now: datetime
) -> Iterator[tuple[str, PublishedGrant]]:
    revoked = _revoked(folder)
    found = [g for g in manifest.grants.values() if g.domain == folder.name]
    for grant in found:
        ended = approval_digest(grant) in revoked
        yield grant.name, grant_of(grant, revoked=ended, stage=_stage(grant, now))
    names = {grant.name for grant in found}
    for name, old in before.grants.items():
        if name not in names and f"{folder.name}.{name}" in manifest.problems:
            yield name, old


def _stage(grant: Grant, now: datetime) -> GrantStage:
    if grant.status != "approved" or grant.expires is None:
        return ""
    left = grant.expires - now.date()
    if left <= timedelta():
        return "expired"
    return "expiring" if left <= EXPIRING else ""


def _revoked(folder: Path) -> frozenset[str]:
    path = folder / "ledger" / "ledger.sqlite"
    if not path.exists():
        return frozenset()
    with Ledger.open(path, write=False) as ledger:
        return ledger.revoked()


def _studies(
    mesh: MeshFacts, domain: str, before: Published
) -> tuple[dict[str, PublishedStudy], dict[str, MeshError]]:
    if mesh.studies is None:
        return dict(before.studies), {}
    found = {
        name: study_of(study, domain)
        for name, study in mesh.studies.studies.items()
        if any(p.partition(".")[0] == domain for p in study.products)
    }
    broken = {n.rpartition(".")[2]: e for n, e in mesh.studies.problems.items()}
    kept = {n: s for n, s in before.studies.items() if n not in found and n in broken}
    return found | kept, {n: broken[n] for n in kept}
