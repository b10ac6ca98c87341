"""Where a party accounts for what it does in a run: its ledger, or what was kept there.

A message is kept together with the record of its answer. When a killed party takes up a
run again, it does the work of each kept message once more; all of that is on record, so
nothing is written, decided or spent a second time, and nothing leaves.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from fl_plugin.errors import BuildError
from fl_plugin.ledger.journal import Kept, OpenRun
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.ledger.transaction import Transaction
from fl_plugin.party.domain import Domain
from fl_plugin.party.entries import decided
from fl_plugin.party.session import Session
from fl_plugin.policy.decision import decide, insist
from fl_plugin.privacy.made import Made


@dataclass(frozen=True, kw_only=True)
class Spend:
    """What a release costs of a product's privacy budget.

    Args:
        epsilon: Of the whole run.
        limit: Of the contract.
        since: Start of the budget's period.
    """

    epsilon: float
    limit: float
    since: datetime


class Account(ABC):
    """What a party's work on one message is accounted to."""

    @abstractmethod
    def look_again(self, session: Session) -> None:
        """Decide on the domain's files as they are now whether the run may go on.

        Raises:
            PolicyError: It may not.
        """

    @abstractmethod
    def append(self, entry: AuditEntry, spend: Spend | None = None) -> Head:
        """Put an entry on record, and what it costs; return the ledger's head.

        Raises:
            PolicyError: `budget.exceeded`: another run was faster.
        """


@dataclass(frozen=True)
class Booked(Account):
    """A message that is answered for the first time.

    Args:
        domain: Whose files decide.
        ledger: Its ledger.
        run: The run's id.
        number: The message's round.
        ask: Its bytes.
        made: What libraries draw by themselves for the answer.
    """

    domain: Domain
    ledger: Ledger
    run: str
    number: int
    ask: bytes
    made: Made = field(default_factory=Made)

    def look_again(self, session: Session) -> None:
        """Decide by today's contract, grants and settings; a no ends the run."""
        decision = decide(self.domain.refreshed(session.facts, self.ledger))
        if decision.complete:
            return
        entry = decided("release", session.run, session.request, decision)
        with self.ledger.transaction() as tx:
            tx.append(replace(entry, round=self.number))
            tx.close_run(session.run)
        insist(decision, opened=True)

    def append(self, entry: AuditEntry, spend: Spend | None = None) -> Head:
        """Write the entry, the spend and the message, all or nothing."""
        with self.ledger.transaction() as tx:
            if spend is None:
                head = tx.append(entry)
            else:
                head = tx.append(replace(entry, epsilon=spend.epsilon))
                tx.spend(
                    entry.consumer,
                    entry.purpose,
                    spend.epsilon,
                    spend.limit,
                    since=spend.since,
                )
            if entry.action == "close":
                tx.close_run(self.run)
            else:
                tx.keep_message(self.run, self.number, self.ask, self.made.take())
        return head

    def opening(
        self,
        entry: AuditEntry,
        run: OpenRun | None,
        also: Callable[[Transaction], None],
    ) -> Head:
        """Write that a run was opened, and what belongs to it.

        Args:
            entry: The record.
            run: What is kept of the run; None where it cannot be taken up again.
            also: Writes what else belongs to the record.
        """
        with self.ledger.transaction() as tx:
            head = tx.append(entry)
            also(tx)
            if run is not None:
                tx.open_run(run)
                tx.keep_message(self.run, self.number, self.ask)
        return head


@dataclass(frozen=True)
class OnRecord(Account):
    """A message whose answer is on record already.

    Args:
        kept: The message, and what went out with its answer.
    """

    kept: Kept

    def look_again(self, session: Session) -> None:
        """Do nothing: that was decided then, and is decided before the next release."""

    def append(self, entry: AuditEntry, spend: Spend | None = None) -> Head:  # noqa: ARG002
        """Return what was written then.

        Raises:
            BuildError: Something else would leave now.
        """
        if entry.released != self.kept.released:
            raise BuildError(
                "What a run was doing cannot be done again: a salt, a setting or a "
                "library is another one by now.",
                remedy="Start the run again: fl train",
            )
        return self.kept.head
