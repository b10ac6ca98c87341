"""Whom to ask about a product, and how guarded its columns are."""

from fl_plugin.manifest.types import Product


def whom_to_ask(product: Product) -> str:
    """Return the owner with an address, "Consumer banking (cb@bank.example)"."""
    owner = product.owner
    name = owner.name or product.domain
    reach = owner.support or owner.email or ", ".join(owner.stewards)
    return f"{name} ({reach})" if reach else name


def is_restricted(product: Product, column: str) -> bool:
    """Return whether a column is restricted; an unknown one counts as such."""
    found = product.columns.get(column)
    if found is None:
        return True
    own = found.contract.classification or product.contract.classification
    return own == "restricted"


def cohort_floor(product: Product | None, mesh_floor: int) -> int:
    """Return the fewest rows a figure may be about: the stricter of the two."""
    own = product.contract.min_cohort if product else None
    return max(own or 0, mesh_floor, 1)
