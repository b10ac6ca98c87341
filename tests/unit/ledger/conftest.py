"""A ledger in a temporary domain, and entries to write into it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.ledger import AuditEntry, Ledger


def make_entry(**changes: Any) -> AuditEntry:
    fields: dict[str, Any] = {
        "action": "decide",
        "decision": "allowed",
        "consumer": "ml_coe",
        "actor": "scientist@bank.example",
        "purpose": "credit_risk",
        "study": "credit_risk",
        "run": "run-1",
        "product": "consumer_banking.credit_profile",
        "version": 1,
        "columns": ("amount", "duration"),
        "policy": "sha256:0a",
        "manifest": "sha256:0b",
    }
    return AuditEntry(**(fields | changes))


@pytest.fixture
def entry() -> Callable[..., AuditEntry]:
    return make_entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "consumer_banking" / "ledger" / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    with Ledger.open(path, busy_seconds=5) as opened:
        yield opened


@pytest.fixture
def tamper(path: Path) -> Callable[..., None]:
    """Run SQL on the ledger's file as somebody who holds it could."""

    def run(sql: str, *values: object) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(sql, values)

    return run
