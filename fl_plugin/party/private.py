"""A party's half of a run under differential privacy: one fit, paid for once.

The budget is spent in the ledger together with the first noisy answer, in one
transaction. What would release exact figures of training rows is refused.
"""

from dataclasses import replace
from datetime import timedelta

from fl_plugin.algorithms.private.releases import MOST_ROWS, PrivateAlgorithm
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.party.job import Job
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.privacy.dp.accountant import mu_for
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise

# What may be asked of a private run: none of it is an exact sum of training rows.
ALLOWED = frozenset(
    {"vocabulary", "assign", "step", "evaluate", "close", "agree"}
    | {"keys", "share", "accept", "endorse", "unmask"}
)


def is_private(session: Session) -> bool:
    """Return whether the run is one under differential privacy."""
    return session.request.epsilon is not None


def check_kind(session: Session, kind: str) -> None:
    """Refuse work that would release exact figures of training rows.

    Raises:
        PolicyError: It would.
    """
    if is_private(session) and kind not in ALLOWED:
        raise _refused(session, "asks for exact sums of rows that are trained on")


def check_algorithm(session: Session, algorithm: type) -> None:
    """Refuse an algorithm without noise where noise is due, and the reverse.

    Raises:
        PolicyError: They do not fit.
    """
    if issubclass(algorithm, PrivateAlgorithm) != is_private(session):
        raise _refused(session, "does not fit its algorithm to its privacy budget")


def guard_for(session: Session, job: Job) -> Guard:
    """Return what adds the noise to a fit's answers; one fit only.

    Raises:
        PolicyError: The run asks for a second fit.
        MessageError: The number of rows is not the public bound.
    """
    request = session.request
    if session.jobs or job.split.name not in {"holdout", "time"}:
        raise _refused(session, "asks for more than the one fit that is paid for")
    if request.epsilon is None or request.delta is None:
        raise out_of_order()
    if job.prepared.rows != MOST_ROWS:
        raise MessageError(
            "A private run's message tells a number of rows.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    noise = Noise(
        mu=mu_for(request.epsilon, request.delta),
        parties=request.parties,
        masked=session.masks is not None,
        colluding=session.facts.node.colluding,
    )
    return Guard(noise)


def released(session: Session, entry: AuditEntry, ledger: Ledger) -> Head:
    """Write a release down; the first noisy one spends the run's budget with it.

    Raises:
        PolicyError: `budget.exceeded`: another run was faster.
    """
    request = session.request
    dp = session.product.contract.dp
    due = is_private(session) and entry.rule == "step" and not session.paid
    if not due or dp is None or request.epsilon is None:
        return ledger.append(entry)
    with ledger.transaction() as tx:
        head = tx.append(replace(entry, epsilon=request.epsilon))
        tx.spend(
            request.consumer,
            request.purpose,
            request.epsilon,
            dp.epsilon,
            since=session.facts.now - timedelta(days=dp.period_days),
        )
    session.paid = True
    return head


def _refused(session: Session, what: str) -> PolicyError:
    return PolicyError(
        f"A run under differential privacy {what}.",
        remedy="Start the run again from a plan.",
        reason="privacy.not_paid_for",
        domain=session.product.domain,
    )
