"""Allow and deny rules: who may ask, and who may never have what.

Rules are compared by what they mean. A rule counts as new unless one old rule covers
it, or old rules cover each of its purposes with all of its uses; this errs towards
"loosened", never the other way.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product as combinations

from fl_plugin.contracts.change import Family, Found, listed
from fl_plugin.contracts.pairs import Pair
from fl_plugin.contracts.verdict import Verdict
from fl_plugin.manifest.contract import AllowRule, ColumnSelector, DenyRule
from fl_plugin.manifest.types import Product
from fl_plugin.policy.selection import CLASSES, selected

MOST_COMBINATIONS = 4096  # of purposes and uses in one deny rule
_ALLOW, _DENY = ("contract", "allow"), ("contract", "deny")


class ConsumerChanges(Family):
    """Who may ask now, and what is denied no longer."""

    name = "consumers"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare allow rules, deny rules, and which columns the deny rules reach."""
        yield from _allow(pair.base.contract.allow, pair.head.contract.allow)
        yield from _deny(pair)


def _allow(
    before: tuple[AllowRule, ...], after: tuple[AllowRule, ...]
) -> Iterator[Found]:
    if before == after:
        return
    opened = [r for r in after if not _is_allowed(r, before)]
    closed = [r for r in before if not _is_allowed(r, after)]
    for rule in opened:
        yield _said("consumer.allowed", "loosened", f"May now ask: {_who(rule)}.")
    for rule in closed:
        told = f"May no longer ask as before: {_who(rule)}."
        yield _said("consumer.no_longer_allowed", "tightened", told)
    if not opened and not closed:
        told = "The allow rules say the same in other words."
        yield _said("consumer.allow_reworded", "safe", told)


def _said(
    kind: str, verdict: Verdict, sentence: str, paths: tuple[tuple[str, ...], ...] = ()
) -> Found:
    paths = paths or (_ALLOW,)
    return Found(kind=kind, verdict=verdict, sentence=sentence, paths=paths)


def _who(rule: AllowRule | DenyRule) -> str:
    who = "; ".join(
        f"{key} {listed(rule.consumer[key])}" for key in sorted(rule.consumer)
    )
    purposes, uses = listed(rule.purposes), listed(rule.uses)
    parts = [who or "everybody"]
    parts += [f"for {purposes}"] if purposes else []
    parts += [f"to {uses}"] if uses else []
    return ", ".join(parts)


def _is_allowed(rule: AllowRule, rules: Iterable[AllowRule]) -> bool:
    wide = [r for r in rules if _is_wider(r.consumer, rule.consumer)]
    if any(_covers(r, rule.purposes, rule.uses) for r in wide):
        return True
    # A request has one purpose but may have several uses: all in one rule.
    return all(
        any(_covers(r, (purpose,), rule.uses) for r in wide)
        for purpose in rule.purposes
    )


def _covers(rule: AllowRule, purposes: Iterable[str], uses: Iterable[str]) -> bool:
    return set(purposes) <= set(rule.purposes) and set(uses) <= set(rule.uses)


def _is_wider(
    wide: Mapping[str, tuple[str, ...]], narrow: Mapping[str, tuple[str, ...]]
) -> bool:
    """Return whether whoever fits the narrow condition fits the wide one."""
    return all(
        key in narrow and set(narrow[key]) <= set(values)
        for key, values in wide.items()
    )


def _deny(pair: Pair) -> Iterator[Found]:
    before, after = pair.base.contract.deny, pair.head.contract.deny
    freed = [
        (rule, column)
        for rule in before
        for column in _freed(rule, pair.base, pair.head)
    ]
    for rule, column in freed:
        what = f"the column {column}" if column else "the product"
        yield Found(
            kind="consumer.no_longer_denied",
            verdict="loosened",
            sentence=f"No longer denied {what}: {_who(rule)}.",
            paths=(_DENY,),
            column=column,
        )
    caught = [r for r in after for _ in _freed(r, pair.head, pair.base)]
    if caught:
        told = f"Denied from now on: {_who(caught[0])}."
        yield _said("consumer.denied", "tightened", told, (_DENY,))
    if before != after and not freed and not caught:
        told = "The deny rules say the same in other words."
        yield _said("consumer.deny_reworded", "safe", told, (_DENY,))


def _freed(rule: DenyRule, before: Product, after: Product) -> list[str]:
    """Return the columns that a rule denies before and none denies after.

    "" stands for whatever column comes next, or for the whole product.
    """
    rules = after.contract.deny
    free = [
        column
        for column in (selected(rule.columns, before) if rule.columns else ())
        if column in after.columns
        and not _is_denied(rule, [r for r in rules if _reaches(r, column, after)])
    ]
    if free:
        return free
    lines = _lines(rule.columns) if rule.columns else {None}
    covered = all(
        _is_denied(rule, [r for r in rules if _holds(r, line)]) for line in lines
    )
    return [] if covered else [""]


def _is_denied(rule: DenyRule, rules: Iterable[DenyRule]) -> bool:
    """Return whether some rules together deny all that one rule denies."""
    wide = [r for r in rules if _is_wider(r.consumer, rule.consumer)]
    if len(rule.purposes) * len(rule.uses) > MOST_COMBINATIONS:
        return rule in wide
    return all(
        any(_matches(r, purpose, use) for r in wide)
        for purpose, use in combinations(rule.purposes or (None,), rule.uses or (None,))
    )


def _matches(rule: DenyRule, purpose: str | None, use: str | None) -> bool:
    """A list that is empty matches everything; None asks for just that."""
    return (not rule.purposes or purpose in rule.purposes) and (
        not rule.uses or use in rule.uses
    )


def _reaches(rule: DenyRule, column: str, product: Product) -> bool:
    return rule.columns is None or column in selected(rule.columns, product)


def _holds(rule: DenyRule, line: tuple[str, str] | None) -> bool:
    if rule.columns is None or line is None:
        return rule.columns is None
    kind, word = line
    if kind == "classification":  # a class stands for every more guarded one as well
        least = min(
            map(CLASSES.index, rule.columns.classification), default=len(CLASSES)
        )
        return least <= CLASSES.index(word)
    return line in _lines(rule.columns)


def _lines(selector: ColumnSelector) -> set[tuple[str, str] | None]:
    """Return what a selector is made of: any one of it selects."""
    return {
        (name, word)
        for name in ColumnSelector.model_fields
        for word in getattr(selector, name)
    }
