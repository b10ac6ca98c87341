"""Approving a grant, and confirming it after its product's policy has changed.

Where restricted columns need more than one steward, each puts a name under the same
words: the first one's approval waits with status "requested" until the last one's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fl_plugin.access.case import Case, words_of
from fl_plugin.access.rules import (
    error_of,
    insist,
    partial_refusals,
    same,
    steward_of,
)
from fl_plugin.access.stage import (
    insist_on_request,
    insist_on_same_end,
    insist_on_stopped,
    stale,
)
from fl_plugin.access.who import who_refusals
from fl_plugin.errors import PolicyError
from fl_plugin.manifest.types import Grant
from fl_plugin.policy.approval import approval_statement
from fl_plugin.policy.rule import Refusal
from fl_plugin.signing.keys import SigningKey


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The steward who speaks.

    Args:
        by: Their address; git's history and, where there is a key, the signature show
            that it was they.
        key: To sign with.
    """

    by: str
    key: SigningKey | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a steward's word has made of a grant.

    Args:
        action: approve | confirm | reject | revoke.
        status: The grant's now.
        needed: How many stewards must approve.
        policy: The fingerprint that was approved.
        before: The one that was approved before, where it is another.
        began_again: Why an earlier approval counts no longer.
        recorded: Whether the domain's ledger, on this machine, keeps a record.
        at_once: Whether it counts without a build.
    """

    action: str
    domain: str
    grant: str
    status: str
    file: str
    by: tuple[str, ...]
    needed: int = 0
    expires: date | None = None
    policy: str = ""
    before: str = ""
    began_again: str = ""
    signed: bool = False
    recorded: bool = False
    at_once: bool = False


def approve(case: Case, voice: Voice, days: int | None = None) -> Decided:
    """Approve a request as it stands, alone or as one of several.

    Args:
        case: Opened on fresh contracts.
        voice: Who approves.
        days: For fewer days than were asked for.

    Raises:
        PolicyError: A rule forbids it.
        UsageError: There is nothing to approve.
        ContractError: The file cannot be edited.
    """
    return _approve("approve", case, voice, days)


def _approve(action: str, case: Case, voice: Voice, days: int | None) -> Decided:
    steward = steward_of(case.product, voice.by)
    insist_on_request(case)
    insist(_refusals(case, steward), case.home.name)
    lapsed = stale(case)
    if case.grant.approved_by and not lapsed:
        insist_on_same_end(case, days)
        begun = case.grant
    else:
        begun = _begun(case, days)
    return _said(action, case, begun, replace(voice, by=steward), lapsed)


def confirm(case: Case, voice: Voice) -> Decided:
    """Approve the policy as it is now, for a grant that stopped with an older one.

    It ends when it would have ended: a confirmation never makes a grant longer.

    Raises:
        PolicyError: A rule forbids it, or the grant has ended.
        UsageError: There is nothing to confirm.
    """
    if case.grant.status == "requested" and case.grant.approved_by:
        return _approve("confirm", case, voice, None)
    steward = steward_of(case.product, voice.by)
    insist_on_stopped(case)
    insist(_refusals(case, steward), case.home.name)
    most = case.product.contract.approval.max_days
    ends = min(case.grant.expires or case.today, case.today + timedelta(days=most))
    begun = replace(
        case.grant,
        approved_by=(),
        decided_at=case.today,
        expires=ends,
        policy=case.policy,
        signatures={},
    )
    return _said("confirm", case, begun, replace(voice, by=steward), "")


def _said(action: str, case: Case, begun: Grant, voice: Voice, lapsed: str) -> Decided:
    """Add a steward's name, and write what has become of the grant."""
    if any(same(voice.by, before) for before in begun.approved_by):
        raise PolicyError(
            f"{voice.by} has approved {begun.name} already; it needs two people.",
            remedy="Ask another steward to look at it.",
            reason="grant.same_person",
            domain=case.home.name,
        )
    by = (*begun.approved_by, voice.by)
    needed = case.terms.needed
    status = "approved" if len(by) >= needed else "requested"
    grant = replace(begun, approved_by=by, status=status)
    grant = _signed(case, grant, voice)
    if status == "approved":
        _insist_on_live(case, grant)
    recorded = case.record(action, voice.by, words_of(grant))
    return Decided(
        action=action,
        domain=case.home.name,
        grant=grant.name,
        status=status,
        file=case.file.shown_path,
        by=by,
        needed=needed,
        expires=grant.expires,
        policy=grant.policy or "",
        before=(case.grant.policy or "") if case.grant.policy != grant.policy else "",
        began_again=lapsed,
        signed=voice.key is not None,
        recorded=recorded,
    )


def _begun(case: Case, days: int | None) -> Grant:
    """Return the approval that the first steward puts a name under."""
    asked, most = case.grant.days or 0, case.product.contract.approval.max_days
    if days is not None and days > min(asked, most):
        raise PolicyError(
            f"{case.grant.name} may run for at most {min(asked, most)} days.",
            remedy=f"So many were asked for ({asked}) and are allowed ({most}).",
            reason="grant.too_long",
            domain=case.home.name,
        )
    return replace(
        case.grant,
        approved_by=(),
        decided_at=case.today,
        expires=case.today + timedelta(days=days or min(asked, most)),
        policy=case.policy,
        signatures={},
    )


def _refusals(case: Case, steward: str) -> Iterator[Refusal]:
    grant, product = case.grant, case.product
    if same(steward, grant.requested_by):
        yield Refusal(
            "grant.approvers",
            f"{steward} asked for {grant.name} and cannot approve it.",
            f"Ask another steward of {product.domain}.",
        )
    if grant.requested_at is not None and grant.requested_at > case.today:
        yield Refusal(
            "grant.not_yet_valid",
            f"The request {grant.name} is dated in the future.",
            "Ask for it again, or set the clock of this machine right.",
        )
    yield from case.terms.refusals()
    yield from who_refusals(grant.consumer, case.terms, case.node, case.now)
    yield from partial_refusals(grant, product)


def _signed(case: Case, grant: Grant, voice: Voice) -> Grant:
    required = "grants" in case.node.require_signatures
    domain = case.home.name
    if voice.key is None:
        if required:
            raise PolicyError(
                f"{domain} asks for a signature under every grant.",
                remedy="Sign with your key: --key FILE",
                reason="grant.unsigned",
                domain=domain,
            )
        return grant
    known = case.node.principals.key_of(voice.by)
    if known != voice.key.public:
        problem = "another key" if known else "no key"
        raise PolicyError(
            f"principals.yml, as {domain} has pinned it, names {problem} for "
            f"{voice.by}.",
            remedy="Have the public half of the key put there, then: "
            f"fl access pin {domain}",
            reason="grant.unsigned",
            domain=domain,
        )
    signature = approval_statement(grant, voice.by).signed_by(voice.key)
    return replace(grant, signatures={**grant.signatures, voice.by: signature})


def _insist_on_live(case: Case, grant: Grant) -> None:
    """Look with the domain's own rules: what they refuse is never written down."""
    changes = {
        "status": grant.status,
        "approved_by": grant.approved_by,
        "decided_at": grant.decided_at,
        "expires": grant.expires,
        "policy": grant.policy,
        "signatures": grant.signatures,
    }
    state = case.state(**changes)
    if not state.live:
        refusal = Refusal(state.reason, state.sentence, state.remedy)
        raise error_of(refusal, case.home.name)
