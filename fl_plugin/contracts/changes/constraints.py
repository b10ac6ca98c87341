"""Constraints and accepted values: what a column may hold."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair


class ConstraintChanges(Family):
    """A constraint more breaks the builds of the domain, one less its readers."""

    name = "constraints"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare nullability, accepted values and dbt's other constraints."""
        for name in shared_columns(pair):
            yield from _nullable(pair, name)
            yield from _accepted(pair, name)
        yield from _others(pair)


def _nullable(pair: Pair, name: str) -> Iterator[Found]:
    before, after = (p.columns[name].nullable for p in (pair.base, pair.head))
    if before == after:
        return
    word = "removed" if after else "added"
    yield Found(
        kind=f"column.not_null_{word}",
        verdict="breaking",
        sentence=f"The column {name} may {'now' if after else 'no longer'} be empty.",
        paths=(("columns", name, "nullable"),),
        column=name,
    )


def _accepted(pair: Pair, name: str) -> Iterator[Found]:
    before, after = (p.columns[name].accepted_values for p in (pair.base, pair.head))
    if before == after:
        return
    # How many there are may be said; which ones may not.
    if before is None or after is None:
        word = "withdrawn" if after is None else "promised"
        told = "no longer promised" if after is None else "promised from now on"
    elif set(after) - set(before):
        word, told = "widened", "more than they were"
    elif set(before) - set(after):
        word, told = "narrowed", "fewer than they were"
    else:
        word, told = "reordered", "the same in another order, which encodings follow"
    yield Found(
        kind=f"values.{word}",
        verdict="review" if word == "reordered" else "breaking",
        sentence=f"The values that {name} may hold are {told}.",
        paths=(("columns", name, "accepted_values"),),
        column=name,
    )


def _others(pair: Pair) -> Iterator[Found]:
    before = pair.behind_base.constraints
    after = pair.behind_head.constraints
    for label in sorted(before.keys() ^ after.keys()):
        word = "removed" if label in before else "added"
        yield Found(
            kind=f"constraint.{word}",
            verdict="breaking",
            sentence=f"The constraint {label.rpartition(' ')[0]} is {word}.",
            paths=(("dbt", "constraints", label),),
        )
