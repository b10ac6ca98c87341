"""Which of a domain's grants answers a request, and why another one does not."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from fl_plugin.manifest.types import Grant, Product
from fl_plugin.policy.approval import approval_digest, unsigned_by
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.people import is_restricted, whom_to_ask
from fl_plugin.policy.rule import Refusal
from fl_plugin.policy.types import Facts, Request


def asked_for(facts: Facts, product: Product) -> list[Grant]:
    """Return the grants about this product, study and consumer, the newest first."""
    request = facts.request
    found = [
        grant
        for grant in facts.grants
        if grant.domain == product.domain
        and product.name in grant.products
        and (not grant.product_ids or product.unique_id in grant.product_ids)
        and grant.study == request.study
        and grant.consumer == request.consumer
    ]
    return sorted(found, key=_newest, reverse=True)


@dataclass
class _Newest(threading.local):
    """What this thread worked out last: one decision asks for it half a dozen times."""

    facts: Facts | None = None
    product: Product | None = None
    live: tuple[Grant, ...] = ()


_NEWEST = _Newest()


def live_grants(facts: Facts, product: Product) -> tuple[Grant, ...]:
    """Return the approved, unexpired grants whose policy is the current one."""
    if _NEWEST.facts is not facts or _NEWEST.product is not product:
        live = tuple(
            grant
            for grant in asked_for(facts, product)
            if next(grant_refusals(grant, facts, product), None) is None
        )
        _NEWEST.facts, _NEWEST.product, _NEWEST.live = facts, product, live
    return _NEWEST.live


def covering_grant(facts: Facts) -> Grant | None:
    """Return the live grant that covers purpose, uses and columns alone.

    Two grants are never added up: each was approved as it stands. Of several, the
    newest that carries the request's epsilon as well; else the newest.
    """
    if facts.product is None:
        return None
    live = live_grants(facts, facts.product)
    covering = [grant for grant in live if covers(grant, facts.request)]
    carrying = (g for g in covering if _carries_epsilon(g, facts.request))
    return next(carrying, covering[0] if covering else None)


def covers(grant: Grant, request: Request) -> bool:
    """Return whether one grant alone covers purpose, uses and columns."""
    return (
        grant.purpose == request.purpose
        and set(request.uses) <= set(grant.uses)
        and set(request.columns) <= set(grant.columns)
    )


def _carries_epsilon(grant: Grant, request: Request) -> bool:
    if grant.epsilon is None or request.epsilon is None:
        return grant.epsilon is request.epsilon
    return request.epsilon <= grant.epsilon


def grant_refusals(grant: Grant, facts: Facts, product: Product) -> Iterator[Refusal]:
    """Yield why a grant is not live."""
    today = facts.now.astimezone(UTC).date()
    name, ask = f"The grant {grant.name}", whom_to_ask(product)
    if grant.status != "approved":
        yield Refusal(
            "grant.not_approved",
            f"{name} on {product.name} is {grant.status}, not approved.",
            f"Ask {ask} for a decision.",
        )
    if approval_digest(grant) in facts.revoked:
        yield Refusal(
            "grant.revoked",
            f"{name} on {product.name} was revoked, and {facts.node.domain} has it on "
            "record.",
            f"Ask {ask}; a new request is needed.",
        )
    if grant.expires is None or grant.expires <= today:
        yield Refusal(
            "grant.expired",
            f"{name} on {product.name} has expired.",
            f"Ask {ask} to renew it.",
        )
    if not _current(grant, facts, product):
        yield Refusal(
            "grant.policy_changed",
            f"{name} approved another policy of {product.name} than the current one.",
            f"Ask {ask} to look at the new policy and confirm the grant.",
        )
    yield from _approval_refusals(grant, product, today)
    yield from _signature_refusals(grant, facts, product)


def _signature_refusals(
    grant: Grant, facts: Facts, product: Product
) -> Iterator[Refusal]:
    if "grants" not in facts.node.require_signatures:
        return
    for address in unsigned_by(grant, facts.node):
        yield Refusal(
            "grant.unsigned",
            f"The grant {grant.name} on {product.name} lacks the valid signature of "
            f"{address}.",
            f"Ask {whom_to_ask(product)}: whoever approves signs, with the key that "
            "principals.yml names.",
        )


def _current(grant: Grant, facts: Facts, product: Product) -> bool:
    """Compare with the fingerprint as told and as computed here: both must agree."""
    return grant.policy == facts.policy_fingerprint == policy_fingerprint(product)


def _approval_refusals(
    grant: Grant, product: Product, today: date
) -> Iterator[Refusal]:
    approval, ask = product.contract.approval, whom_to_ask(product)
    problem = _approvers_problem(grant, product)
    if problem:
        yield Refusal(
            "grant.approvers",
            f"The grant {grant.name} on {product.name} {problem}.",
            f"Ask {ask}: stewards of {product.domain} approve, not the requester.",
        )
    decided = grant.decided_at
    if decided is None or decided > today:
        yield Refusal(
            "grant.not_yet_valid",
            f"The grant {grant.name} on {product.name} has no date of decision, or one "
            "in the future.",
            f"Ask {ask} to correct the date of the decision.",
        )
    longest = (decided or today) + timedelta(days=approval.max_days)
    if grant.expires is None or grant.expires > longest:
        yield Refusal(
            "grant.too_long",
            f"The grant {grant.name} on {product.name} runs longer than the contract's "
            "max_days.",
            f"Ask {ask} for a shorter one.",
        )


def _approvers_problem(grant: Grant, product: Product) -> str:
    approvers = {_person(p) for p in grant.approved_by}
    stewards = {_person(p) for p in product.owner.stewards}
    approval = product.contract.approval
    restricted = any(is_restricted(product, column) for column in grant.columns)
    needed = approval.restricted_approvers if restricted else approval.approvers
    if _person(grant.requested_by) in approvers:
        return "is approved by the person who asked for it"
    if not approvers <= stewards:
        return f"is approved by someone who is no steward of {product.domain}"
    if len(approvers) < needed:
        return f"needs {needed} approvers" + (
            ", since it names a restricted column" if restricted else ""
        )
    return ""


def _person(address: str) -> str:
    return address.strip().casefold()


def _newest(grant: Grant) -> tuple[date, str]:
    return (grant.decided_at or grant.requested_at or date.min, grant.name)
