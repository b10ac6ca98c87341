"""What a party writes into its ledger: one entry per decision, release and failure."""

from dataclasses import replace

from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.ledger.record import LONGEST_TEXT, AuditEntry
from fl_plugin.messages import Message
from fl_plugin.party.session import Session
from fl_plugin.policy.types import Decision, Request


def decided(action: str, run: str, request: Request, decision: Decision) -> AuditEntry:
    """Return the entry of a decision; a no is a refusal whatever was asked for."""
    refusal = decision.refusal
    return AuditEntry(
        action=action if decision.allowed else "refuse",
        decision="allowed" if decision.allowed else "refused",
        consumer=request.consumer,
        actor=request.actor,
        purpose=request.purpose,
        study=request.study,
        run=run,
        product=request.product,
        version=request.version,
        columns=tuple(sorted(request.columns)),
        algorithm=request.algorithm,
        rule=refusal.reason if refusal else "",
        policy=decision.policy_fingerprint,
        manifest=decision.manifest_fingerprint,
    )


def of_session(action: str, session: Session, number: int | None = None) -> AuditEntry:
    """Return the entry of something that happened in an open run."""
    entry = decided(action, session.run, session.request, session.decision)
    return replace(entry, round=number, rows_bucket=bucket(session))


def failed(ask: Message, request: Request, code: str) -> AuditEntry:
    """Return the entry of an error that is no decision, by its kind."""
    return AuditEntry(
        action="refuse",
        decision="refused",
        consumer=request.consumer,
        actor=request.actor,
        purpose=request.purpose,
        study=request.study,
        run=ask.run,
        product=request.product,
        version=request.version,
        round=ask.round,
        rule=code,
    )


def turned_away(caller: str, user: str, rule: str) -> AuditEntry:
    """Return the entry of somebody who was not let in.

    Args:
        caller: The consumer that they named.
        user: Who they are, or what they brought.
        rule: Why.
    """
    return AuditEntry(
        action="refuse",
        decision="refused",
        consumer=caller[:LONGEST_TEXT],
        actor=user[:LONGEST_TEXT],
        purpose="",
        study="",
        run="",
        product="",
        rule=rule,
    )


def bucket(session: Session) -> str:
    """Return the rounded number of rows, as it may be told."""
    return rows_bucket(len(session.rows), min_cohort=max(session.min_cohort, 1))
