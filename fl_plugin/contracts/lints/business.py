"""Business metadata: what it is, in words, and how guarded."""

import re
from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.manifest.types import Product

_TO_SAY = re.compile(r"\bTODO\b")  # what `fl new product` leaves to its team


class BusinessCheck(Check):
    """Descriptions of the product and of each column; classes are in the contract."""

    name = "business"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product."""
        for product in domain.products:
            yield from self._described(product, "", product.description)
            for name, column in product.columns.items():
                yield from self._described(product, name, column.description)
                if column.contract.pii and not column.contract.classification:
                    yield self.warning(
                        named(product, name),
                        "It is personal data and has no class of its own.",
                        "Add `classification` to the column, even if it is the same.",
                    )

    def _described(self, product: Product, column: str, text: str) -> Iterator[Finding]:
        """Look for words; what a template left to be said is none, once it is used."""
        where = named(product, column) if column else named(product)
        what = "The column" if column else "It"
        say = "Say in plain words what it is, where it comes from, what is wrong."
        if not text.strip():
            yield self.error(where, f"{what} has no description.", say)
        elif _TO_SAY.search(text):
            told = f"{what} has a description that is still to be written (TODO)."
            active = product.contract.status == "active"
            yield (self.error if active else self.warning)(where, told, say)
