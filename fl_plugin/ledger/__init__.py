"""A domain's own memory: what was asked, decided, spent and released."""

from fl_plugin.ledger.buckets import rows_bucket
from fl_plugin.ledger.chain import Verification, verify
from fl_plugin.ledger.cohorts import cohort_digest
from fl_plugin.ledger.export import (
    domain_lines,
    json_lines,
    write_json_lines,
    write_lines,
)
from fl_plugin.ledger.openlineage import event_lines, run_events
from fl_plugin.ledger.record import GENESIS, AuditEntry, AuditRecord, Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.ledger.transaction import Transaction

__all__ = [
    "GENESIS",
    "AuditEntry",
    "AuditRecord",
    "Head",
    "Ledger",
    "Transaction",
    "Verification",
    "cohort_digest",
    "domain_lines",
    "event_lines",
    "json_lines",
    "rows_bucket",
    "run_events",
    "verify",
    "write_json_lines",
    "write_lines",
]
