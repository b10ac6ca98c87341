"""The registry: `registry/<study>/v<N>/` with a model, its record, card and report.

Digests show damage and careless edits. Whoever can write to the folder can rewrite
them too; what holds against that is the model's digest in the domains' ledgers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sklearn.pipeline import Pipeline

from fl_plugin.errors import RegistryError
from fl_plugin.model.canonical import pipeline_digest
from fl_plugin.model.persistence import dump, load
from fl_plugin.registry.digests import altered, read_checked, read_digests
from fl_plugin.registry.names import study_folder, version_folder, version_of
from fl_plugin.registry.record_json import record_from_json, record_to_json
from fl_plugin.registry.reservation import Reservation, reserve
from fl_plugin.registry.run_record import RunRecord
from fl_plugin.registry.tombstone import (
    Tombstone,
    is_removed,
    read_tombstone,
    removed_error,
)

__all__ = ["Entry", "Listing", "list_models", "open_model", "publish", "reserve"]

MODEL, RUN, CARD, REPORT = "model.skops", "run.json", "card.md", "report.html"
PART = "coordinator.part"  # of a vertical model, in the place of a whole one
ALWAYS = (RUN, CARD, REPORT)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of a study's model, its files checked, its estimator not yet read."""

    study: str
    version: int
    path: Path
    run: RunRecord
    digests: Mapping[str, str] = field(repr=False)

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / REPORT

    @property
    def card(self) -> Path:
        """The model card."""
        return self.path / CARD

    def part(self) -> bytes:
        """Return the coordinator's part of a vertical model, as it was written.

        Raises:
            RegistryError: The file was altered, or the model is not a vertical one.
        """
        if self.run.vertical is None:
            raise altered(self.path, PART, "the model is no vertical one")
        return read_checked(self.path, PART, self.digests)

    def estimator(self) -> Pipeline:
        """Read the fitted pipeline.

        Raises:
            RegistryError: The file was altered, or its numbers are not the run's, or
                the model lies in parts, each in its own domain.
        """
        if self.run.vertical is not None:
            raise RegistryError(
                f"{self.study} v{self.version} is a vertical model: each domain keeps "
                "its own part, and no file holds all of it.",
                remedy=f"Let the domains score their rows: fl score {self.study}",
            )
        pipeline = load(self.path / MODEL, self.digests.get(MODEL, ""))
        if pipeline_digest(pipeline) != self.run.model_digest:
            raise altered(self.path, MODEL, "its numbers are not those of its run")
        return pipeline


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Every model, newest version first in each study, and what could not be read.

    `problems` maps `<study>/v<N>` to its error: one damaged folder hides no other.
    `tombstones` are what stays of models that were removed.
    """

    entries: tuple[Entry, ...]
    problems: Mapping[str, RegistryError]
    tombstones: tuple[Tombstone, ...] = ()


def publish(
    slot: Reservation, pipeline: Pipeline, run: RunRecord, *, card: str, report: str
) -> Entry:
    """Write a reserved version whole, and return it.

    Raises:
        RegistryError: The record is another study's or version's, or another model's.
        StorageError: The disk refused; nothing is half-written.
    """
    if (run.study, run.version) != (slot.study, slot.version):
        raise _mismatch(slot, "its record names another study or version")
    if pipeline_digest(pipeline) != run.model_digest:
        raise _mismatch(slot, "its record holds another model's digest")
    return _published(slot, {MODEL: dump(pipeline)}, run, card, report)


def publish_part(
    slot: Reservation, part: bytes, run: RunRecord, *, card: str, report: str
) -> Entry:
    """Write a reserved version of a vertical model, with the coordinator's part.

    Raises:
        RegistryError: The record is another study's or version's.
        StorageError: The disk refused; nothing is half-written.
    """
    if (run.study, run.version) != (slot.study, slot.version):
        raise _mismatch(slot, "its record names another study or version")
    return _published(slot, {PART: part}, run, card, report)


def _published(
    slot: Reservation,
    model: Mapping[str, bytes],
    run: RunRecord,
    card: str,
    report: str,
) -> Entry:
    path = slot.publish(
        {
            **model,
            RUN: record_to_json(run),
            CARD: card.encode(),
            REPORT: report.encode(),
        }
    )
    return _entry(path)


def open_model(
    root: Path, study: str, version: int | Literal["latest"] = "latest"
) -> Entry:
    """Return one version after checking every file of its folder.

    Raises:
        RegistryError: No such study or version, or a file was altered.
    """
    folder = study_folder(root, study)
    versions = _versions(folder)
    wanted = max(versions, default=0) if version == "latest" else version
    if wanted not in versions:
        if wanted in _versions(folder, removed=True):
            raise removed_error(version_folder(root, study, wanted))
        raise RegistryError(
            f"The registry holds no {'model' if not versions else f'v{wanted}'} "
            f"of {study}.",
            remedy=_known(study, versions),
        )
    return _entry(version_folder(root, study, wanted))


def list_models(root: Path, study: str | None = None) -> Listing:
    """Return all versions of one study, or of all studies, by name."""
    folders = _studies(root) if study is None else [study_folder(root, study)]
    entries: list[Entry] = []
    tombstones: list[Tombstone] = []
    problems: dict[str, RegistryError] = {}
    for folder in folders:
        removed = set(_versions(folder, removed=True))
        for version in sorted({*_versions(folder), *removed}, reverse=True):
            try:
                path = version_folder(root, folder.name, version)
                if version in removed:
                    tombstones.append(read_tombstone(path))
                else:
                    entries.append(_entry(path))
            except RegistryError as error:
                problems[f"{folder.name}/v{version}"] = error
    return Listing(
        entries=tuple(entries), problems=problems, tombstones=tuple(tombstones)
    )


def _entry(path: Path) -> Entry:
    digests = read_digests(path)
    model = PART if PART in digests else MODEL
    data = {name: read_checked(path, name, digests) for name in (model, *ALWAYS)}
    run = record_from_json(data[RUN], name=f"{path.parent.name}/{path.name}/{RUN}")
    version = version_of(path)
    if version is None or (run.study, run.version) != (path.parent.name, version):
        raise altered(path, RUN, "it is the record of another study or version")
    return Entry(study=run.study, version=version, path=path, run=run, digests=digests)


def _studies(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    found = (p for p in sorted(root.iterdir()) if p.is_dir() and not p.is_symlink())
    return [p for p in found if not p.name.startswith(".")]


def _versions(folder: Path, *, removed: bool = False) -> list[int]:
    """Return the versions that there are, or those of which a tombstone is left."""
    if not folder.is_dir():
        return []
    children = (c for c in folder.iterdir() if is_removed(c) == removed)
    return [v for v in map(version_of, children) if v is not None]


def _known(study: str, versions: list[int]) -> str:
    if not versions:
        return f"Run `python -m fl_plugin train {study}`, or see `models`."
    return f"Take one of v{min(versions)} to v{max(versions)}; see `models {study}`."


def _mismatch(slot: Reservation, reason: str) -> RegistryError:
    return RegistryError(
        f"{slot.study} v{slot.version} was not registered: {reason}.",
        remedy="Report it with the study's name; nothing was written.",
    )
