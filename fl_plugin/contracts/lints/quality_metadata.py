"""Quality metadata: floors, tests, and what the last build measured."""

from collections.abc import Iterator

from fl_plugin.contracts.behind import tests_by_model
from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.manifest.types import Product

FLOORS = ("completeness", "validity", "uniqueness")


class QualityMetadataCheck(Check):
    """A product says how good it is and checks it in each build."""

    name = "quality"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at what is promised, at what checks it, and at what was measured."""
        tests = tests_by_model(domain.project.root_fields)
        for product in domain.products:
            yield from self._promises(product)
            behind = tests.get(product.unique_id)
            hard = any(rule.hard for rule in behind.tests.values()) if behind else False
            values = any(c.accepted_values for c in product.columns.values())
            if not hard and not values:
                yield self.error(
                    named(product),
                    "No data test checks it.",
                    "Add `data_tests` to its columns.",
                )
            yield from self._measured(domain, product)

    def _promises(self, product: Product) -> Iterator[Finding]:
        floors = product.contract.quality
        missing = [name for name in FLOORS if getattr(floors, name) is None]
        if missing:
            yield self.error(
                named(product),
                f"It promises no {' and no '.join(missing)}.",
                "Add floors under `quality` in its mesh block.",
            )
        if product.contract.freshness_hours is None:
            yield self.error(
                named(product),
                "It does not say how old its data may be.",
                "Add `freshness_hours` to its mesh block.",
            )

    def _measured(self, domain: Domain, product: Product) -> Iterator[Finding]:
        """What is broken is known from what the domain has published itself."""
        found, floors = domain.measured(product), product.contract.quality
        where, profile = named(product), found.profile
        for floor in sorted(found.broken):
            told = self.error if floors.on_breach == "stop" else self.warning
            yield told(
                where,
                f"It is below its own floor: {floor}.",
                f"Repair the data: cd domains/{product.domain} && dbt build",
            )
        if profile is None and found.built:
            yield self.warning(
                where,
                "It is built, and its quality was not measured.",
                f"Measure it: fl quality profile {product.name}",
            )
