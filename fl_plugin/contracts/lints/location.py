"""A product lies in its domain's own registered database, and nowhere else."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from fl_plugin.contracts.check import Check, Domain, Finding, named
from fl_plugin.errors import ContractError
from fl_plugin.policy.node import load_node


class LocationCheck(Check):
    """`node.yml` registers one DuckDB file; dbt calls it by the file's stem."""

    name = "location"

    def of_domain(self, domain: Domain) -> Iterator[Finding]:
        """Compare each product's relation with the registered database."""
        try:
            node = load_node(domain.project.folder)
        except ContractError:
            return  # told by the check "valid"
        if node.domain != domain.name:
            yield self.error(
                domain.name,
                f"node.yml says that this is {node.domain}.",
                f"Write `domain: {domain.name}`.",
            )
        registered = PurePosixPath(node.database).stem
        for product in domain.products:
            if product.relation.database != registered:
                yield self.error(
                    named(product),
                    f"Its table lies outside the registered database {registered}.",
                    "Set `+database` in dbt_project.yml to the database in node.yml.",
                )
