"""Grants that were asked for, decided, changed or have come to their end."""

from collections.abc import Iterator

from fl_plugin.changes.event import Change, Kind
from fl_plugin.changes.published import Published, PublishedGrant
from fl_plugin.changes.touched import of_grant

_TOLD = {
    "requested": "is asked for",
    "approved": "is approved",
    "rejected": "is rejected",
    "revoked": "is revoked",
}
_KINDS: dict[str, Kind] = {
    "requested": "grant.requested",
    "approved": "grant.approved",
    "rejected": "grant.rejected",
    "revoked": "grant.revoked",
}


def grant_changes(
    before: Published, now: Published, *, first: bool
) -> Iterator[Change]:
    """Yield what is different about the grants.

    Args:
        before: What was published at the last look.
        now: What is published today.
        first: Whether there was no last look: what ended earlier is no news then.
    """
    for name, grant in now.grants.items():
        old = before.grants.get(name)
        yield from _decided(grant, old, now, first=first)
        yield from _ending(grant, old, now)
    for name, grant in before.grants.items():
        if name not in now.grants and grant.live:
            sentence = f"{_name(grant)} is gone, and with it the approval."
            yield _change("grant.revoked", grant, before, sentence)


def _decided(
    grant: PublishedGrant, old: PublishedGrant | None, now: Published, *, first: bool
) -> Iterator[Change]:
    new_status = old is None or old.status != grant.status
    if old is None and grant.stage == "expired":
        return
    if first and grant.status in ("rejected", "revoked"):
        return
    if new_status:
        words = _TOLD[grant.status]
        until = f" until {grant.expires}" if grant.status == "approved" else ""
        sentence = f"{_name(grant)} {words}{until}."
        yield _change(_KINDS[grant.status], grant, now, sentence)
    elif old is not None and old.terms != grant.terms and grant.live:
        sentence = f"{_name(grant)} is approved anew until {grant.expires}."
        yield _change("grant.approved", grant, now, sentence)
    elif old is not None and old.terms != grant.terms and grant.status == "requested":
        sentence = f"{_name(grant)} is asked for in other words than before."
        yield _change("grant.requested", grant, now, sentence)


def _ending(
    grant: PublishedGrant, old: PublishedGrant | None, now: Published
) -> Iterator[Change]:
    if grant.status != "approved" or not grant.stage:
        return
    same_end = old is not None and old.expires == grant.expires
    if same_end and old is not None and old.stage == grant.stage:
        return
    if grant.stage == "expiring":
        sentence = f"{_name(grant)} ends on {grant.expires}."
        yield _change("grant.expiring", grant, now, sentence)
    elif old is not None:
        sentence = f"{_name(grant)} ended on {grant.expires}."
        yield _change("grant.expired", grant, now, sentence)


def _name(grant: PublishedGrant) -> str:
    products = ", ".join(grant.products)
    return f"The grant {grant.name} on {products} for {grant.consumer}"


def _change(
    kind: Kind, grant: PublishedGrant, published: Published, sentence: str
) -> Change:
    domain = grant.products[0].partition(".")[0]
    remedies: dict[Kind, str] = {
        "grant.requested": f"A steward of {domain} decides: fl access list --domain "
        f"{domain}",
        "grant.approved": f"See what it allows: fl plan {grant.study}",
        "grant.rejected": f"See why: fl access explain {grant.study}",
        "grant.expiring": f"Ask for it again before that day: fl access request "
        f"{grant.study}",
        "grant.expired": f"Ask for it again: fl access request {grant.study}",
        "grant.revoked": f"See why: fl access explain {grant.study}",
    }
    return Change(
        kind=kind,
        product=grant.products[0],
        node=grant.nodes[0],
        subject=grant.name,
        sentence=sentence,
        remedy=remedies[kind],
        concerns=_concerns(kind, grant, published),
        consumers=(grant.consumer,),
    )


def _concerns(
    kind: Kind, grant: PublishedGrant, published: Published
) -> tuple[str, ...]:
    stewards = kind in ("grant.requested", "grant.expiring", "grant.expired")
    return of_grant(grant, published, stewards=stewards)
