"""Columns and their types: what whoever reads the table relies on."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, listed, shared_columns
from fl_plugin.contracts.pairs import Pair
from fl_plugin.policy.sql_types import canonical_type, type_name


class SchemaChanges(Family):
    """A column that is gone or of another type breaks; one more does not."""

    name = "schema"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare the columns by name."""
        base, head = pair.base.columns, pair.head.columns
        for name in sorted(base.keys() - head.keys()):
            yield Found(
                kind="column.removed",
                verdict="breaking",
                sentence=f"The column {name} is gone.",
                paths=(("columns", name),),
                column=name,
            )
        for name in sorted(head.keys() - base.keys()):
            yield Found(
                kind="column.added",
                verdict="safe",
                sentence=f"The column {name} is new; no grant covers it yet.",
                paths=(("columns", name),),
                column=name,
            )
        for name in shared_columns(pair):
            yield from _types(pair, name)
        yield from _promise(pair)
        yield from _key(pair)


def _types(pair: Pair, name: str) -> Iterator[Found]:
    before, after = (p.columns[name].data_type for p in (pair.base, pair.head))
    if before == after:
        return
    same = canonical_type(before) == canonical_type(after)
    told = f"goes from {type_name(before)} to {type_name(after)}"
    yield Found(
        kind="column.type_spelled" if same else "column.type",
        verdict="safe" if same else "breaking",
        sentence=f"The type of {name} {'is spelled otherwise' if same else told}.",
        paths=(("columns", name, "data_type"),),
        column=name,
    )


def _promise(pair: Pair) -> Iterator[Found]:
    before, after = (p.contract_enforced for p in (pair.base, pair.head))
    if before and not after:
        yield Found(
            kind="contract.unenforced",
            verdict="breaking",
            sentence="dbt no longer enforces the contract: nothing may rely on it.",
            paths=(("contract_enforced",),),
        )
    if after and not before:
        yield Found(
            kind="contract.enforced",
            verdict="loosened",
            sentence="dbt now enforces the contract: the product becomes usable.",
            paths=(("contract_enforced",),),
        )


def _key(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.key, pair.head.key
    if before == after:
        return
    same = sorted(before) == sorted(after)
    yield Found(
        kind="key.reordered" if same else "key.changed",
        verdict="safe" if same else "breaking",
        sentence=f"What identifies a row is now {listed(after) or 'nothing'}.",
        paths=(("key",),),
    )
