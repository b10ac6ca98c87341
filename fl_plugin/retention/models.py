"""Registered models whose time is over: the strictest of their products decides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fl_plugin.errors import BuildError, MeshError, RegistryError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest
from fl_plugin.policy.retention import Retention, load_retention
from fl_plugin.registry.run_record import ProductUsed
from fl_plugin.registry.store import Entry
from fl_plugin.retention.found import Expired


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How many days a model may be kept, and who says so."""

    days: int
    who: str


@dataclass(frozen=True)
class Models:
    """Judges models by what the domains' contracts and settings say today.

    Args:
        root: The mesh's folder.
        now: What time it is.
        times: The mesh's own.
    """

    root: Path
    now: datetime
    times: Retention
    _manifests: dict[str, Manifest | MeshError] = field(default_factory=dict)

    def expired(self, entry: Entry) -> Expired | None:
        """Return a model if it has to go.

        Raises:
            MeshError: One of its products cannot be asked, and no other says that it
                has to go.
        """
        limits: list[Limit] = []
        unknown: list[MeshError] = []
        for limit in self._limits(entry):
            if isinstance(limit, MeshError):
                unknown.append(limit)
            else:
                limits.append(limit)
        strictest = min(limits, key=lambda limit: limit.days, default=None)
        if strictest and self._over(entry, strictest):
            return Expired(
                kind="model",
                path=entry.path.relative_to(self.root),
                why=f"Older than the {strictest.days} days of {strictest.who}.",
                domains=tuple(sorted({p.domain for p in entry.run.products})),
                study=entry.study,
                version=entry.version,
                run=entry.run.run,
            )
        if unknown:
            raise unknown[0]
        return None

    def _over(self, entry: Entry, limit: Limit) -> bool:
        try:
            made = datetime.fromisoformat(entry.run.created_at)
        except ValueError:
            raise RegistryError(
                f"{entry.study} v{entry.version} does not say when it was made.",
                remedy="Look at its run.json, and remove the folder by hand.",
            ) from None
        made = made if made.tzinfo else made.replace(tzinfo=UTC)
        return made + timedelta(days=limit.days) <= self.now

    def _limits(self, entry: Entry) -> Iterator[Limit | MeshError]:
        if self.times.models_days is not None:
            yield Limit(days=self.times.models_days, who="the mesh's retention.yml")
        for used in entry.run.products:
            yield from self._of_product(used)

    def _of_product(self, used: ProductUsed) -> Iterator[Limit | MeshError]:
        try:
            own = load_retention(self.root, used.domain).models_days
            days = _days(self._manifest(used.domain), used)
        except MeshError as error:
            yield error
            return
        if own is not None:
            yield Limit(days=own, who=f"{used.domain}'s retention.yml")
        if days is not None:
            yield Limit(days=days, who=f"{used.product}'s contract")

    def _manifest(self, domain: str) -> Manifest:
        if domain not in self._manifests:
            path = self.root / "domains" / domain / "target" / "manifest.json"
            try:
                self._manifests[domain] = read_manifest(path)
            except MeshError as error:
                self._manifests[domain] = error
        found = self._manifests[domain]
        if isinstance(found, MeshError):
            raise found
        return found


def _days(manifest: Manifest, used: ProductUsed) -> int | None:
    """Return what the product's contract says; every version of it counts.

    Raises:
        BuildError: The manifest no longer has the product.
    """
    versions = [
        product
        for name, product in manifest.products.items()
        if used.product in (name, product.name)
    ]
    if not versions:
        raise BuildError(
            f"{used.domain} no longer has {used.product}, so nobody says how long "
            "models of it are kept.",
            remedy="Set models_days in retention.yml, of the mesh or of the domain.",
        )
    days = [v.contract.retention_days for v in versions]
    return min((d for d in days if d is not None), default=None)


def unreadable(problems: Mapping[str, RegistryError]) -> dict[str, MeshError]:
    """Return the registry's problems by their place in the mesh."""
    return {f"registry/{name}": error for name, error in problems.items()}
