"""Whom a change touches, from the exposures, and which grants it stops."""

from collections.abc import Iterator

from fl_plugin.catalog.grant_state import state_of
from fl_plugin.contracts.change import Touched
from fl_plugin.contracts.pairs import Comparison
from fl_plugin.manifest.types import Grant, Product


def consumers(
    both: Comparison, product: Product, column: str = ""
) -> tuple[Touched, ...]:
    """Return the studies and live grants on a product of the base.

    Args:
        both: Their studies and grants, of both sides.
        product: As it was.
        column: Only those that name it; all where it is empty.
    """
    found = {*_studies(both, product, column), *_grants(both, product, column)}
    return tuple(sorted(found, key=lambda t: (t.consumer, t.through)))


def stopped(both: Comparison, base: Product, head: Product | None) -> tuple[str, ...]:
    """Return the grants that hold on the base and no longer on the head."""
    after = both.head.manifest.grants
    return tuple(
        name
        for name, grant in live(both, base)
        if head is None
        or name not in after
        or head.unique_id not in after[name].product_ids
        or not state_of(after[name], head, both.now).live
    )


def live(both: Comparison, product: Product) -> Iterator[tuple[str, Grant]]:
    """Yield the grants that hold on a product of the base today."""
    for name, grant in sorted(both.base.manifest.grants.items()):
        on_it = product.unique_id in grant.product_ids
        if on_it and state_of(grant, product, both.now).live:
            yield name, grant


def _studies(both: Comparison, product: Product, column: str) -> Iterator[Touched]:
    for name, study in both.studies.items():
        columns = (*study.contract.features, study.contract.target)
        if product.name in study.products and (not column or column in columns):
            yield Touched(
                consumer=study.contract.consumer,
                through=f"study {name}",
                address=study.owner.email,
            )


def _grants(both: Comparison, product: Product, column: str) -> Iterator[Touched]:
    for name, grant in live(both, product):
        if not column or column in grant.columns:
            yield Touched(
                consumer=grant.consumer,
                through=f"grant {name}",
                address=both.base.addresses.get(name) or grant.requested_by,
            )
