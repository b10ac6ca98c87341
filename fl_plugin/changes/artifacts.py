"""What builds have left beside the manifests: when, and which floors were missed.

None of these files has to be there. One that is damaged is not believed and told.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fl_plugin.catalog.measured import Measurements, measurements
from fl_plugin.errors import BuildError
from fl_plugin.manifest.types import Product

MAX_BYTES = 100 * 1024 * 1024
QUALITY, RUN_RESULTS, CATALOG = "quality.json", "run_results.json", "catalog.json"
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


class _ProductQuality(_File):
    product: str
    version: int | None = None
    built_at: datetime | None = None
    broken: tuple[str, ...] = ()


class QualityFile(_File):
    """The published quality profile: `quality.json`."""

    products: tuple[_ProductQuality, ...] = Field(max_length=10_000)

    def of(self, product: Product) -> _ProductQuality | None:
        """Return what it says of one version."""
        wanted = (product.name, product.version)
        found = (p for p in self.products if (p.product, p.version) == wanted)
        return next(found, None)


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """What is known of a domain's builds."""

    run: RunResults | None
    quality: QualityFile | None
    catalog: Mapping[str, Any] = field(default_factory=dict)

    def built_at(self, product: Product) -> datetime | None:
        """Return when a product was built last, by whoever says the latest."""
        found = [
            self.run.built_at(product.unique_id) if self.run else None,
            self._measured(product).last_built,
        ]
        told = self.quality.of(product) if self.quality else None
        found.append(_utc(told.built_at) if told and told.built_at else None)
        return max((moment for moment in found if moment), default=None)

    def breaches(
        self, product: Product, built_at: datetime | None
    ) -> tuple[str, ...] | None:
        """Return the quality floors that the last build missed.

        None where that build has not been measured, as far as is published.
        """
        told = self.quality.of(product) if self.quality else None
        if told is not None and told.built_at and _is_of(told.built_at, built_at):
            return tuple(sorted(set(told.broken) - {"freshness"}))
        measured = self._measured(product)
        if measured.last_built and _is_of(measured.last_built, built_at):
            return tuple(sorted(_below(product, measured)))
        return None

    def _measured(self, product: Product) -> Measurements:
        return measurements(self.catalog, product.unique_id)


def read_artifacts(target: Path, catalog: Mapping[str, Any]) -> Artifacts:
    """Return what a domain's target/ holds beside the manifest.

    Raises:
        BuildError: A file is there and not what it should be.
    """
    return Artifacts(
        run=_read(RunResults, target / RUN_RESULTS),
        quality=_read(QualityFile, target / QUALITY),
        catalog=catalog,
    )


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


def _read(model: type[Any], path: Path) -> Any:
    content = _content(path)
    if content is None:
        return None
    try:
        return model.model_validate_json(content)
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
