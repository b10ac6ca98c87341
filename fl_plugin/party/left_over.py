"""Runs that were opened here and never closed: forgotten in the end, and on record.

Of a run whose coordinator is gone, or went on without this domain, the messages and the
secret stay in the ledger. They go when another run is opened here: where the same
consumer has begun the study anew, where nobody has come back for `runs_days`, and where
what is kept is damaged, so that nobody can.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fl_plugin.errors import MeshError
from fl_plugin.ledger.journal import OpenRun
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.party.domain import Domain
from fl_plugin.party.session import Session
from fl_plugin.policy.retention import load_retention
from fl_plugin.policy.types import Request

FORGOTTEN = "forget"
AGAIN, OLD, DAMAGED = "run.begun_again", "run.left_over", "run.damaged"


def facts_of(request: Request) -> dict[str, str]:
    """Return what is kept of a request, to tell later whose run was forgotten."""
    words = ("study", "consumer", "actor", "purpose", "product")
    return {word: str(getattr(request, word)) for word in words}


def forget_left_over(
    domain: Domain, ledger: Ledger, opened: Session, alive: Collection[str]
) -> None:
    """Forget the runs whose time is over; one that fails is left to the next opening.

    Args:
        domain: Whose ledger it is.
        ledger: Open.
        opened: The run that was opened just now.
        alive: Runs that this party is at work on, that one included.
    """
    with suppress(MeshError):
        times = load_retention(domain.folder.parent.parent, domain.folder.name)
        limit = datetime.now(UTC) - timedelta(days=times.runs_days)
        for run in ledger.open_runs():
            rule = "" if run.run in alive else _over(run, opened, limit)
            if rule:
                _forget(ledger, run, rule)


def _over(run: OpenRun, opened: Session, limit: datetime) -> str:
    """Return why a run is over; empty where it may still go on."""
    if run.damaged:
        return DAMAGED
    if datetime.fromisoformat(run.at) < limit:
        return OLD
    same_study = _told(run).get("study") == opened.request.study
    return AGAIN if same_study and run.caller == opened.caller else ""


def _forget(ledger: Ledger, run: OpenRun, rule: str) -> None:
    told = {} if run.damaged else _told(run)
    entry = AuditEntry(
        action=FORGOTTEN,
        decision="allowed",
        consumer="" if run.damaged else run.caller,
        actor=told.get("actor", ""),
        purpose=told.get("purpose", ""),
        study=told.get("study", ""),
        run=run.run,
        product=told.get("product", ""),
        rule=rule,
    )
    with ledger.transaction() as tx:
        tx.append(entry)
        tx.forget_run(run)


def _told(run: OpenRun) -> dict[str, Any]:
    told = json.loads(run.facts).get("request", {})
    return told if isinstance(told, dict) else {}
