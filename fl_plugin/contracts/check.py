"""One thing that is wrong with a contract, and the check that finds it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from fl_plugin.catalog.measured import Measurements, measurements
from fl_plugin.catalog.published import Published
from fl_plugin.contracts.parsed import Project
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.types import Manifest, Product
from fl_plugin.manifest.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong, or that should be looked at.

    Args:
        rule: The check that found it.
        where: The product and column, the domain or the file.
    """

    level: Literal["error", "warning"]
    rule: str
    where: str
    sentence: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Domain:
    """One domain as it is linted.

    Args:
        catalog: What dbt's catalog measured; empty where nothing was built.
        published: What the domain has published of its products' quality.
    """

    root: Path
    project: Project
    vocabulary: Vocabulary
    catalog: Mapping[str, Any] = field(default_factory=dict)
    published: Published = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The domain's name, its folder's."""
        return self.project.name

    @property
    def manifest(self) -> Manifest:
        """Its contracts."""
        return self.project.manifest

    @property
    def products(self) -> Iterator[Product]:
        """Yield every version of every product once."""
        found = {p.unique_id: p for p in self.manifest.products.values()}
        yield from (found[i] for i in sorted(found))

    def node_of(self, product: Product) -> Fields:
        """Return dbt's own node of a product."""
        return self.project.root_fields.block("nodes").block(product.unique_id)

    def measured(self, product: Product) -> Measurements:
        """Return what the last build measured of a product."""
        return measurements(self.catalog, product, self.published)


class Check:
    """One thing to look at, of a domain or of the whole mesh."""

    name: ClassVar[str] = ""

    def of_domain(self, domain: Domain) -> Iterable[Finding]:  # noqa: ARG002 protocol
        """Return what is wrong in one domain."""
        return ()

    def of_mesh(
        self,
        root: Path,  # noqa: ARG002 as above
        only: str | None,  # noqa: ARG002 as above
    ) -> Iterable[Finding]:
        """Return what is wrong with the mesh, or with what it says of one domain."""
        return ()

    def error(self, where: str, sentence: str, remedy: str) -> Finding:
        """Return an error of this check."""
        return Finding(
            level="error",
            rule=self.name,
            where=where,
            sentence=sentence,
            remedy=remedy,
        )

    def warning(self, where: str, sentence: str, remedy: str) -> Finding:
        """Return a warning of this check."""
        return Finding(
            level="warning",
            rule=self.name,
            where=where,
            sentence=sentence,
            remedy=remedy,
        )


def named(product: Product, column: str = "") -> str:
    """Return where something is wrong, `d.p v1, age`."""
    version = f" v{product.version}" if product.version is not None else ""
    return f"{product.name}{version}" + (f", {column}" if column else "")
