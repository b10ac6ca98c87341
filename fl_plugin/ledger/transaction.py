"""What may be written in one step: a record and the state it accounts for.

The record comes first; the spend, the use of a grant and the cohort then belong to it.
All of it is written or none.
"""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import LedgerError, PolicyError
from fl_plugin.ledger import journal
from fl_plugin.ledger.bodies import Bodies
from fl_plugin.ledger.budget import BudgetScope, allowance, cost, spent
from fl_plugin.ledger.cohorts import Cohort, distance, remember
from fl_plugin.ledger.journal import Kept, OpenRun
from fl_plugin.ledger.profiles import APPROVED, MEASURED, KeptProfile, approve, keep
from fl_plugin.ledger.record import (
    GENESIS,
    AuditEntry,
    AuditRecord,
    Head,
    chain,
    read_record,
)

CLOCK_SKEW = timedelta(seconds=2)  # what time servers correct without anybody's doing


class Transaction:
    """Writes inside the ledger's one write lock; made by `Ledger.transaction`.

    Args:
        connection: Inside `BEGIN IMMEDIATE`.
        bodies: Where large messages lie.
        now: One reading of the clock, taken after the lock was won: read earlier, it
            would lie behind what another process wrote while this one waited.

    Raises:
        LedgerError: If the newest record was altered; nothing is chained to it.
    """

    def __init__(
        self, connection: sqlite3.Connection, bodies: Bodies, *, now: datetime
    ) -> None:
        self._connection = connection
        self._bodies = bodies
        self.closed: list[str] = []  # runs whose files go once this is committed
        self._now = now
        self._last = newest(connection)
        self._record: AuditRecord | None = None
        self._unspent: dict[int, int] = {}
        self.about: AuditEntry | None = None  # what a refusal would be about

    def append(self, entry: AuditEntry) -> Head:
        """Chain an entry to the newest record.

        Returns:
            The new head, to go out with the reply.

        Raises:
            PolicyError: `clock.moved_back` if the clock lies behind the newest record.
            LedgerError: If a field is unfit.
        """
        self.about = entry
        floor = floor_of(self._last)
        if floor is not None and self._now < floor - CLOCK_SKEW:
            raise PolicyError(
                "This host's clock lies behind the newest record of the ledger.",
                remedy="Set the clock right (UTC), then try again.",
                reason="clock.moved_back",
            )
        return self._write(entry)

    def append_refusal(self, entry: AuditEntry, refusal: PolicyError) -> Head:
        """Record that a refusal ended what `entry` was about.

        A refusal is recorded whatever the clock says, or turning the clock back would
        silence the audit.
        """
        return self._write(
            replace(
                entry,
                action="refuse",
                decision="refused",
                rule=refusal.reason,
                epsilon=None,
                released=None,
            )
        )

    def spend(
        self,
        consumer: str,
        purpose: str,
        epsilon: float,
        limit: float,
        *,
        since: datetime | None = None,
    ) -> None:
        """Spend epsilon on the record's product.

        Args:
            consumer: As in the record.
            purpose: As in the record.
            epsilon: As in the record.
            limit: What the contract allows this consumer for this purpose and product.
            since: Start of the budget's period; None counts every spend.

        Raises:
            PolicyError: `budget.exceeded`.
        """
        record = self._accounted()
        price = cost(epsilon)
        named = (record.consumer, record.purpose, record.epsilon)
        if named != (consumer, purpose, epsilon) or record.sequence not in (
            self._unspent
        ):
            raise _misuse("A spend must match its record and happen once.")
        scope = BudgetScope(
            consumer=consumer, purpose=purpose, product=record.product, since=since
        )
        if spent(self._connection, scope) + price > allowance(limit):
            raise PolicyError(
                f"The privacy budget of {consumer} for {purpose} on {record.product} "
                "does not allow this run.",
                remedy="Ask for less epsilon, wait for the budget's next period, or "
                "ask the product's steward for more.",
                reason="budget.exceeded",
            )
        del self._unspent[record.sequence]
        self._connection.execute(
            "insert into spend values (?, ?, ?, ?, ?, ?)",
            (record.sequence, record.at, consumer, purpose, record.product, price),
        )

    def use_grant(self, name: str) -> int:
        """Count a use of a grant; return how often it has now been used."""
        self._connection.execute(
            "insert into grant_use values (?, ?)", (self._accounted().sequence, name)
        )
        return grant_uses(self._connection, name)

    def remember_cohort(
        self,
        product: str,
        cohort_digest: str,
        key_hashes: npt.NDArray[np.uint64],
        *,
        min_distance: int = 0,
    ) -> None:
        """Keep the rows a product is used with; see `fl_plugin.ledger.cohorts`.

        Args:
            product: `<domain>.<model>`.
            cohort_digest: From `cohort_digest(key_hashes)`.
            key_hashes: Shape (rows,), any order.
            min_distance: The product's `min_cohort`. Looked at here, under the write
                lock, because two runs may each have seen the other's cohort missing.

        Raises:
            PolicyError: `cohort.too_close` if it differs from an earlier cohort by at
                least one row and fewer than `min_distance`.
        """
        cohort = Cohort.of(key_hashes)
        if cohort.digest != cohort_digest:
            raise _misuse("A cohort's digest must be that of its key hashes.")
        sequence = self._accounted().sequence
        if min_distance > 0:
            apart = distance(self._connection, product, cohort)
            if apart is not None and 0 < apart < min_distance:
                raise PolicyError(
                    f"The rows of {product} differ too little from those of an "
                    "earlier run.",
                    remedy="Repeat the earlier run's rows exactly, or wait until more "
                    "of the product has changed.",
                    reason="cohort.too_close",
                )
        remember(self._connection, product, cohort, sequence=sequence)

    def keep_profile(self, profile: KeptProfile) -> int:
        """Keep what was measured of the record's product; return what names it."""
        record = self._about_profile(MEASURED, profile)
        keep(self._connection, record, profile)
        return record.sequence

    def approve_profile(self, profile: KeptProfile) -> None:
        """Make the newest profile the one that drift is measured against.

        Raises:
            PolicyError: `profile.not_newest`.
        """
        approve(self._connection, self._about_profile(APPROVED, profile), profile)

    def open_run(self, run: OpenRun) -> None:
        """Keep a run, so that it can go on after a crash."""
        journal.open_run(self._connection, run, self._accounted().at)
        known = journal.find_runs(self._connection)
        self._bodies.forget_all_but(one.run for one in known)

    def keep_message(
        self, run: str, number: int, ask: bytes, made: bytes = b""
    ) -> None:
        """Keep a message with the record of its answer, if its run is kept.

        Args:
            run: The run's id.
            number: The message's round.
            ask: Its bytes.
            made: What libraries drew by themselves for the answer.

        Raises:
            StorageError: Another process has answered this round of the run, or the
                disk refused.
        """
        kept = Kept(ask=ask, head=self._accounted().head, made=made)
        journal.keep_message(self._connection, self._bodies, run, number, kept)

    def close_run(self, run: str) -> None:
        """Forget a run's messages and its secret."""
        journal.close_run(self._connection, run)
        self.closed.append(run)

    def forget_run(self, run: OpenRun) -> None:
        """Forget a run as it was found, be it damaged."""
        journal.forget_run(self._connection, run)
        self.closed.append(run.run)

    def finish(self) -> None:
        """Check, before the commit, that every epsilon on record was spent."""
        if self._unspent:
            raise _misuse("A record names an epsilon that was not spent with it.")

    def _write(self, entry: AuditEntry) -> Head:
        previous = Head(0, GENESIS) if self._last is None else self._last.head
        # Never earlier than the newest record: small steps back would add up.
        at = max(self._now, floor_of(self._last) or self._now)
        record = chain(entry, previous=previous, at=at)
        self._connection.execute(
            "insert into audit values (?, ?, ?)",
            (record.sequence, record.body(), record.hash),
        )
        if record.epsilon is not None:
            self._unspent[record.sequence] = cost(record.epsilon)
        self._last = self._record = record
        return record.head

    def _about_profile(self, action: str, profile: KeptProfile) -> AuditRecord:
        record = self._accounted()
        if (record.action, record.released) != (action, profile.digest):
            raise _misuse("A profile must match the record that it belongs to.")
        return record

    def _accounted(self) -> AuditRecord:
        if self._record is None:
            raise _misuse("The record must be appended before what it accounts for.")
        return self._record


def newest(connection: sqlite3.Connection) -> AuditRecord | None:
    """Return the newest record, checked against its own hash."""
    row = connection.execute(
        "select sequence, body, hash from audit order by sequence desc limit 1"
    ).fetchone()
    return None if row is None else read_record(*row)


def floor_of(record: AuditRecord | None) -> datetime | None:
    """Return a record's time: no later record may be earlier."""
    return None if record is None else datetime.fromisoformat(record.at).astimezone(UTC)


def grant_uses(connection: sqlite3.Connection, name: str) -> int:
    """Return how often a grant was used."""
    (uses,) = connection.execute(
        "select count(*) from grant_use where name = ?", (name,)
    ).fetchone()
    return int(uses)


def _misuse(problem: str) -> LedgerError:
    return LedgerError(problem, remedy="This is a defect of the program: report it.")
