"""What a party does for one message of an open run, and answers.

Before anything leaves, the domain decides again, and the answer is on record.
"""

import hashlib
from dataclasses import replace
from typing import Any

from fl_plugin.discovery import discover
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.ledger.record import Head
from fl_plugin.messages import Ask, Reply, encode
from fl_plugin.party.account import Account
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.entries import bucket, of_session
from fl_plugin.party.masking import STAGES, mask_stage
from fl_plugin.party.opening import agree
from fl_plugin.party.private import check_kind, released
from fl_plugin.party.session import Session
from fl_plugin.plan.wire import read_features

KINDS = discover("fl_plugin.party.kinds", Kind)


def work(ask: Ask, session: Session, account: Account) -> bytes:
    """Do the work of a message; return the reply, encoded.

    Raises:
        MeshError: It is not done. What it has changed in the session stays.
    """
    check_kind(session, ask.kind)
    if ask.kind == "agree":
        return _agree(ask, session, account)
    if ask.kind == "close":
        session.end(keep=ask.body.get("keep") is True)
        return encode(reply_to(ask, {}, account.append(of_session("close", session))))
    if ask.kind in STAGES:
        found = mask_stage(session, ask)
        head = account.append(of_session(ask.kind, session, ask.round))
        return encode(reply_to(ask, found, head))
    if ask.kind not in KINDS:
        raise MessageError(
            f"{ask.party} knows no work of the kind {ask.kind}.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    kind = KINDS[ask.kind]()
    kind.check_opened(session)
    return _release(ask, session, kind.answer(session, ask), account)


def opened(ask: Ask, session: Session, head: Head) -> bytes:
    """Return the reply to the message that has opened a run, encoded."""
    decision = session.decision
    body = {
        "rows": bucket(session),
        "policy": decision.policy_fingerprint,
        "manifest": decision.manifest_fingerprint,
        "grant": decision.grant,
        "min_cohort": session.min_cohort,
    }
    return encode(reply_to(ask, body, head))


def reply_to(ask: Ask, body: dict[str, Any], head: Head) -> Reply:
    """Return an answer without arrays, with the ledger's head."""
    return Reply(
        kind=ask.kind,
        run=ask.run,
        round=ask.round,
        party=ask.party,
        body={**body, "head": list(head)},
    )


def _agree(ask: Ask, session: Session, account: Account) -> bytes:
    features = read_features(ask.body.get("features"))
    agree(session, features, ask.body.get("min_cohort"))
    head = account.append(of_session("agree", session, ask.round))
    return encode(reply_to(ask, {}, head))


def _release(ask: Ask, session: Session, answer: Answer, account: Account) -> bytes:
    try:
        account.look_again(session)
    except PolicyError:
        session.end()
        raise
    reply = Reply(
        kind=ask.kind,
        run=ask.run,
        round=ask.round,
        party=ask.party,
        body=answer.body,
        arrays=answer.arrays(session, ask),
    )
    entry = replace(
        of_session("release", session, ask.round),
        released=f"sha256:{hashlib.sha256(encode(reply)).hexdigest()}",
        rule=ask.kind,
    )
    head = released(session, entry, account)
    return encode(replace(reply, body={**answer.body, "head": list(head)}))
