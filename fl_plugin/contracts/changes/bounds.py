"""Bounds: what is clipped before anything is computed."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair


class BoundChanges(Family):
    """Wider bounds let one row weigh more. The numbers are not told."""

    name = "bounds"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare low and high of each column."""
        for name in shared_columns(pair):
            before, after = (
                p.columns[name].contract.bounds for p in (pair.base, pair.head)
            )
            if before == after:
                continue
            word, opens = _compared(before, after)
            yield Found(
                kind=f"bounds.{word}",
                verdict="loosened" if opens else "tightened",
                sentence=f"The bounds of {name} are {word}.",
                paths=(("columns", name, "contract", "bounds"),),
                column=name,
            )


def _compared(
    before: tuple[float, float] | None, after: tuple[float, float] | None
) -> tuple[str, bool]:
    if before is None or after is None:
        return ("removed", True) if after is None else ("added", False)
    wider = after[0] < before[0] or after[1] > before[1]
    return ("widened", True) if wider else ("narrowed", False)
