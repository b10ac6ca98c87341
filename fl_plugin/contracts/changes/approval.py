"""How many stewards approve a grant, and for how long."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Scale


class ApprovalChanges(Family):
    """Fewer approvers or more days open."""

    name = "approval"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the three numbers."""
        before, after = pair.base.contract.approval, pair.head.contract.approval
        fewer = "The number of approvers"
        for scale in (
            Scale(
                kind="approval.approvers",
                what=fewer,
                path=("contract", "approval", "approvers"),
                looser="lower",
            ),
            Scale(
                kind="approval.restricted_approvers",
                what=f"{fewer} for restricted columns",
                path=("contract", "approval", "restricted_approvers"),
                looser="lower",
            ),
            Scale(
                kind="approval.max_days",
                what="The longest a grant may run, in days,",
                path=("contract", "approval", "max_days"),
                looser="higher",
            ),
        ):
            name = scale.path[-1]
            yield from scale.found(getattr(before, name), getattr(after, name))
