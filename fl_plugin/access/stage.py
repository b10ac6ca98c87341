"""Whether a grant is at the stage that a steward's word is about."""

from datetime import timedelta

from fl_plugin.access.case import Case
from fl_plugin.errors import UsageError
from fl_plugin.policy.approval import unsigned_by


def insist_on_request(case: Case) -> None:
    """Go on only with a request that waits.

    Raises:
        UsageError: It has been decided; the remedy says what can be done.
    """
    grant = case.grant
    if grant.status == "requested":
        return
    where = f"{case.home.name} {grant.name}"
    state = case.state()
    if state.live:
        raise UsageError(
            f"{grant.name} is approved until {grant.expires}.",
            remedy="There is nothing to do; for a longer one: fl access request "
            f"{grant.study} --renew --by ADDRESS",
        )
    if grant.status == "approved" and state.reason == "grant.policy_changed":
        raise UsageError(
            f"{grant.name} was approved for another policy.",
            remedy=f"Look at the new one: fl access confirm {where} --by STEWARD",
        )
    raise UsageError(
        f"{grant.name} is not waiting for a decision: {state.words}.",
        remedy=f"A new request is needed: fl access request {grant.study} --by ADDRESS",
    )


def insist_on_stopped(case: Case) -> None:
    """Go on only with an approved grant that has stopped and not ended.

    Raises:
        UsageError: It is another; the remedy says what can be done.
    """
    grant, state = case.grant, case.state()
    if grant.status != "approved":
        raise UsageError(
            f"{grant.name} is {grant.status}: there is nothing to confirm.",
            remedy=f"See what it needs: fl access list --domain {case.home.name}",
        )
    if state.live:
        raise UsageError(
            f"{grant.name} holds until {grant.expires}: there is nothing to confirm.",
            remedy="A grant is confirmed after its product's policy has changed.",
        )
    if state.reason in ("grant.revoked", "grant.expired"):
        raise UsageError(
            f"{grant.name} has ended and cannot be confirmed: {state.words}.",
            remedy="A new request is needed: fl access request "
            f"{grant.study} --by ADDRESS",
        )


def insist_on_same_end(case: Case, days: int | None) -> None:
    """Go on only if a second steward approves what the first one did.

    Raises:
        UsageError: Other days are named.
    """
    at, expires = case.grant.decided_at, case.grant.expires
    if days is None or at is None or expires == at + timedelta(days=days):
        return
    raise UsageError(
        f"The first steward approved {case.grant.name} until {expires}.",
        remedy="Leave --days out: both approve the same words. Or reject it.",
    )


def stale(case: Case) -> str:
    """Say why approvals that the request carries count no longer."""
    grant = case.grant
    if not grant.approved_by:
        return ""
    if grant.policy != case.policy:
        return "the policy has changed since"
    if not grant.decided_at or not grant.expires or grant.expires <= case.today:
        return "it has run out"
    if "grants" in case.node.require_signatures and unsigned_by(grant, case.node):
        return "its signature does not hold"
    return ""
