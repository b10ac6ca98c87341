"""Step 6: the algorithm, its parameters and how sums are protected."""

from collections.abc import Iterator, Mapping
from typing import Literal

from fl_plugin.policy.rule import Refusal, Rule
from fl_plugin.policy.types import Facts, Request
from fl_plugin.privacy.terms import TWO_PARTIES

# With two parties the other one's part is the sum less one's own.
FEWEST_PARTIES = 3
TWO = 2


class AlgorithmRule(Rule):
    """A named algorithm within the domain's own ranges; never code.

    Sums are masked over at least three parties, unless the node's settings make
    masks optional. A parameter that is not sent has the domain's own default. A query
    runs no algorithm and is asked for by itself: what was granted for reading rows
    opens no training, nor the other way about.
    Remedy: choose a listed algorithm and range, or ask the domain to list it.
    """

    step = 6
    name = "algorithm"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Look the name up, then each parameter, then the protection."""
        request, node = facts.request, facts.node
        if "query" in request.uses:
            yield from _query_refusals(request)
            return
        ranges = node.algorithms.get(request.algorithm)
        ask = f"Ask {node.domain} to list it in its node.yml."
        if ranges is None:
            yield Refusal(
                "algorithm.not_allowed",
                f"{node.domain} does not run the algorithm {request.algorithm}.",
                ask,
            )
            return
        for name, value in sorted(request.parameters.items()):
            if not _covers(ranges, name, value):
                yield Refusal(
                    "parameter.out_of_range",
                    f"{node.domain} does not run {request.algorithm} with this {name}.",
                    ask,
                )
        yield from _privacy_refusals(facts)

    def says(self, facts: Facts) -> str:
        """Name the algorithm, if there is one."""
        if "query" in facts.request.uses:
            return "A query runs no algorithm."
        return f"{facts.node.domain} runs {facts.request.algorithm} in this range."


def _query_refusals(request: Request) -> Iterator[Refusal]:
    if request.uses != ("query",) or request.algorithm or request.parameters:
        yield Refusal(
            "algorithm.not_allowed",
            "A query runs no algorithm and has no other use beside it.",
            "Ask for the query and for the algorithm separately.",
        )


def _covers(
    ranges: Literal["any"] | Mapping[str, tuple[float | str, ...]],
    name: str,
    value: object,
) -> bool:
    """Return whether a parameter, and all that a search tries of it, is allowed."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(
            not isinstance(v, (list, tuple)) and _covers(ranges, name, v) for v in value
        )
    if ranges == "any":
        return isinstance(value, (bool, int, float, str)) and value == value  # noqa: PLR0124 not NaN
    return name in ranges and _within(value, ranges[name])


def _within(value: object, limits: tuple[float | str, ...]) -> bool:
    if isinstance(value, (bool, str)):
        return any(type(word) is type(value) and word == value for word in limits)
    low, high = limits[0], limits[-1]
    if isinstance(low, (bool, str)) or isinstance(high, (bool, str)):
        return False
    return isinstance(value, (int, float)) and low <= value <= high


def _privacy_refusals(facts: Facts) -> Iterator[Refusal]:
    domain = facts.node.domain
    if facts.request.match:
        yield from _vertical_refusals(facts)
    elif facts.request.secure_aggregation:
        fewest = TWO if facts.node.two_parties == TWO_PARTIES else FEWEST_PARTIES
        if facts.request.parties < fewest:
            yield Refusal(
                "privacy.too_few_parties",
                f"{domain} adds its part only to a sum over {fewest} or more.",
                "Add a domain to the study.",
            )
    elif facts.node.secure_aggregation != "optional":
        yield Refusal(
            "privacy.masks_required",
            f"{domain} gives its sums only under secure aggregation.",
            "Set `privacy: {secure_aggregation: true}` in the study.",
        )


def _vertical_refusals(facts: Facts) -> Iterator[Refusal]:
    """No sums over domains are sent; what domains say to each other is sealed."""
    domain, request = facts.node.domain, facts.request
    if request.parties < TWO:
        yield Refusal(
            "privacy.too_few_parties",
            f"{domain} matches its rows only with those of another domain.",
            "Add a domain to the study.",
        )
    if not request.secure_aggregation:
        yield Refusal(
            "privacy.masks_required",
            f"{domain} speaks to other domains only in sealed messages.",
            "Set `privacy: {secure_aggregation: true}` in the study.",
        )
