"""Step 9: privacy budget, and no cohort that differs by a few rows from another."""

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

from fl_plugin.manifest.types import Product
from fl_plugin.policy.grants import covering_grant
from fl_plugin.policy.people import cohort_floor, whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts


class BudgetRule(Rule):
    """Budget is left, and this cohort gives no few rows away against an earlier one.

    Two results over cohorts that differ by less than `min_cohort` rows tell about
    just those rows. Remedy: wait for the period's end, ask for less epsilon, or ask
    for a cohort that was used before.
    """

    step = 9
    name = "budget"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look at the budget, then at the distance of cohorts."""
        product = facts.product
        if product is None:
            yield Refusal(
                "budget.missing", "There is no product to spend a budget on.", ""
            )
            return
        yield from _noise_refusals(facts, product)
        yield from _budget_refusals(facts, product)
        distance = facts.cohort_distance
        floor = cohort_floor(product, facts.mesh_min_cohort)
        if distance is not None and distance != 0 and distance < floor:
            yield Refusal(
                "cohort.too_close",
                f"The rows of {product.name} differ too little from those of an "
                "earlier run.",
                f"Wait until more has changed, or ask {whom_to_ask(product)}.",
            )

    def waits(self, facts: Facts) -> bool:
        """Cohorts are compared when the table is open."""
        return facts.rows is None

    def says(self, facts: Facts) -> str:
        """Say what was looked at."""
        if facts.rows is None:
            return "Cohorts are compared when the table is opened."
        return "No earlier cohort is too close, and the budget suffices."


def _noise_refusals(facts: Facts, product: Product) -> Iterator[Refusal]:
    request, remedy = facts.request, "Set `privacy: {epsilon: ...}` in the study."
    if request.epsilon is not None:
        if request.evaluation != 0:
            return
        # Exact figures of a private run: as if they were asked for by themselves.
        request = replace(request, uses=("evaluate",), epsilon=None)
        facts = replace(facts, request=request)
        remedy = "Give `privacy: {evaluation: ...}` a share of the budget in the study."
    dp, grant = product.contract.dp, covering_grant(facts)
    demanded = dp is not None and not set(dp.required_for).isdisjoint(
        (request.purpose, *request.uses)
    )
    if demanded or (grant is not None and grant.epsilon is not None):
        yield Refusal(
            "privacy.dp_required",
            f"{product.name} may be used for this only with differential privacy.",
            remedy,
        )


def _budget_refusals(facts: Facts, product: Product) -> Iterator[Refusal]:
    epsilon, dp = facts.request.epsilon, product.contract.dp
    if epsilon is None:
        return
    ask = f"Ask {whom_to_ask(product)}."
    if dp is None:
        yield Refusal("budget.missing", f"{product.name} has no privacy budget.", ask)
        return
    delta = facts.request.delta
    if delta is None or not 0 < delta <= dp.delta:
        yield Refusal(
            "budget.delta",
            f"{product.name} allows no chance as high as this study's delta that its "
            "epsilon does not hold.",
            f"Set `privacy: {{delta: {dp.delta:g}}}` in the study, or a smaller one.",
        )
    grant = covering_grant(facts)
    granted = grant.epsilon if grant is not None else None
    if granted is None or not epsilon <= granted:
        yield Refusal(
            "budget.not_granted",
            f"The grant on {product.name} does not cover this epsilon.",
            ask,
        )
    spent = facts.epsilon_spent
    sound = isfinite(epsilon) and epsilon > 0 and spent >= 0
    # "not at most", so that a NaN counts as too much
    if not sound or not spent + epsilon <= dp.epsilon:
        yield Refusal(
            "budget.exceeded",
            f"The privacy budget of {product.name} does not cover this epsilon.",
            f"Wait until its period ends, or ask {whom_to_ask(product)}.",
        )
