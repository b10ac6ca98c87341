"""Business metadata: what it is, in words, and how guarded."""

from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named


class BusinessCheck(Check):
    """Descriptions of the product and of each column; classes are in the contract."""

    name = "business"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product."""
        for product in domain.products:
            say = "Say in plain words what it is, where it comes from, what is wrong."
            if not product.description.strip():
                yield self.error(named(product), "It has no description.", say)
            for name, column in product.columns.items():
                if not column.description.strip():
                    told = "The column has no description."
                    yield self.error(named(product, name), told, say)
                if column.contract.pii and not column.contract.classification:
                    yield self.warning(
                        named(product, name),
                        "It is personal data and has no class of its own.",
                        "Add `classification` to the column, even if it is the same.",
                    )
