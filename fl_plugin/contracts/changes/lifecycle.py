"""Status, access, deprecation and version: whether a product can be used at all."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair

ACCESS = ("private", "protected", "public")


class LifecycleChanges(Family):
    """What becomes usable opens, what stops being usable closes."""

    name = "lifecycle"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare each of the four."""
        yield from _status(pair)
        yield from _access(pair)
        yield from _date(pair)
        yield from _latest(pair)


def _status(pair: Pair) -> Iterator[Found]:
    before, after = (p.contract.status for p in (pair.base, pair.head))
    if before == after:
        return
    opens, closes = after == "active", before == "active"
    word = "opened" if opens else "closed" if closes else "changed"
    yield Found(
        kind=f"status.{word}",
        verdict="loosened" if opens else "tightened" if closes else "safe",
        sentence=f"The status goes from {before} to {after}.",
        paths=(("contract", "status"),),
    )


def _access(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.access, pair.head.access
    if before == after:
        return
    known = before in ACCESS and after in ACCESS
    narrower = known and ACCESS.index(after) < ACCESS.index(before)
    yield Found(
        kind=f"access.{'narrowed' if narrower else 'widened'}",
        verdict="tightened" if narrower else "loosened",
        sentence=f"dbt's access goes from {before or 'none'} to {after or 'none'}.",
        paths=(("access",),),
    )


def _date(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.deprecation_date, pair.head.deprecation_date
    if before == after:
        return
    if after is None or (before is not None and after > before):
        word, opens = "postponed" if after else "lifted", True
    else:
        word, opens = "set" if before is None else "advanced", False
    yield Found(
        kind=f"deprecation.{word}",
        verdict="loosened" if opens else "tightened",
        sentence=f"The last day of this version is {word}.",
        paths=(("deprecation_date",),),
    )


def _latest(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.latest_version, pair.head.latest_version
    if before == after or pair.how in {"versioned", "moved", "copied"}:
        return
    yield Found(
        kind="version.latest",
        verdict="review",
        sentence=f"Who names no version now gets v{after}; a grant must name it anew.",
        paths=(("latest_version",),),
    )
