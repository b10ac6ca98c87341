"""Step 7: freshness and quality floors."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from fl_plugin.manifest.contract import ProductContract, QualityFloors
from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts, Measured

Floor = Literal["completeness", "validity", "uniqueness", "drift", "tests"]

# How far two clocks of one domain may differ.
SKEW = timedelta(minutes=5)


class QualityRule(Rule):
    """The last build is recent enough and as good as the contract promises.

    A floor without a measurement refuses, whatever the contract says of a broken one
    (`on_breach`). Drift compares with the last approved profile: before a first one is
    approved there is nothing to compare with and the rule passes; from then on a build
    that was not measured refuses. Remedy: the domain builds and measures again, or
    mends its data.
    """

    step = 7
    name = "quality"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Compare what the last build wrote with the floors."""
        product, measured = facts.product, facts.measured
        if product is None or _unknown(product.contract, measured):
            yield Refusal(
                "quality.unknown",
                f"The quality of {facts.request.product} has not been measured.",
                f"Build it: cd domains/{facts.node.domain} && dbt build",
            )
            return
        ask = f"Ask {whom_to_ask(product)} to mend and rebuild it."
        if measured.tests_failed:
            yield Refusal("quality.tests", f"Data tests of {product.name} fail.", ask)
        floors = product.contract.quality
        if _is_blind(floors, measured) and measured.has_baseline:
            yield Refusal(
                "quality.drift_unknown",
                f"The drift of {product.name} since its last build is not known.",
                f"Measure it: fl quality profile {product.name}",
            )
        broken = () if floors.on_breach == "warn" else broken_floors(floors, measured)
        for word in broken:
            yield Refusal(
                f"quality.{word}",
                f"{product.name} misses its floor of {word}.",
                ask,
            )
        yield from _age_refusals(facts, product)

    def says(self, facts: Facts) -> str:
        """Say so, which floor is broken all the same, and whether drift was seen."""
        floors = facts.product.contract.quality if facts.product else QualityFloors()
        broken = broken_floors(floors, facts.measured)
        said = f"{facts.request.product} meets its quality floors."
        if broken:
            said = (
                f"{facts.request.product} misses its floor of {', '.join(broken)}; "
                "its contract only warns of that."
            )
        if _is_blind(floors, facts.measured):
            said += " Drift has not been measured: no profile is approved yet."
        return said


def broken_floors(floors: QualityFloors, measured: Measured) -> tuple[Floor, ...]:
    """Return the floors that a product misses; one that was not measured is missed."""
    pairs: dict[Floor, tuple[float | None, float | None]] = {
        "completeness": (floors.completeness, measured.completeness),
        "validity": (floors.validity, measured.validity),
        "uniqueness": (floors.uniqueness, measured.uniqueness),
    }
    # "not at least", so that a NaN counts as below
    found = [
        word
        for word, (floor, value) in pairs.items()
        if floor is not None and (value is None or not value >= floor)
    ]
    drift, limit = measured.drift_psi, floors.drift_psi
    if limit is not None and drift is not None and not drift <= limit:
        found.append("drift")
    return tuple(found)


def _is_blind(floors: QualityFloors, measured: Measured) -> bool:
    return floors.drift_psi is not None and measured.drift_psi is None


def _unknown(contract: ProductContract, measured: Measured) -> bool:
    floors = contract.quality
    pairs = (
        (floors.completeness, measured.completeness),
        (floors.validity, measured.validity),
        (floors.uniqueness, measured.uniqueness),
        (contract.freshness_hours, measured.built_at),
    )
    wanted = [found for floor, found in pairs if floor is not None]
    if not wanted:
        return False
    return measured.tests_failed is None or any(found is None for found in wanted)


def _age_refusals(facts: Facts, product: Product) -> Iterator[Refusal]:
    built, hours = facts.measured.built_at, product.contract.freshness_hours
    if built is not None and built > facts.now + SKEW:
        yield Refusal(
            "clock.moved_back",
            f"{product.name} was built later than the clock of {product.domain} says.",
            "Set the clock of that machine right, then run the command again.",
        )
    if hours and built is not None and facts.now - built > timedelta(hours=hours):
        yield Refusal(
            "freshness.stale",
            f"{product.name} was last built longer ago than its contract allows.",
            f"Build it: cd domains/{product.domain} && dbt build",
        )
