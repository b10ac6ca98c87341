"""Masks: what stands in a column's place where rows are looked at."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair
from fl_plugin.manifest.contract import ColumnContract


class MaskChanges(Family):
    """A mask less, or another one, may show more."""

    name = "mask"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare each column's mask."""
        for name in shared_columns(pair):
            before, after = (
                _mask(p.columns[name].contract) for p in (pair.base, pair.head)
            )
            if before == after:
                continue
            word = "changed" if before and after else "added" if after else "removed"
            yield Found(
                kind=f"mask.{word}",
                verdict="tightened" if word == "added" else "loosened",
                sentence=f"The mask of {name} is {word}.",
                paths=(("columns", name, "contract", "mask"),),
                column=name,
            )


def _mask(contract: ColumnContract) -> str | None:
    found: str | None = getattr(contract, "mask", None)
    return found
