"""A party's half of a run under differential privacy: one fit, paid for once.

The budget is spent in the ledger together with the first noisy answer, in one
transaction. What would release exact figures of training rows is refused, and exact
figures of other rows where the request is for noised ones: step 9 of the decision says
whether it may be for exact ones.
"""

import math
from dataclasses import replace
from datetime import timedelta

from fl_plugin.algorithms.private.releases import MOST_ROWS, PrivateAlgorithm
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.party.account import Account, Spend
from fl_plugin.party.job import Job
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.privacy.dp.accountant import mu_for
from fl_plugin.privacy.dp.guard import Guard
from fl_plugin.privacy.dp.noise import Noise

# What may be asked of a private run: none of it is an exact sum of training rows.
# "evaluate" is one of other rows, see `check_kind`.
ALLOWED = frozenset(
    {"vocabulary", "assign", "step", "judge", "evaluate", "close", "agree"}
    | {"keys", "share", "accept", "endorse", "unmask"}
)


def is_private(session: Session) -> bool:
    """Return whether the run is one under differential privacy."""
    return session.request.epsilon is not None


def check_kind(session: Session, kind: str) -> None:
    """Refuse work that would release exact figures, or that is not paid for.

    Raises:
        PolicyError: It would, or is not.
    """
    if not is_private(session):
        return
    if kind not in ALLOWED:
        raise _refused(session, "asks for exact sums of rows that are trained on")
    share = session.request.evaluation
    if kind == "evaluate" and share != 0.0:
        raise _refused(session, "asks for exact figures, which its request is not for")
    if kind == "step" and share == 1.0:
        raise _refused(session, "asks for a fit, and has paid for figures only")


def check_algorithm(session: Session, algorithm: type) -> None:
    """Refuse an algorithm without noise where noise is due, and the reverse.

    Raises:
        PolicyError: They do not fit.
    """
    if issubclass(algorithm, PrivateAlgorithm) != is_private(session):
        raise _refused(session, "does not fit its algorithm to its privacy budget")


def pay_for(session: Session, job: Job) -> None:
    """Give a fit what adds the noise to its answers and to its figures; one fit only.

    Both parts of the budget add up, although no row is learned from and judged on: so
    the rows of one person, here and there, are covered as well.

    Raises:
        PolicyError: The run asks for a second fit.
        MessageError: The number of rows is not the public bound, or the request does
            not say which share of the budget figures cost.
    """
    request = session.request
    if session.jobs or job.split.name not in {"holdout", "time"}:
        raise _refused(session, "asks for more than the one fit that is paid for")
    share = request.evaluation
    if request.epsilon is None or request.delta is None:
        raise out_of_order()
    if share is None or not 0.0 <= share <= 1.0:
        raise out_of_order()
    if job.prepared.rows != MOST_ROWS:
        raise MessageError(
            "A private run's message tells a number of rows.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    mu = mu_for(request.epsilon, request.delta)
    if share < 1.0:
        job.guard = _guard(session, mu * math.sqrt(1.0 - share))
        job.task = replace(job.task, mu=job.guard.noise.mu)
    if share > 0.0:
        job.judging = _guard(session, mu * math.sqrt(share))


def _guard(session: Session, mu: float) -> Guard:
    return Guard(
        Noise(
            mu=mu,
            parties=session.request.parties,
            masked=session.masks is not None,
            colluding=session.facts.node.colluding,
            source=session.randomness.stream("noise"),
        )
    )


def judging_guard(session: Session, job: Job) -> Guard:
    """Return what adds the noise to a fit's figures.

    Raises:
        PolicyError: No figures are paid for.
    """
    if job.judging is None:
        raise _refused(session, "asks for figures that it has not paid for")
    return job.judging


def released(session: Session, entry: AuditEntry, account: Account) -> Head:
    """Write a release down; the first noisy one spends the run's budget with it.

    Raises:
        PolicyError: `budget.exceeded`: another run was faster.
    """
    request = session.request
    dp = session.product.contract.dp
    noisy = is_private(session) and entry.rule in {"step", "judge"}
    due = noisy and not session.paid
    if not due or dp is None or request.epsilon is None:
        return account.append(entry)
    since = session.facts.now - timedelta(days=dp.period_days)
    spend = Spend(epsilon=request.epsilon, limit=dp.epsilon, since=since)
    head = account.append(entry, spend)
    session.paid = True
    return head


def _refused(session: Session, what: str) -> PolicyError:
    return PolicyError(
        f"A run under differential privacy {what}.",
        remedy="Start the run again from a plan.",
        reason="privacy.not_paid_for",
        domain=session.product.domain,
    )
