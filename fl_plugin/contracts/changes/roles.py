"""What a column may be in a model."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, shared_columns
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.scales import Words

GUARDING = "protected"  # this role keeps a column out of models


class RoleChanges(Family):
    """A role more opens. The role protected guards, so that one less opens as well."""

    name = "roles"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the roles; deny rules that no longer fit are told there."""
        for name in shared_columns(pair):
            before, after = (
                p.columns[name].contract.roles for p in (pair.base, pair.head)
            )
            guard_gone = GUARDING in before and GUARDING not in after
            yield from Words(
                kind="role",
                what="roles",
                path=("columns", name, "contract", "roles"),
                removed="loosened" if guard_gone else "tightened",
                column=name,
            ).found(before, after)
