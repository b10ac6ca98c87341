"""The smallest cohort that a figure may be about."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Scale


class CohortChanges(Family):
    """A smaller cohort opens; without one of its own the mesh's floor holds."""

    name = "cohort"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare `min_cohort`."""
        scale = Scale(
            kind="cohort",
            what="The smallest cohort",
            path=("contract", "min_cohort"),
            looser="lower",
        )
        base, head = pair.base.contract, pair.head.contract
        yield from scale.found(base.min_cohort, head.min_cohort)
