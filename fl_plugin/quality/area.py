"""What can be done about the quality of a mesh's products."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.catalog.published import PublishedProfile, read_published
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.validation import closest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.party.domain import Domain
from fl_plugin.policy.people import cohort_floor
from fl_plugin.quality.approving import approve
from fl_plugin.quality.measuring import measure, measurement
from fl_plugin.quality.publishing import publish, write_quality
from fl_plugin.quality.report import ProductQuality, report_on


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """What a round of measuring came to.

    Args:
        published: What the domains publish now, of the products that were measured.
        files: Where, by domain.
        problems: What could not be measured, by product or domain.
    """

    published: tuple[PublishedProfile, ...]
    files: Mapping[str, Path]
    problems: Mapping[str, MeshError] = field(default_factory=dict)


@dataclass(frozen=True)
class Quality:
    """The quality of the products of the mesh in a folder.

    Args:
        root: The mesh's folder.
        actor: Who measures, for the audit.
    """

    root: Path
    actor: str = "unknown"

    def profile(
        self, product: str | None = None, *, domain: str | None = None
    ) -> Measuring:
        """Measure products as their domains have built them, and publish the result.

        Args:
            product: Its name, for its latest version, or `<name>.v<N>`; None for all.
            domain: Only this one's products.

        Returns:
            What was published; one product that cannot be measured stops no other.

        Raises:
            UsageError: There is no such product or domain.
        """
        only = product.partition(".")[0] if product else domain
        published: list[PublishedProfile] = []
        files: dict[str, Path] = {}
        problems: dict[str, MeshError] = {}
        for folder in self._folders(only):
            try:
                work = _DomainWork(Domain(folder), self.actor)
                measured = work.measure(product, problems)
                files[folder.name], found = work.publish(problems)
            except UsageError:
                raise
            except MeshError as error:
                problems[folder.name] = error
                continue
            published += [p for p in found if (p.product, p.version) in measured]
        return Measuring(published=tuple(published), files=files, problems=problems)

    def approve(self, product: str, *, by: str) -> PublishedProfile:
        """Make a product's newest profile the one that drift is measured against.

        Args:
            product: Its name, or `<name>.v<N>`.
            by: A steward of its group.

        Raises:
            UsageError: There is no such product.
            BuildError: The newest build was not measured.
            PolicyError: Whoever approves is no steward of the product.
        """
        (folder,) = self._folders(product.partition(".")[0])
        domain = Domain(folder)
        found = _named(domain.manifest(), product)
        with domain.ledger() as ledger:
            approve(domain, found, ledger, by)
        problems: dict[str, MeshError] = {}
        _, published = _DomainWork(domain, self.actor).publish(problems)
        for profile in published:
            if (profile.product, profile.version) == (found.name, found.version):
                return profile
        raise problems[found.name]

    def report(self, domain: str | None = None) -> tuple[ProductQuality, ...]:
        """Return what is known of each product, beside what it promises.

        Raises:
            UsageError: There is no such domain.
            BuildError: A domain is not built.
        """
        now, published = datetime.now(UTC), read_published(self.root)
        vocabulary = load_vocabulary(self.root)
        return tuple(
            report_on(product, published, now)
            for folder in self._folders(domain)
            for product in _products(
                read_manifest(folder / "target" / "manifest.json", vocabulary)
            )
        )

    def _folders(self, domain: str | None) -> tuple[Path, ...]:
        found = sorted(p.parent for p in (self.root / "domains").glob("*/node.yml"))
        if domain is None:
            return tuple(found)
        chosen = tuple(folder for folder in found if folder.name == domain)
        if not chosen:
            names = [folder.name for folder in found]
            raise UsageError(
                f"There is no domain {domain!r}.", remedy=closest(domain, names)
            )
        return chosen


@dataclass(frozen=True)
class _DomainWork:
    """One domain's measuring, in its own folder and ledger."""

    domain: Domain
    actor: str

    def measure(
        self, product: str | None, problems: dict[str, MeshError]
    ) -> set[tuple[str, int | None]]:
        """Measure one product or all, and return which were."""
        manifest = self.domain.manifest()
        chosen = [_named(manifest, product)] if product else _products(manifest)
        if product is None:
            problems |= {n: e for n, e in manifest.problems.items() if "." in n}
        done = set()
        with self.domain.ledger() as ledger:
            for found in chosen:
                try:
                    measure(self.domain, found, ledger, self.actor)
                except MeshError as error:
                    problems[found.name] = error
                else:
                    done.add((found.name, found.version))
        return done

    def publish(
        self, problems: dict[str, MeshError]
    ) -> tuple[Path, list[PublishedProfile]]:
        """Write what the ledger allows to be known, of every product."""
        published = []
        floor = self.domain.vocabulary().floors.min_cohort
        with self.domain.ledger() as ledger:
            for product in _products(self.domain.manifest()):
                try:
                    found = _published(product, ledger, floor)
                except MeshError as error:
                    problems[product.name] = error
                    continue
                published += [found] if found else []
        return write_quality(self.domain.folder, published), published


def _published(product: Product, ledger: Ledger, floor: int) -> PublishedProfile | None:
    found = measurement(product, ledger)
    return publish(product, found, cohort_floor(product, floor)) if found else None


def _products(manifest: Manifest) -> list[Product]:
    found = {p.unique_id: p for p in manifest.products.values()}
    return [found[unique_id] for unique_id in sorted(found)]


def _named(manifest: Manifest, name: str) -> Product:
    if name in manifest.products:
        return manifest.products[name]
    if name in manifest.problems:
        raise manifest.problems[name]
    raise UsageError(
        f"There is no product {name!r}.", remedy=closest(name, manifest.products)
    )
