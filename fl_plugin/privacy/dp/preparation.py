"""Preparation that looks at no row: from the contract's words alone.

Means, quantiles and vocabularies that are fitted on rows tell of rows. Under
differential privacy a numeric column is clipped to its `bounds` and mapped to -1 to 1,
a missing value becomes the midpoint, and categories are those of the column's
`accepted_values` test; any other value is none of them (all zeros).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.errors import ContractError
from fl_plugin.summand import Floats

Category = str | bool | int


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """What the contract of one domain says of one column.

    Args:
        domain: Whose contract it is.
        product: `<domain>.<model>`.
        column: Its name.
        kind: "numeric" or "categorical".
        bounds: Of a numeric column; None where the contract has none.
        accepted: Of a categorical column; None where it has no `accepted_values`.
    """

    domain: str
    product: str
    column: str
    kind: str
    bounds: tuple[float, float] | None = None
    accepted: tuple[Category, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class PublicColumn:
    """How one column is prepared.

    Args:
        column: Its name.
        fill: Of a numeric column, what replaces a missing value.
        center: Of a numeric column; equals `fill`, so a missing value becomes 0.
        scale: Of a numeric column: (clipped - center) / scale is within -1 to 1.
        categories: Of a categorical column, sorted; empty for a numeric one.
    """

    column: str
    fill: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    categories: tuple[Category, ...] = ()

    def prepared(self, values: Floats) -> Floats:
        """Return a numeric column within -1 to 1; NaN is a missing value."""
        filled = np.where(np.isnan(values), self.fill, values)
        return np.asarray(np.clip((filled - self.center) / self.scale, -1.0, 1.0))


def public_column(facts: Sequence[ColumnFacts]) -> PublicColumn:
    """Return how a column is prepared in all domains alike.

    Args:
        facts: Of the same column, one per domain. Bounds are taken together (lowest
            low, highest high), categories are united: both are public.

    Raises:
        ContractError: A domain's contract lacks what its kind of column needs.
    """
    first = facts[0]
    for other in facts:
        if other.kind != first.kind:
            raise _missing(other, f"a data type that is {first.kind}, as elsewhere")
    if first.kind == "categorical":
        united = {c for f in facts for c in _accepted(f)}
        ordered = sorted(united, key=lambda c: (type(c).__name__, c))
        return PublicColumn(column=first.column, categories=tuple(ordered))
    bounds = [_bounds(f) for f in facts]
    low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
    # Halves first: the sum of two bounds may overflow.
    center, scale = low / 2.0 + high / 2.0, high / 2.0 - low / 2.0
    return PublicColumn(column=first.column, fill=center, center=center, scale=scale)


def _bounds(facts: ColumnFacts) -> tuple[float, float]:
    bounds = facts.bounds
    if bounds is None or not (np.isfinite(bounds).all() and bounds[0] < bounds[1]):
        raise _missing(facts, "`bounds: [low, high]` under the column's `mesh` block")
    return bounds


def _accepted(facts: ColumnFacts) -> tuple[Category, ...]:
    if not facts.accepted:
        raise _missing(facts, "an `accepted_values` test on the column")
    return facts.accepted


def _missing(facts: ColumnFacts, what: str) -> ContractError:
    return ContractError(
        f"{facts.column} of {facts.product} cannot be used under differential privacy: "
        f"the contract of domain {facts.domain} does not say which values it may have.",
        remedy=f"Ask the domain's steward to add {what}, or leave the column out.",
    )
