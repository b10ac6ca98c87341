"""Differential privacy: the budget, what it is for and when it begins anew."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Scale, Words

_BLOCK = ("contract", "dp")


class PrivacyChanges(Family):
    """More epsilon or delta opens, and so does a budget that is renewed earlier.

    A budget where there was none opens too: without one, a request that spends
    epsilon is refused.
    """

    name = "privacy"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the block, then number by number."""
        before, after = pair.base.contract.dp, pair.head.contract.dp
        if before is None or after is None:
            yield from _whole(pair)
            return
        for name, what, looser in (
            ("epsilon", "The privacy budget epsilon", "higher"),
            ("delta", "The privacy budget's delta", "higher"),
            ("period_days", "The days after which the budget is renewed", "lower"),
        ):
            scale = Scale(
                kind=f"dp.{name}",
                what=what,
                path=(*_BLOCK, name),
                looser="higher" if looser == "higher" else "lower",
            )
            yield from scale.found(getattr(before, name), getattr(after, name))
        yield from Words(
            kind="dp.required_for",
            what="what needs differential privacy",
            path=(*_BLOCK, "required_for"),
            added="tightened",
            removed="loosened",
        ).found(before.required_for, after.required_for)
        # One budget for each combination of these: one more makes more budgets.
        yield from Words(
            kind="dp.per", what="a budget of its own per", path=(*_BLOCK, "per")
        ).found(before.per, after.per)


def _whole(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.contract.dp, pair.head.contract.dp
    if before is None and after is None:
        return
    if after is None:
        word, told = "removed", "The privacy budget is gone, and what needed it free."
    else:
        word, told = "added", "There is now a privacy budget to spend."
    required = after is not None and bool(after.required_for)
    yield Found(
        kind=f"dp.{word}",
        verdict="tightened" if required else "loosened",
        sentence=told,
        paths=(_BLOCK,),
    )
