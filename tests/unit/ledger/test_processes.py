"""Several processes share one ledger: no gap, no fork of the chain, no overspending."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fl_plugin.ledger
from fl_plugin.ledger import Ledger, verify
from fl_plugin.ledger.budget import cost

pytestmark = pytest.mark.slow

ROOT = Path(fl_plugin.ledger.__file__).parents[2]

PREFACE = """
import sys
from fl_plugin.errors import PolicyError
from fl_plugin.ledger import AuditEntry, Ledger

path, me = sys.argv[1:]

def entry(**changes):
    return AuditEntry(action="release", decision="allowed", consumer="ml_coe",
        actor="", purpose="credit_risk", study="", run=me, product="p", **changes)

ledger = Ledger.open(path)
print("ready", flush=True)
sys.stdin.readline()
"""

APPEND = """
for number in range(1000):
    ledger.append(entry(round=number))
"""

SPEND = """
for number in range(50):
    try:
        with ledger.transaction() as tx:
            tx.append(entry(epsilon=0.1))
            tx.spend("ml_coe", "credit_risk", 0.1, 4.0)
    except PolicyError as error:
        assert error.reason == "budget.exceeded"
"""

HANG = """
with ledger.transaction() as tx:
    tx.append(entry(epsilon=0.1))
    tx.spend("ml_coe", "credit_risk", 0.1, 4.0)
    print("written", flush=True)
    sys.stdin.readline()
"""


def start(path: Path, script: str, name: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PREFACE + script, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def release(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def race(path: Path, script: str, *, processes: int) -> None:
    """Open the ledger in every process, creating it at once, then let all go."""
    running = [start(path, script, f"process-{n}") for n in range(processes)]
    for process in running:
        assert answer(process) == "ready\n", process.communicate()
    for process in running:
        release(process)
    for process in running:
        _, errors = process.communicate(timeout=600)
        assert (process.returncode, errors) == (0, "")


def test_four_processes_of_a_thousand_records_each_leave_no_gap(path, figure):
    race(path, APPEND, processes=4)
    found = verify(path)
    assert (found.ok, found.records) == (True, 4000)
    with Ledger.open(path, write=False) as ledger:
        for name in (f"process-{n}" for n in range(4)):
            rounds = [r.round for r in ledger.show(run=name)]
            assert rounds == list(range(1000))
    figure("audit records by four processes at once, no gap", found.records)


def test_four_processes_that_race_for_one_budget_never_exceed_it(path, figure):
    race(path, SPEND, processes=4)
    with Ledger.open(path, write=False) as ledger:
        spent = ledger.epsilon_spent("ml_coe", "credit_risk", "p")
        released = ledger.show(action="release")
        assert spent == 4.0
        # In billionths, as the ledger counts: forty tenths are no 4.0 as floats.
        charged = [cost(r.epsilon) for r in released if r.epsilon is not None]
        assert sum(charged) == cost(spent)
        assert len(released) == 40
        assert len(ledger.show(action="refuse")) == 160
        assert verify(ledger).ok
    figure("spends of four processes on one budget of 4.0, never above", 200)


def test_a_process_killed_inside_a_transaction_leaves_nothing(path, entry):
    process = start(path, HANG, "victim")
    release(process)
    assert [answer(process), answer(process)] == ["ready\n", "written\n"]
    process.kill()
    process.communicate()
    with Ledger.open(path) as ledger:
        assert ledger.show() == ()
        assert ledger.epsilon_spent("ml_coe", "credit_risk") == 0
        head = ledger.append(entry())
        assert head.sequence == 1
