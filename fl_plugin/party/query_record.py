"""The account of one query: every record carries its id, and so does the result.

The ledger holds names and digests. The text that ran is kept beside it, one file for
each id, so that whoever audits can read what was asked and check it against the digest
in the record.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from fl_plugin.errors import MeshError, PolicyError, StorageError
from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.ledger.record import AuditEntry, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.party.entries import decided
from fl_plugin.party.question import Question, shown_name
from fl_plugin.policy.decision import insist
from fl_plugin.policy.types import Decision, Request

HISTORY = "queries"


def new_query_id() -> str:
    """Return an id that no other query of any domain has."""
    stamp = datetime.now(UTC).strftime("%Y%m%dt%H%M%S")
    return f"{stamp}-query-{secrets.token_hex(8)}"


def digest_of(text: str) -> str:
    """Return what a record says of a query's text, in its `algorithm`."""
    return f"sql:sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass
class QueryRecord:
    """What a ledger is told of one query.

    Args:
        question: What was asked.
        ledger: The domain's.
        query_id: Made by the domain: what a caller sends could be used twice.
    """

    question: Question
    ledger: Ledger
    query_id: str = field(default_factory=new_query_id)
    _last: AuditEntry | None = None
    _closed: bool = False

    @property
    def folder(self) -> Path:
        """Where the ledger lies, and what else is the domain's own alone."""
        return self.ledger.path.parent

    def decided(
        self,
        action: str,
        decision: Decision,
        request: Request,
        *,
        rows: int | None = None,
        released: str | None = None,
    ) -> Head:
        """Record a step that was allowed; a refusal is for `ended` to record.

        Args:
            action: decide | open | release.
            decision: Taken just now.
            request: With the columns that it is about.
            rows: How many; they are rounded.
            released: Digest of what goes out.

        Raises:
            PolicyError: The decision is a no.
        """
        entry = self._entry(action, decision, request)
        if rows is not None:
            least = max(decision.min_cohort, 1)
            entry = replace(entry, rows_bucket=rows_bucket(rows, min_cohort=least))
        self._last = entry
        insist(decision, opened=action != "decide")
        rule = "query" if released else entry.rule
        entry = replace(entry, released=released, rule=rule)
        with self.ledger.transaction() as tx:
            head = tx.append(entry)
            if action == "open" and decision.grant:
                tx.use_grant(decision.grant)
        self._closed = released is not None
        return head

    def ended(self, reason: str) -> None:
        """Record that the query ended without a result, unless that is on record."""
        if self._closed:
            return
        self._closed = True
        blank = self._last or _undecided(self.question.request)
        entry = replace(blank, action="refuse", decision="refused", rule=reason)
        self.ledger.append(self._named(entry))

    def quoted(self, error: MeshError) -> MeshError:
        """Return the error with the id that its record can be found by."""
        remedy = f"{error.remedy} (on record as {self.query_id})"
        if isinstance(error, PolicyError):
            return PolicyError(
                error.problem, remedy=remedy, reason=error.reason, domain=error.domain
            )
        return type(error)(error.problem, remedy=remedy)

    def keep_text(self) -> None:
        """Write what was asked, for its owner's eyes, before any row is read.

        Raises:
            StorageError: It cannot be written; nothing may run without it.
        """
        folder = self.folder / HISTORY
        aside = folder / f".{self.query_id}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(self.question.text.encode())
                file.flush()
                os.fsync(file.fileno())
            aside.replace(folder / f"{self.query_id}.txt")
        except OSError:
            raise StorageError(
                "The text of a query cannot be kept beside the domain's ledger.",
                remedy="Ask the domain's team to look at the disk and the permissions.",
            ) from None

    def _entry(self, action: str, decision: Decision, request: Request) -> AuditEntry:
        shown = {shown_name(name): role for name, role in request.columns.items()}
        request = replace(request, columns=shown)
        return self._named(decided(action, self.query_id, request, decision))

    def _named(self, entry: AuditEntry) -> AuditEntry:
        return replace(
            entry, run=self.query_id, algorithm=digest_of(self.question.text)
        )


def _undecided(request: Request) -> AuditEntry:
    return AuditEntry(
        action="refuse",
        decision="refused",
        consumer=request.consumer,
        actor=request.actor,
        purpose=request.purpose,
        study=request.study,
        run="",
        product=request.product,
        version=request.version,
    )
