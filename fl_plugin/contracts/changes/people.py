"""Stewards and owner: who decides, and who answers."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, listed
from fl_plugin.contracts.pairs import Pair


class PeopleChanges(Family):
    """Whoever changes the stewards changes every later decision, so both ways open.

    One steward less is one less who says no.
    """

    name = "people"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare addresses, however they are spelled."""
        yield from _stewards(pair)
        before, after = pair.base.owner, pair.head.owner
        for name in ("name", "email"):
            if getattr(before, name) != getattr(after, name):
                yield Found(
                    kind=f"owner.{name}",
                    verdict="review",
                    sentence=f"The owner's {name} is another one.",
                    paths=(("owner", name),),
                )
        if before.support != after.support:
            yield Found(
                kind="owner.support",
                verdict="safe",
                sentence="Help is to be had elsewhere.",
                paths=(("owner", "support"),),
            )


def _stewards(pair: Pair) -> Iterator[Found]:
    told = [p.owner.stewards for p in (pair.base, pair.head)]
    if told[0] == told[1]:
        return
    before, after = ({s.strip().casefold() for s in people} for people in told)
    path = ("owner", "stewards")
    for word, names in (("added", after - before), ("removed", before - after)):
        if names:
            yield Found(
                kind=f"steward.{word}",
                verdict="loosened",
                sentence=f"Stewards {word}: {listed(names)}.",
                paths=(path,),
            )
    if before == after:
        yield Found(
            kind="steward.respelled",
            verdict="safe",
            sentence="The stewards are the same, in other letters or order.",
            paths=(path,),
        )
