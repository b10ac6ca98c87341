"""Whether a label may be seen by other parties."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair


class LabelChanges(Family):
    """A label that becomes shared leaves its domain in the clear."""

    name = "labels"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare `label_sharing`; without a word a label is protected."""
        for name in shared_columns(pair):
            before, after = (
                p.columns[name].contract.label_sharing for p in (pair.base, pair.head)
            )
            if before == after:
                continue
            opens, closes = after == "shared", before == "shared"
            word = "shared" if opens else "protected" if closes else "restated"
            yield Found(
                kind=f"label.{word}",
                verdict="loosened" if opens else "tightened" if closes else "safe",
                sentence=f"The label {name} is {after or 'protected'}"
                + (": other parties may see it." if opens else "."),
                paths=(("columns", name, "contract", "label_sharing"),),
                column=name,
            )
