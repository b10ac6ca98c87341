"""What a model needs of a product: labels, keys to join by, bounds to clip with."""

from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.manifest.types import Column, Product
from fl_plugin.policy.sql_types import canonical_type

NO_BOUNDS = ("BOOLEAN", "VARCHAR", "DATE", "TIMESTAMP", "ENUM", "UUID", "BLOB")


class ModellingCheck(Check):
    """Without these a product can be learned from, but worse: warnings only."""

    name = "modelling"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product that training is offered on."""
        for product in domain.products:
            trained = {u for u in product.contract.uses if u.startswith("train_")}
            if trained:
                yield from self._roles(product, trained)
            for name, column in product.columns.items():
                if "feature" in column.contract.roles:
                    yield from self._feature(product, name, column)

    def _roles(self, product: Product, trained: set[str]) -> Iterator[Finding]:
        roles = {r for c in product.columns.values() for r in c.contract.roles}
        if "train_horizontal" in trained and "label" not in roles:
            yield self.warning(
                named(product),
                "It offers train_horizontal and no column has the role label.",
                "Give the target the role label, or do not offer the use.",
            )
        if "train_vertical" in trained and "join_key" not in roles:
            yield self.warning(
                named(product),
                "It offers train_vertical and no column has the role join_key.",
                "Give the shared key the role join_key, or do not offer the use.",
            )

    def _feature(
        self, product: Product, name: str, column: Column
    ) -> Iterator[Finding]:
        kind = canonical_type(column.data_type)
        if kind == "VARCHAR" and column.accepted_values is None:
            yield self.warning(
                named(product, name),
                "The feature is text and does not say which values it may hold.",
                "Add an accepted_values test: encodings then come from the contract.",
            )
        if column.contract.bounds is None and not kind.startswith(NO_BOUNDS):
            yield self.warning(
                named(product, name),
                "The feature is a number without bounds.",
                "Add `bounds: [lowest, highest]`: clipping then needs no data.",
            )
