"""Step 1: the product, in the domain's own manifest, and its table."""

from collections.abc import Iterator
from datetime import UTC

from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.sql_types import canonical_type, type_name
from fl_plugin.policy.types import Facts


class ProductRule(Rule):
    """The product is offered here: public, contract enforced, active, built as told.

    Remedy: publish or rebuild the product, or ask its owner; a consumer whose version
    is past its date moves to the next one.
    """

    step = 1
    name = "product"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look at the manifest first, then at the built table."""
        product = facts.product
        if product is None or not _is_the_one(facts, product):
            yield Refusal(
                "product.missing",
                f"{facts.node.domain} offers no product {facts.request.product} in "
                "this version.",
                "See what there is: fl catalog search",
            )
            return
        yield from _contract_refusals(product)
        yield from _date_refusals(facts, product)
        yield from _table_refusals(facts, product)

    def says(self, facts: Facts) -> str:
        """Say that it is offered."""
        return f"{facts.request.product} is published and built as its contract says."


def _is_the_one(facts: Facts, product: Product) -> bool:
    request = facts.request
    return (
        product.name == request.product
        and product.domain == facts.node.domain
        and request.version in (None, product.version)
    )


def _contract_refusals(product: Product) -> Iterator[Refusal]:
    ask = whom_to_ask(product)
    if product.access != "public":
        yield Refusal(
            "product.not_public",
            f"{product.name} is not public.",
            f"Ask {ask} to publish it (`access: public`).",
        )
    if not product.contract_enforced:
        yield Refusal(
            "product.contract_not_enforced",
            f"The contract of {product.name} is not enforced.",
            f"Ask {ask} to set `contract: {{enforced: true}}` and to build.",
        )
    if product.contract.status != "active":
        yield Refusal(
            "product.not_active",
            f"{product.name} is {product.contract.status}, not active.",
            f"Ask {ask}, or use another product.",
        )


def _date_refusals(facts: Facts, product: Product) -> Iterator[Refusal]:
    ends = product.deprecation_date
    if ends is not None and facts.now.astimezone(UTC).date() >= ends:
        yield Refusal(
            "product.deprecated",
            f"This version of {product.name} is past its deprecation date.",
            f"Use the latest version, or ask {whom_to_ask(product)}.",
        )


def _table_refusals(facts: Facts, product: Product) -> Iterator[Refusal]:
    build = f"Build it: cd domains/{product.domain} && dbt build"
    if facts.table is None:
        yield Refusal(
            "product.table_missing",
            f"{product.domain} has no table for {product.name}.",
            build,
        )
        return
    promised = {n: c.data_type for n, c in product.columns.items()}
    difference = _difference(promised, dict(facts.table))
    if difference:
        yield Refusal(
            "product.table_differs",
            f"The table of {product.name} differs from its contract: {difference}.",
            build,
        )


def _difference(promised: dict[str, str], built: dict[str, str]) -> str:
    """Return the first five differences, in words; "" where there is none."""
    found = []
    for name in sorted(promised.keys() | built.keys()):
        if name not in built:
            found.append(f"{name} is missing")
        elif name not in promised:
            found.append(f"{name} is not in the contract")
        elif not promised[name]:
            found.append(f"{name} has no data_type in the contract")
        elif canonical_type(promised[name]) != canonical_type(built[name]):
            kinds = f"{type_name(built[name])}, not {type_name(promised[name])}"
            found.append(f"{name} is {kinds}")
    more = f", and {len(found) - 5} more" if len(found) > 5 else ""  # noqa: PLR2004
    return ", ".join(found[:5]) + more
