"""A domain's ledger: audit, budget, grants used and cohorts in one SQLite file.

Several processes may write at once: each takes SQLite's write lock before it reads
what it decides by (`BEGIN IMMEDIATE`), so no check is stale when its write happens.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from fl_plugin.errors import LedgerError, PolicyError, StorageError
from fl_plugin.ledger.bodies import Bodies
from fl_plugin.ledger.budget import NANO, BudgetScope, spent
from fl_plugin.ledger.cohorts import Cohort, distance
from fl_plugin.ledger.journal import (
    Kept,
    OpenRun,
    find_run,
    find_runs,
    message_of,
    rounds_of,
)
from fl_plugin.ledger.record import GENESIS, AuditEntry, AuditRecord, Head
from fl_plugin.ledger.revocations import revocations
from fl_plugin.ledger.search import newest_matching
from fl_plugin.ledger.storage import (
    STORAGE_FAULTS,
    connect,
    ledger_name,
    storage_error,
)
from fl_plugin.ledger.transaction import (
    Transaction,
    floor_of,
    grant_uses,
    newest,
)

BUSY_SECONDS = 30.0


class Ledger:
    """An open ledger; use as a context manager, from one thread at a time.

    A second thread waits for the first one's transaction, as another process does.
    Any error of SQLite leaves as a `StorageError`.

    Args:
        path: `domains/<domain>/ledger/ledger.sqlite`.
        connection: From `storage.connect`.
        busy_seconds: How long to wait for the write lock.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, busy_seconds: float
    ) -> None:
        self.path = path
        self._connection = connection
        self._busy_seconds = busy_seconds
        self._bodies = Bodies(path)
        self._lock = threading.RLock()

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        write: bool = True,
        busy_seconds: float = BUSY_SECONDS,
    ) -> Self:
        """Open a ledger and create it where it is missing.

        With `write=False` nothing is created or changed.

        Raises:
            StorageError: If the file is missing (`write=False`), locked, damaged,
                empty, not a ledger, or cannot be written.
        """
        path = Path(path)
        connection = connect(path, write=write, busy_seconds=busy_seconds)
        return cls(path, connection, busy_seconds=busy_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        with suppress(sqlite3.Error):
            self._connection.close()

    @contextmanager
    def transaction(self, *, now: datetime | None = None) -> Iterator[Transaction]:
        """Write a record and what it accounts for, all or nothing.

        A `PolicyError` that leaves the block undoes it and writes one refusal, about
        the entry appended last, before it goes on.

        Args:
            now: The time to record; left out, the clock is read under the lock.
        """
        begun: list[Transaction] = []
        try:
            with self._writing(now) as tx:
                begun.append(tx)
                yield tx
                tx.finish()
        except PolicyError as refusal:
            about = begun[0].about if begun else None
            if about is not None:
                with self._writing(now) as tx:
                    tx.append_refusal(about, refusal)
            raise

    def append(self, entry: AuditEntry, *, now: datetime | None = None) -> Head:
        """Append one record that spends and uses nothing; return the new head.

        Raises:
            PolicyError: `clock.moved_back`; the refusal is on record.
        """
        with self.transaction(now=now) as tx:
            return tx.append(entry)

    def head(self) -> Head:
        """Return the newest record's place and hash; `(0, GENESIS)` if there is none.

        Raises:
            LedgerError: If the newest record was altered.
        """
        with self.reading() as connection:
            record = newest(connection)
        return Head(0, GENESIS) if record is None else record.head

    def clock_floor(self) -> datetime | None:
        """Return the newest record's time: an earlier clock was moved back."""
        with self.reading() as connection:
            return floor_of(newest(connection))

    def epsilon_spent(
        self,
        consumer: str,
        purpose: str,
        product: str | None = None,
        *,
        since: datetime | None = None,
    ) -> float:
        """Return the epsilon spent, on one product or (None) on all of them."""
        scope = BudgetScope(
            consumer=consumer, purpose=purpose, product=product, since=since
        )
        with self.reading() as connection:
            return spent(connection, scope) / NANO

    def grant_uses(self, name: str) -> int:
        """Return how often a grant was used."""
        with self.reading() as connection:
            return grant_uses(connection, name)

    def revoked(self) -> frozenset[str]:
        """Return the digests of the approvals that were revoked here, for good.

        Raises:
            LedgerError: If the record of a revocation was altered.
        """
        with self.reading() as connection:
            return revocations(connection, self.path)

    def open_runs(self) -> tuple[OpenRun, ...]:
        """Return the runs that were opened here and are not closed, oldest first."""
        with self.reading() as connection:
            return find_runs(connection)

    def open_run(self, run: str) -> OpenRun | None:
        """Return an open run; None where it is not."""
        with self.reading() as connection:
            return find_run(connection, run)

    def messages(self, run: OpenRun) -> Iterator[Kept]:
        """Yield the messages of an open run that were answered, one at a time.

        The first is the one that opened it.

        Raises:
            StorageError: One is not there as it was written.
        """
        with self.reading() as connection:
            numbers = rounds_of(connection, run.run)
        for number in numbers:
            with self.reading() as connection:
                kept = message_of(connection, self._bodies, run, number)
            yield kept

    def forget_run(self, run: str) -> None:
        """Forget an open run's messages and secret: it cannot be taken up again."""
        with self._writing(None) as tx:
            tx.close_run(run)

    def cohort_distance(
        self, product: str, key_hashes: npt.NDArray[np.uint64]
    ) -> int | None:
        """Return the fewest rows by which these differ from an earlier cohort.

        `key_hashes` has the shape (rows,), in any order.

        Returns:
            0 for a cohort seen before; None if the product has none yet.
        """
        cohort = Cohort.of(key_hashes)
        with self.reading() as connection:
            return distance(connection, product, cohort)

    def show(
        self,
        *,
        run: str | None = None,
        study: str | None = None,
        action: str | None = None,
        last: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """Return the records that match, newest last; at most the `last` newest.

        Raises:
            LedgerError: If a record on the way was altered.
        """
        wanted = {"run": run, "study": study, "action": action}
        asked = {name: value for name, value in wanted.items() if value is not None}
        with self.reading() as connection:
            return newest_matching(connection, asked, last)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give one consistent view of the file, for this room's own modules."""
        with self._held():
            if self._connection.in_transaction:  # inside this thread's transaction
                yield self._connection
                return
            self._connection.execute("begin")
            try:
                yield self._connection
            finally:
                self._undo()

    @contextmanager
    def _writing(self, now: datetime | None) -> Iterator[Transaction]:
        with self._held():
            if self._connection.in_transaction:
                raise LedgerError(
                    "A transaction of this ledger is open already.",
                    remedy="This is a defect of the program: report it.",
                )
            self._connection.execute("begin immediate")
            try:
                at = now or datetime.now(UTC)
                tx = Transaction(self._connection, self._bodies, now=at)
                yield tx
                self._connection.execute("commit")
                for run in tx.closed:
                    self._bodies.forget(run)
            finally:
                self._undo()  # does nothing after a commit

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._busy_seconds):
            raise StorageError(
                f"The ledger {ledger_name(self.path)} is locked by another thread.",
                remedy="Wait for the other run of this domain to end, then try again.",
            )
        try:
            yield
        except STORAGE_FAULTS as error:
            raise storage_error(error, self.path) from None
        finally:
            self._lock.release()

    def _undo(self) -> None:
        # A failed rollback must not hide the error that made it necessary; SQLite
        # rolls back by itself when the file is next opened.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("rollback")
