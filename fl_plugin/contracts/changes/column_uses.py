"""What a single column may be used for, where its contract narrows the product's."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Words


class ColumnUseChanges(Family):
    """A use more opens; a column without a list of its own follows its product."""

    name = "column_uses"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare each column's list."""
        for name in shared_columns(pair):
            before, after = (
                p.columns[name].contract.uses for p in (pair.base, pair.head)
            )
            if before == after:
                continue
            path = ("columns", name, "contract", "uses")
            if before is None or after is None:
                yield _own_list(name, path, narrowed=before is None)
                continue
            yield from Words(
                kind="column_use", what="uses", path=path, column=name
            ).found(before, after)


def _own_list(name: str, path: tuple[str, ...], *, narrowed: bool) -> Found:
    """A list can only narrow: a use must stand in the product's list as well."""
    told = "has its own list of uses" if narrowed else "may be used as the product may"
    return Found(
        kind=f"column_use.{'narrowed' if narrowed else 'freed'}",
        verdict="tightened" if narrowed else "loosened",
        sentence=f"The column {name} {told}.",
        paths=(path,),
        column=name,
    )
