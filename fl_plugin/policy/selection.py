"""Which columns a deny rule is about."""

from typing import get_args

from fl_plugin.manifest.contract import ColumnSelector
from fl_plugin.manifest.types import Column, Product
from fl_plugin.manifest.words import Classification

CLASSES: tuple[Classification, ...] = get_args(Classification)  # the most guarded last


def selected(selector: ColumnSelector, product: Product) -> list[str]:
    """Return the columns of a product that a selector is about."""
    return [n for n, c in product.columns.items() if selects(selector, c, product)]


def selects(selector: ColumnSelector, column: Column, product: Product) -> bool:
    """Return whether any line of a selector is about a column.

    A class stands for itself and for every more guarded one: to raise the class of a
    column must never take it out of a deny.
    """
    contract = column.contract
    own = CLASSES.index(contract.classification or product.contract.classification)
    return (
        column.name in selector.names
        or contract.pii in selector.pii
        or any(CLASSES.index(word) <= own for word in selector.classification)
        or not set(selector.roles).isdisjoint(contract.roles)
    )
