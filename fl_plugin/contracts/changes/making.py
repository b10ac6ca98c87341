"""How a product is made and where it lies: nothing a rule can weigh.

Other SQL may put other things into the same columns. So somebody looks at it.
"""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, listed
from fl_plugin.contracts.pairs import Pair
from fl_plugin.manifest.validation import shown


class MakingChanges(Family):
    """Another database opens: it is another domain's, or nobody's. The rest is read."""

    name = "making"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare SQL, everything behind it, hooks and the relation."""
        yield from _sql(pair)
        yield from _relation(pair)
        if pair.behind_base.hooks != pair.behind_head.hooks:
            yield _said("hooks", "The SQL that runs beside the build is other SQL.")
        if pair.base.materialized != pair.head.materialized:
            after = shown(pair.head.materialized)
            yield _said("materialized", f"dbt now makes it as {after}.", "materialized")
        if pair.base.event_time != pair.head.event_time:
            yield _said("event_time", "Its event time is another one.", "event_time")


def _sql(pair: Pair) -> Iterator[Found]:
    before, after = pair.behind_base.made_from, pair.behind_head.made_from
    changed = [i for i in before.keys() | after.keys() if before.get(i) != after.get(i)]
    if not changed:
        return
    names = {shown(_name(i)) for i in changed}
    yield Found(
        kind="made.otherwise",
        verdict="review",
        sentence=f"It is made otherwise: {listed(names)}.",
        paths=(("dbt", "made_from"),),
    )


def _name(unique_id: str) -> str:
    """Return the model's, seed's or source's name in `model.domain.name.v1`."""
    return ".".join(unique_id.split(".")[2:3]) or unique_id


def _said(word: str, sentence: str, field: str = "") -> Found:
    path = (field,) if field else ("dbt", word)
    return Found(
        kind=f"made.{word}", verdict="review", sentence=sentence, paths=(path,)
    )


def _relation(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.relation, pair.head.relation
    if before.database != after.database and pair.how != "moved":
        yield Found(
            kind="relation.database",
            verdict="loosened",
            sentence="It lies in another database.",
            paths=(("relation", "database"),),
        )
    for name in ("schema", "identifier"):
        if getattr(before, name) != getattr(after, name) and pair.how == "same":
            yield Found(
                kind=f"relation.{name}",
                verdict="review",
                sentence=f"It lies in another {name.replace('identifier', 'table')}.",
                paths=(("relation", name),),
            )
