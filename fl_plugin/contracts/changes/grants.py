"""Grants: each is checked again, against the stewards of both sides.

A grant is no part of its product's contract, so no approval of a loosening covers it:
what stewards have not decided anew, they have not decided.
"""

from collections.abc import Iterator

from fl_plugin.catalog.grant_state import state_of
from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Comparison
from fl_plugin.contracts.side import Side
from fl_plugin.manifest.types import Grant

_SETS = ("uses", "columns")


class GrantChanges(Family):
    """A grant that is wider than what was decided opens; one that ends closes."""

    name = "grants"

    def of_mesh(self, both: Comparison) -> Iterator[Found]:
        """Compare grant by grant."""
        before, after = (
            {n: g for n, g in side.manifest.grants.items() if both.covers(g.domain)}
            for side in (both.base, both.head)
        )
        for name in sorted(before.keys() - after.keys()):
            yield _ended(before[name], "removed")
        for name in sorted(after.keys()):
            was, now = before.get(name), after[name]
            if was == now:
                continue
            if now.status == "approved":
                yield _allowed(was, now, both)
            elif was is not None and was.status == "approved":
                yield _ended(was, now.status)
            else:
                yield _idle(now)


def _about(grant: Grant) -> str:
    return ", ".join(grant.products)


def _ended(grant: Grant, word: str) -> Found:
    if grant.status != "approved":
        return _idle(grant, word)
    return Found(
        kind=f"grant.{word}",
        verdict="tightened",
        sentence=f"The grant {grant.name} is {word}: it allows nothing any more.",
        product=_about(grant),
        stops=(f"{grant.domain}.{grant.name}",),
    )


def _idle(grant: Grant, word: str = "") -> Found:
    word = word or grant.status
    return Found(
        kind=f"grant.{word}",
        verdict="safe",
        sentence=f"The grant {grant.name} is {word}; it allows nothing.",
        product=_about(grant),
    )


def _allowed(was: Grant | None, now: Grant, both: Comparison) -> Found:
    word, opens, told = _compared(was, now)
    problem = _problem(now, both)
    if opens and problem:
        word, told = "unfounded", f"is approved, but {problem}"
    if opens and not problem and _decided_anew(was, now):
        opens = False  # by stewards of both sides, checked again: a person reads it
    closes = word == "narrowed"
    return Found(
        kind=f"grant.{word}",
        verdict="loosened" if opens else "tightened" if closes else "review",
        sentence=f"The grant {now.name} {told}.",
        product=_about(now),
    )


def _compared(was: Grant | None, now: Grant) -> tuple[str, bool, str]:
    """Return a code, whether it allows more than before, and the words for it."""
    if was is None or was.status != "approved":
        return "approved", True, "is approved now"
    wider = [w for w in _SETS if set(getattr(now, w)) - set(getattr(was, w))]
    wider += [
        word
        for word in ("products", "product_ids", "study", "consumer", "purpose")
        if getattr(was, word) != getattr(now, word)
    ]
    wider += ["epsilon"] * ((now.epsilon or 0) > (was.epsilon or 0))
    wider += ["expires"] * (now.expires is None or _later(was, now))
    # Without an epsilon no noise was asked for.
    wider += ["epsilon"] * (was.epsilon is not None and now.epsilon is None)
    if wider:
        return "widened", True, f"allows more than before: {', '.join(wider)}"
    if any(set(getattr(was, w)) - set(getattr(now, w)) for w in _SETS) or (
        now.expires != was.expires
    ):
        return "narrowed", False, "allows less than before"
    if was.policy != now.policy:
        return "confirmed", True, "is confirmed for another policy"
    return "edited", True, "names another request or other approvers"


def _later(was: Grant, now: Grant) -> bool:
    return was.expires is not None and (
        now.expires is None or now.expires > was.expires
    )


def _decided_anew(was: Grant | None, now: Grant) -> bool:
    if was is None or was.status != "approved":
        asked = was is None or was.status == "requested"
        return asked or (was is not None and was.decided_at != now.decided_at)
    before = (was.decided_at, was.approved_by, was.policy, dict(was.signatures))
    return before != (now.decided_at, now.approved_by, now.policy, dict(now.signatures))


def _problem(grant: Grant, both: Comparison) -> str:
    """Return why the decision does not hold on the head, or not on the base."""
    found = {p.unique_id: p for p in both.head.products}
    products = [found[i] for i in grant.product_ids if i in found]
    if len(products) < len(grant.product_ids) or not products:
        return "its product is not there"
    for product in products:
        state = state_of(grant, product, both.now)
        if not state.live:
            return f"it does not hold: {state.words}"
    stewards = _stewards(both.base, grant.domain)
    new = [a for a in grant.approved_by if a.strip().casefold() not in stewards]
    if stewards and new:
        return "by somebody who becomes a steward with this very change"
    return ""


def _stewards(side: Side, domain: str) -> set[str]:
    return {
        steward.strip().casefold()
        for product in side.products
        if product.domain == domain
        for steward in product.owner.stewards
    }
