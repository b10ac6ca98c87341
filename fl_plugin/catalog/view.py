"""One look at the mesh: contracts, measurements, grants and models at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fl_plugin.catalog.grant_state import GrantState, state_of
from fl_plugin.catalog.measured import Measurements, measurements
from fl_plugin.catalog.published import Published
from fl_plugin.manifest.types import Grant, Manifest, Product, Study
from fl_plugin.policy.types import Node


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """The newest registered model of a study; `score` is its hold-out ROC-AUC."""

    study: str
    version: int
    created_at: str
    score: float | None


@dataclass(frozen=True, kw_only=True)
class View:
    """What every page of the catalog is written from.

    Args:
        manifest: The mesh's contracts, validated.
        artifact: The same manifest.json as dbt wrote it, for what has no contract.
        catalog: catalog.json as dbt wrote it.
        now: Decides which grants are live and which products are fresh; UTC.
        mesh_min_cohort: The mesh's floor.
        models: By the name of their study.
        published: What the domains have published of their products' quality.
        feed: Where the changes stand as a feed, beside the page; "" where they do not.
        nodes: The domains' own settings, of those that can be read here.
        revoked: By domain, the approvals that its ledger has ended.
    """

    manifest: Manifest
    artifact: Mapping[str, Any]
    catalog: Mapping[str, Any]
    now: datetime
    mesh_min_cohort: int = 1
    models: Mapping[str, TrainedModel] = field(default_factory=dict)
    published: Published = field(default_factory=dict)
    feed: str = ""
    nodes: Mapping[str, Node] = field(default_factory=dict)
    revoked: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def products(self) -> tuple[Product, ...]:
        """Every version of every valid product, once, by unique id."""
        found = {p.unique_id: p for p in self.manifest.products.values()}
        return tuple(found[unique_id] for unique_id in sorted(found))

    @property
    def latest(self) -> tuple[Product, ...]:
        """The latest version of each product, by name."""
        found = self.manifest.products
        return tuple(p for name, p in sorted(found.items()) if name == p.name)

    def measured(self, product: Product) -> Measurements:
        """Return what the last build measured of a product."""
        return measurements(self.catalog, product, self.published)

    def grants_on(self, product: Product) -> tuple[GrantState, ...]:
        """Return every grant that names a product, the live ones first."""
        found = [
            state_of(
                grant,
                product,
                self.now,
                node=self.nodes.get(product.domain),
                revoked=self.revoked.get(product.domain, frozenset()),
            )
            for grant in self.manifest.grants.values()
            if product.unique_id in grant.product_ids
        ]
        return tuple(sorted(found, key=lambda s: (not s.live, s.grant.name)))

    def grants_for(self, study: Study, product: Product) -> tuple[GrantState, ...]:
        """Return the grants on a product that were asked for by one study."""
        found = self.grants_on(product)
        return tuple(s for s in found if s.grant.study == study.name)

    def studies_of(self, product: Product) -> tuple[Study, ...]:
        """Return the studies that want to learn from a product."""
        found = self.manifest.studies.values()
        return tuple(s for s in found if product.unique_id in s.product_ids)

    def cohort_floor(self, product: Product) -> int:
        """Return the fewest rows a figure about a product may cover."""
        return max(product.contract.min_cohort or 0, self.mesh_min_cohort)

    def consumer_name(self, grant: Grant) -> str:
        """Return the consumer as its exposure's owner is called."""
        exposure = self.artifact.get("exposures", {}).get(grant_id(grant), {})
        owner = exposure.get("owner") if isinstance(exposure, Mapping) else None
        name = owner.get("name") if isinstance(owner, Mapping) else None
        return name if isinstance(name, str) and name else grant.consumer

    def study_id(self, study: Study) -> str:
        """Return dbt's unique id of a study."""
        keys = (k for k, s in self.manifest.studies.items() if s is study)
        key = next(keys, study.name)
        dotted = key if "." in key else f"{self.manifest.project}.{key}"
        return f"exposure.{dotted}"


def grant_id(grant: Grant) -> str:
    """Return dbt's unique id of a grant."""
    return f"exposure.{grant.domain}.{grant.name}"


def version_words(product: Product) -> str:
    """Return "credit_profile v1", or the bare name of an unversioned product."""
    bare = product.name.split(".", 1)[1]
    return f"{bare} v{product.version}" if product.version is not None else bare
