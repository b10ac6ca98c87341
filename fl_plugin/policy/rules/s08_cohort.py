"""Step 8: the row filter, and enough rows left."""

from collections.abc import Iterator

from fl_plugin.policy.people import cohort_floor, whom_to_ask
from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts


class CohortRule(Rule):
    """The filter is one that may run, and it leaves at least `min_cohort` rows.

    How many it leaves is never said: the number would itself be a release. Remedy:
    the domain widens the product's window, or mends its filter.
    """

    step = 8
    name = "cohort"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look at the filter before a row is read, at the rows afterwards."""
        product = facts.product
        ask = whom_to_ask(product) if product else facts.node.domain
        if product is None or not _filter_may_run(facts):
            yield Refusal(
                "filter.not_allowed",
                f"The row filter of {facts.request.product} is not a plain condition "
                "over its own columns.",
                f"Ask {ask} to correct `row_filter` in the contract.",
            )
        floor = cohort_floor(product, facts.mesh_min_cohort)
        if facts.rows is not None and facts.rows < floor:
            yield Refusal(
                "cohort.too_small",
                f"{facts.request.product} has fewer rows for this than its smallest "
                "cohort.",
                f"Ask {ask} whether the product can cover a longer time.",
            )

    def waits(self, facts: Facts) -> bool:
        """Nothing has been opened while a plan is made."""
        return facts.rows is None

    def says(self, facts: Facts) -> str:
        """Say it without a number."""
        if facts.rows is None:
            return "The number of rows is looked at when the table is opened."
        return f"{facts.request.product} has enough rows."


def _filter_may_run(facts: Facts) -> bool:
    if facts.product is None or facts.filter_columns is None:
        return False
    return set(facts.filter_columns) <= set(facts.product.columns)
