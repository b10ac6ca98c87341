"""Rejecting a request, and revoking what was approved."""

from dataclasses import replace

from fl_plugin.access.case import Case, words_of
from fl_plugin.access.deciding import Decided
from fl_plugin.access.record import entry_of
from fl_plugin.access.rules import steward_of
from fl_plugin.errors import UsageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.types import Grant
from fl_plugin.policy.approval import approval_digest

_LONGEST_REASON = 300


def reject(case: Case, by: str, reason: str = "") -> Decided:
    """Say no to a request.

    Args:
        case: The request.
        by: A steward.
        reason: For whoever asked; it becomes a comment in the file.

    Raises:
        PolicyError: It is no steward who says so.
        UsageError: The grant is not waiting for a decision.
    """
    steward = steward_of(case.product, by)
    grant = case.grant
    if grant.status != "requested":
        raise UsageError(
            f"{grant.name} is {grant.status}, and only a request can be rejected.",
            remedy=f"To end it: fl access revoke {case.home.name} {grant.name} "
            f"--by {steward}",
        )
    after = replace(
        grant,
        status="rejected",
        approved_by=(steward,),
        decided_at=max(case.today, grant.requested_at or case.today),
        expires=None,
        policy=None,
        signatures={},
    )
    said = _comment(reason)
    note = f"Rejected: {said}" if said else ""
    recorded = case.record("reject", steward, words_of(after), note)
    return _decided("reject", case, after, steward, recorded=recorded)


def revoke(case: Case, by: str, reason: str = "") -> Decided:
    """End an approved grant: at once where the domain's ledger is on this machine.

    The ledger comes first and holds whatever becomes of the file. It ends the grant as
    the file has it and as the domain's last build has it.

    Raises:
        PolicyError: It is no steward who says so.
        UsageError: There is nothing to end.
    """
    steward = steward_of(case.product, by)
    approvals = [
        grant
        for grant in (case.grant, case.built)
        if grant is not None and grant.status == "approved"
    ]
    if not approvals:
        raise UsageError(
            f"{case.grant.name} is {case.grant.status}: there is nothing to end.",
            remedy=f"To say no to a request: fl access reject {case.home.name} "
            f"{case.grant.name} --by {steward}",
        )
    recorded = _end(case, steward, approvals)
    after = replace(case.grant, status="revoked")
    if case.grant.status == "approved":
        said = _comment(reason)
        note = f"Revoked by {steward} on {case.today}{f': {said}' if said else ''}"
        case.write(words_of(after), note)
    return _decided("revoke", case, after, steward, recorded=recorded)


def _end(case: Case, steward: str, approvals: list[Grant]) -> bool:
    if not case.home.runs_here():
        return False
    ended = set(case.revoked)
    with (
        Ledger.open(case.home.ledger) as ledger,
        ledger.transaction(now=case.now) as transaction,
    ):
        for grant in approvals:
            if approval_digest(grant) in ended:
                continue
            ended.add(approval_digest(grant))
            transaction.append(
                entry_of("revoke", steward, grant, case.product, case.manifest)
            )
    return True


def _decided(
    action: str, case: Case, after: Grant, steward: str, *, recorded: bool
) -> Decided:
    return Decided(
        action=action,
        domain=case.home.name,
        grant=after.name,
        status=after.status,
        file=case.file.shown_path,
        by=(steward,),
        recorded=recorded,
        at_once=recorded and action == "revoke",
    )


def _comment(reason: str) -> str:
    """Return a reason as one line of a comment, which nothing reads but people."""
    line = " ".join(reason.split())[:_LONGEST_REASON]
    return "".join(c if c.isprintable() and c not in "{}" else "?" for c in line)
