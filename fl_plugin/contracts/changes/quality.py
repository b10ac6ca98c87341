"""Quality floors and freshness: below them a product may not be used."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Scale
from fl_plugin.manifest.contract import QualityFloors


class QualityChanges(Family):
    """A floor that is lowered lets worse data be learned from."""

    name = "quality"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare each floor and the promised age."""
        before, after = pair.base.contract, pair.head.contract
        for name in ("completeness", "validity", "uniqueness", "drift_psi"):
            scale = Scale(
                kind=f"quality.{name}",
                what="The largest drift"
                if name == "drift_psi"
                else f"The floor of {name}",
                path=("contract", "quality", name),
                looser="higher" if name == "drift_psi" else "lower",
            )
            yield from scale.found(
                getattr(before.quality, name), getattr(after.quality, name)
            )
        yield from _on_breach(before.quality, after.quality)
        yield from Scale(
            kind="freshness",
            what="The age up to which data counts as fresh, in hours,",
            path=("contract", "freshness_hours"),
            looser="higher",
        ).found(before.freshness_hours, after.freshness_hours)


def _on_breach(before: QualityFloors, after: QualityFloors) -> Iterator[Found]:
    if before.on_breach == after.on_breach:
        return
    opens = after.on_breach == "warn"
    told = "only warns" if opens else "stops every use"
    yield Found(
        kind=f"quality.on_breach_{after.on_breach}",
        verdict="loosened" if opens else "tightened",
        sentence=f"A broken floor now {told}.",
        paths=(("contract", "quality", "on_breach"),),
    )
