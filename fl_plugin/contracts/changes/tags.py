"""Policy tags: permissions and principals select products by them."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair


class TagChanges(Family):
    """Any change may open: a permission matches a tag, a deny stops matching one."""

    name = "tags"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare key by key."""
        before, after = pair.base.contract.tags, pair.head.contract.tags
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) == after.get(key):
                continue
            word = "changed" if key in before and key in after else "added"
            word = word if key in after else "removed"
            yield Found(
                kind=f"tag.{word}",
                verdict="loosened",
                sentence=f"The tag {key} is {word}: permissions that select by tag "
                "may now let others in.",
                paths=(("contract", "tags", key),),
            )
