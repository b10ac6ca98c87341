"""Tracking metadata: which version, made from what, kept for how long."""

from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.manifest.types import Product


class TrackingCheck(Check):
    """Schema evolution from source to product."""

    name = "tracking"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product."""
        for product in domain.products:
            where = named(product)
            if product.version is None:
                # dbt takes it for the first; a warning, since nothing is unknown yet.
                yield self.warning(
                    where,
                    "It has no version, so it cannot change without breaking.",
                    "Add `latest_version: 1` and `versions: [{v: 1}]`.",
                )
            if not _upstream(domain, product):
                yield self.error(
                    where,
                    "Its lineage reaches no seed and no source.",
                    "Read from staging models with ref(), and those from source().",
                )
            if product.contract.retention_days is None:
                yield self.error(
                    where,
                    "It does not say how long rows are kept.",
                    "Add `retention_days` to its mesh block.",
                )


def _upstream(domain: Domain, product: Product) -> bool:
    """Return whether a seed or source stands behind a product."""
    nodes = domain.project.root_fields.block("nodes")
    ahead, seen = [product.unique_id], set()
    while ahead:
        current = ahead.pop()
        if current.startswith(("seed.", "source.", "snapshot.")):
            return True
        if current in seen or current not in nodes.value:
            continue
        seen.add(current)
        ahead += nodes.block(current).block("depends_on").texts("nodes")
    return False
