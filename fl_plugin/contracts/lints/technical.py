"""Technical metadata: columns with types, a key, and where the table lies."""

from collections.abc import Iterator

from fl_plugin.contracts.check import Check, Domain, Finding, named


class TechnicalCheck(Check):
    """Names, types, key and relation: what a reader needs before the first query."""

    name = "technical"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Look at each product."""
        for product in domain.products:
            where, at = named(product), product.relation
            yml = "Add it to the product's YAML."
            if not product.columns:
                yield self.error(where, "It names no columns.", yml)
            for name, column in product.columns.items():
                if not column.data_type.strip():
                    told = "The column has no data_type."
                    yield self.error(named(product, name), told, yml)
            if not product.key:
                told = "Nothing identifies a row: it has no key."
                key = "Add a primary_key constraint, or the role join_key."
                yield self.error(where, told, key)
            if not (at.database and at.schema and at.identifier):
                told = "It does not say where its table lies."
                yield self.error(where, told, f"Parse it: {domain.project.command}")
            if not product.contract_enforced:
                told = "dbt does not enforce its contract."
                yield self.error(where, told, "Set `contract: {enforced: true}`.")
