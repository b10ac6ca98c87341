"""The row filter: which rows anybody may compute on."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair


class RowChanges(Family):
    """Whether one filter leaves fewer rows than another cannot be told from its text.

    So only a filter where there was none counts as tighter. The sentence does not
    repeat the filter: it may hold values.
    """

    name = "rows"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the text."""
        before, after = (p.contract.row_filter for p in (pair.base, pair.head))
        if before == after:
            return
        word = "changed" if before and after else "added" if after else "removed"
        told = {
            "added": "Rows are now filtered.",
            "removed": "Rows are no longer filtered: every row may be computed on.",
            "changed": "The row filter is another one; it may leave other rows.",
        }
        yield Found(
            kind=f"row_filter.{word}",
            verdict="tightened" if word == "added" else "loosened",
            sentence=told[word],
            paths=(("contract", "row_filter"),),
        )
