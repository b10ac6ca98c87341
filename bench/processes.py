"""Runs one measurement in a process of its own, and stops all of it where it hangs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import usage

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 3_600.0
# One thread on each side; nothing tells anybody that it was run.
SETTINGS = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
    ),
    "PYTHONPATH": str(ROOT),
    "FLWR_TELEMETRY_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


class MeasurementError(Exception):
    """A measurement did not end well; the message is fit for the table."""


def run(
    command: Sequence[str], *, folder: Path, patience: float = PATIENCE
) -> dict[str, Any]:
    """Run a command on its own loopback device; return the JSON of its last line.

    Args:
        command: Its interpreter first.
        folder: Where it runs, and where what it says on the side is kept.
        patience: Seconds after which all its processes are ended.

    Raises:
        MeasurementError: It failed, said nothing or took too long.
    """
    with (folder / "stderr.txt").open("w") as aside:
        started = subprocess.Popen(  # noqa: S603  # our own command line
            [sys.executable, "-m", "bench.alone", *command],
            stdout=subprocess.PIPE,
            stderr=aside,
            text=True,
            cwd=folder,
            env={**os.environ, **SETTINGS},
        )
        try:
            said, _ = started.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            _end(started.pid)
            started.communicate()  # also closes the pipe
            raise MeasurementError(f"took more than {patience:.0f} s") from None
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if started.returncode or not lines:
        raise MeasurementError(_why(folder / "stderr.txt"))
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _end(root: int) -> None:
    """End a process that we started, and its descendants, children last."""
    for pid in usage.family(root):
        os.kill(pid, signal.SIGKILL)


def _why(aside: Path) -> str:
    """The error's last line, without anything that looks like a path."""
    lines = [line for line in aside.read_text().splitlines() if line.strip()]
    words = (lines[-1] if lines else "it said nothing").split()
    return "failed: " + " ".join(w for w in words if "/" not in w)[:120]
