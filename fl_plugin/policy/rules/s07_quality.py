"""Step 7: freshness and quality floors."""

from collections.abc import Iterator
from datetime import timedelta

from fl_plugin.manifest.contract import ProductContract
from fl_plugin.manifest.types import Product
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts, Measured

# How far two clocks of one domain may differ.
SKEW = timedelta(minutes=5)


class QualityRule(Rule):
    """The last build is recent enough and as good as the contract promises.

    A floor without a measurement refuses. The drift index alone may be missing: it
    compares with the last approved profile, and the first build has none. Remedy:
    the domain builds again, or mends its data.
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
        for word in _below_floor(product.contract, measured):
            yield Refusal(
                f"quality.{word}",
                f"{product.name} misses its floor of {word}.",
                ask,
            )
        yield from _age_refusals(facts, product)

    def says(self, facts: Facts) -> str:
        """Say so, and whether drift was looked at."""
        floors = facts.product.contract.quality if facts.product else None
        blind = floors and floors.drift_psi and facts.measured.drift_psi is None
        drift = " Drift has not been measured." if blind else ""
        return f"{facts.request.product} meets its quality floors.{drift}"


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


def _below_floor(contract: ProductContract, measured: Measured) -> Iterator[str]:
    floors = contract.quality
    pairs = {
        "completeness": (floors.completeness, measured.completeness),
        "validity": (floors.validity, measured.validity),
        "uniqueness": (floors.uniqueness, measured.uniqueness),
    }
    for word, (floor, found) in pairs.items():
        # "not at least", so that a NaN counts as below
        if floor is not None and (found is None or not found >= floor):
            yield word
    drift = measured.drift_psi
    limit = floors.drift_psi
    if limit is not None and drift is not None and not drift <= limit:
        yield "drift"


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
