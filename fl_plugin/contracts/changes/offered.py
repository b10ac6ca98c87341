"""Purposes and uses that a product offers."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Words


class OfferedChanges(Family):
    """A purpose or a use more opens; one less closes."""

    name = "offered"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare both lists."""
        base, head = pair.base.contract, pair.head.contract
        yield from Words(
            kind="purpose", what="purposes", path=("contract", "purposes")
        ).found(base.purposes, head.purposes)
        yield from Words(kind="use", what="uses", path=("contract", "uses")).found(
            base.uses, head.uses
        )
