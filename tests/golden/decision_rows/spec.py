"""How a few lines of specification become rows of the decision table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.golden.decision_facts import LEFT_OUT

# What a row may end with besides a reason code.
YES = "allowed"
WAITS = "at_opening"  # allowed while a plan is made, looked at again at the opening
UNREADABLE = "unreadable"  # not there, so no: the product, the grant, the request

Row = dict[str, Any]
_LATE = {
    "clock.moved_back",
    "freshness.stale",
    "grant.expired",
    "grant.not_yet_valid",
    "grant.too_long",
    "grant.revoked",
    "product.deprecated",
}


def rows(
    at: str,
    answers: Mapping[str, Sequence[Any]],
    given: Mapping[str, Any] | None = None,
) -> Iterator[Row]:
    """Yield a row for each value of a field, under the answer it must get.

    Args:
        at: The field.
        answers: Reason code (or one of the words above) to values.
        given: What else differs from the base, by path; set before the value.
    """
    for answer, values in answers.items():
        for value in values:
            row: Row = {"at": at, "is": value}
            if given:
                row["with"] = dict(given)
            yield row | {"then": answer, "case": _case(value, answer)}


def _case(value: Any, answer: str) -> str:
    if value == LEFT_OUT or value is None:
        return "missing"
    if answer in {YES, WAITS}:
        return "allowed"
    return "expired" if answer in _LATE else "wrong"
