"""How long rows are kept."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Scale


class RetentionChanges(Family):
    """Longer opens; without a word rows are kept for ever."""

    name = "retention"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare `retention_days`."""
        scale = Scale(
            kind="retention",
            what="The days that rows are kept",
            path=("contract", "retention_days"),
            looser="higher",
        )
        base, head = pair.base.contract, pair.head.contract
        yield from scale.found(base.retention_days, head.retention_days)
