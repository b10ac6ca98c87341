"""Classification and personal data: how guarded a product and its columns are."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.flat import Path
from fl_plugin.contracts.pairs import Pair
from fl_plugin.policy.selection import CLASSES


class SensitivityChanges(Family):
    """A lower class opens, and so does a kind of personal data that is not named."""

    name = "sensitivity"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the product's class, then each column's own and its kind of pii."""
        before, after = (p.contract.classification for p in (pair.base, pair.head))
        path: Path = ("contract", "classification")
        if before != after:
            yield _level("the product", before, after, path, "")
        for name in shared_columns(pair):
            yield from _column(pair, name)
            yield from _pii(pair, name)


def _column(pair: Pair, name: str) -> Iterator[Found]:
    own = [p.columns[name].contract.classification for p in (pair.base, pair.head)]
    if own[0] == own[1]:
        return  # it may follow the product's, which is said there
    before, after = (
        level or p.contract.classification
        for level, p in zip(own, (pair.base, pair.head), strict=True)
    )
    path = ("columns", name, "contract", "classification")
    if before != after:
        yield _level(name, before, after, path, name)
        return
    yield Found(
        kind="classification.restated",
        verdict="safe",
        sentence=f"The class of {name} stays {after}; it is only said elsewhere.",
        paths=(path,),
        column=name,
    )


def _level(what: str, before: str, after: str, path: Path, column: str) -> Found:
    lower = CLASSES.index(after) < CLASSES.index(before)
    return Found(
        kind=f"classification.{'lowered' if lower else 'raised'}",
        verdict="loosened" if lower else "tightened",
        sentence=f"The class of {what} goes from {before} to {after}.",
        paths=(path,),
        column=column,
    )


def _pii(pair: Pair, name: str) -> Iterator[Found]:
    before, after = (p.columns[name].contract.pii for p in (pair.base, pair.head))
    if before == after:
        return
    word = "added" if before is None else "changed" if after else "removed"
    yield Found(
        kind=f"pii.{word}",
        verdict="tightened" if before is None else "loosened",
        sentence=f"{name}, personal data: {before or 'none'}, now {after or 'none'}.",
        paths=(("columns", name, "contract", "pii"),),
        column=name,
    )
