"""Each product has a domain, an owner, enough stewards, and somebody to ask."""

from collections.abc import Iterator
from pathlib import Path

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.contracts.parsed import MESH, Project, domain_names
from fl_plugin.errors import MeshError
from fl_plugin.manifest.types import Product


class OwnershipCheck(Check):
    """A product that nobody answers for cannot be asked for."""

    name = "ownership"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product, and at whether there is one."""
        products = tuple(domain.products)
        for product in products:
            yield from self._people(product)
            if product.domain != domain.name:
                yield self.error(
                    named(product),
                    f"It belongs to {product.domain}, not to {domain.name}.",
                    "Name the dbt project as its folder is named.",
                )
        if not products:
            yield self.warning(
                domain.name,
                "The domain publishes no product.",
                f"Make one: fl new product {domain.name}.NAME",
            )

    def of_mesh(self, root: Path, only: str | None) -> Iterator[Finding]:
        """Look for products in the root project, which is no domain."""
        if only is not None:
            return
        try:
            found = Project(root, MESH).manifest.products.values()
        except MeshError:
            return  # the domains' own manifests are what decides
        names = domain_names(root)
        for product in found:
            if product.domain not in names:
                yield self.error(
                    named(product),
                    "It belongs to no domain: no domain would decide about it.",
                    "Move it below domains/<domain>/models/products/.",
                )

    def _people(self, product: Product) -> Iterator[Finding]:
        owner, where = product.owner, named(product)
        group = f"Add it to the group in domains/{product.domain}/models/owner.yml."
        for what, there in (
            ("owner with a name", owner.name.strip()),
            ("owner with an address", owner.email.strip()),
            ("steward", any(s.strip() for s in owner.stewards)),
            ("support channel", owner.support.strip()),
        ):
            if not there:
                yield self.error(where, f"It has no {what}.", group)
        stewards = {s.strip().casefold() for s in owner.stewards}
        if stewards and len(stewards) < product.contract.approval.restricted_approvers:
            yield self.error(
                where,
                "It asks for more approvers than it has stewards: nobody could be "
                "granted a restricted column.",
                group,
            )
