"""What builds have left beside the manifests: when, and which floors were missed.

None of these files has to be there. One that is damaged is not believed and told.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from fl_plugin.catalog.measured import Measurements, measurements
from fl_plugin.catalog.published import (
    QUALITY_FILE,
    PublishedProfile,
    PublishedQuality,
    read_quality,
)
from fl_plugin.errors import BuildError, MeshError
from fl_plugin.manifest.types import Product

MAX_BYTES = 100 * 1024 * 1024
RUN_RESULTS, CATALOG = "run_results.json", "catalog.json"
# What catalog.json says of a build is rounded down to the minute.
_ROUNDED = timedelta(minutes=1)


class _File(BaseModel):
    """A file of somebody else's: what is read of it is strict, the rest is theirs."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _Timing(_File):
    started_at: datetime | None = None


class _Result(_File):
    unique_id: str
    status: str
    timing: tuple[_Timing, ...] = ()


class _RunAbout(_File):
    invocation_started_at: datetime | None = None


class RunResults(_File):
    """dbt's run_results.json: what its last command did."""

    metadata: _RunAbout
    results: tuple[_Result, ...] = ()

    def built_at(self, node: str) -> datetime | None:
        """Return when the run that built a model began; None where it did not.

        To the second, as the product's profile has it.
        """
        for result in self.results:
            if result.unique_id != node or result.status != "success":
                continue
            begun = [t.started_at for t in result.timing if t.started_at]
            found = self.metadata.invocation_started_at or min(begun, default=None)
            return _utc(found) if found else None
        return None


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """What is known of a domain's builds."""

    run: RunResults | None = None
    quality: PublishedQuality | None = None
    catalog: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, MeshError] = field(default_factory=dict)

    def built_at(self, product: Product) -> datetime | None:
        """Return when a product was built last, by whoever says the latest."""
        found = [
            self.run.built_at(product.unique_id) if self.run else None,
            self._measured(product).last_built,
        ]
        told = self._profile(product)
        found.append(_utc(told.built_at) if told else None)
        return max((moment for moment in found if moment), default=None)

    def breaches(
        self, product: Product, built_at: datetime | None
    ) -> tuple[str, ...] | None:
        """Return the quality floors that the last build missed.

        None where that build has not been measured, as far as is published.
        """
        told = self._profile(product)
        if told is not None and _is_of(told.built_at, built_at):
            return tuple(sorted(told.broken))
        measured = self._measured(product)
        if measured.last_built and _is_of(measured.last_built, built_at):
            return tuple(sorted(_below(product, measured)))
        return None

    def _profile(self, product: Product) -> PublishedProfile | None:
        wanted = (product.name, product.version)
        known = self.quality.products if self.quality else ()
        return next((p for p in known if (p.product, p.version) == wanted), None)

    def _measured(self, product: Product) -> Measurements:
        return measurements(self.catalog, product, {})


def read_artifacts(folder: Path, catalog: Mapping[str, Any]) -> Artifacts:
    """Return what a domain's target/ holds beside the manifest."""
    problems: dict[str, MeshError] = {}
    run, quality = None, None
    try:
        run = _read_run(folder / "target" / RUN_RESULTS)
    except MeshError as error:
        problems[f"{folder.name}, {RUN_RESULTS}"] = error
    try:
        quality = read_quality(folder)
    except MeshError as error:
        problems[f"{folder.name}, {QUALITY_FILE}"] = error
    return Artifacts(run=run, quality=quality, catalog=catalog, problems=problems)


def read_catalog(root: Path) -> Mapping[str, Any]:
    """Return the mesh's catalog.json; an empty one where it is not written yet.

    Raises:
        BuildError: It is not valid JSON.
    """
    path = root / "target" / CATALOG
    content = _content(path)
    if content is None:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _damaged(path)
    return found


def is_stale(product: Product, built_at: datetime | None, now: datetime) -> bool:
    """Return whether a product was built longer ago than it promises."""
    hours = product.contract.freshness_hours
    if hours is None or built_at is None:
        return False
    return now - built_at > timedelta(hours=hours)


def _below(product: Product, measured: Measurements) -> Iterator[str]:
    floors = product.contract.quality
    for word in ("completeness", "validity", "uniqueness"):
        floor, found = getattr(floors, word), getattr(measured, word)
        if floor is not None and found is not None and not found >= floor:
            yield word


def _is_of(told: datetime, built_at: datetime | None) -> bool:
    return built_at is not None and _utc(told) > built_at - _ROUNDED


def _read_run(path: Path) -> RunResults | None:
    content = _content(path)
    if content is None:
        return None
    try:
        return RunResults.model_validate_json(content)
    except (ValidationError, RecursionError):
        raise _damaged(path) from None


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError:
        raise _damaged(path) from None
    if len(content) > MAX_BYTES:
        raise _damaged(path)
    return content


def _damaged(path: Path) -> BuildError:
    name = "/".join(path.absolute().parts[-3:])
    return BuildError(
        f"{name} cannot be read, or is not what it should be.",
        remedy="Build again: cd domains/<domain> && dbt build",
    )


def _utc(moment: datetime) -> datetime:
    known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return known.astimezone(UTC).replace(microsecond=0)
