"""What people and selectors read: descriptions and dbt's own tags."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair


class WordingChanges(Family):
    """No decision looks at these."""

    name = "wording"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the texts."""
        if pair.base.description != pair.head.description:
            yield Found(
                kind="description.product",
                verdict="safe",
                sentence="The description is another one.",
                paths=(("description",),),
            )
        columns = [
            name
            for name in shared_columns(pair)
            if pair.base.columns[name].description
            != pair.head.columns[name].description
        ]
        for name in columns:
            yield Found(
                kind="description.column",
                verdict="safe",
                sentence=f"The description of {name} is another one.",
                paths=(("columns", name, "description"),),
                column=name,
            )
        if pair.base.tags != pair.head.tags:
            yield Found(
                kind="dbt_tags",
                verdict="safe",
                sentence="dbt's tags are others: they only select in dbt commands.",
                paths=(("tags",),),
            )
