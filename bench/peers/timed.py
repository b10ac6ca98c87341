"""What one engine's run of the small job came to, and its most memory."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import usage
from bench.peers import job

BEGUN = "BENCH_BEGUN"  # when the process was started, seconds since 1970
_PAUSE = 0.3


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One run.

    Args:
        begun: When it was asked for: before imports, of a process that is not warm.
        started: When the first round began.
        ended: When the model was there.
        rounds: Seconds of each round.
        weights: The model's, the intercept last.
    """

    begun: float
    started: float
    ended: float
    rounds: Sequence[float]
    weights: Any

    def json(self, folder: Path) -> dict[str, Any]:
        """Return its figures."""
        later = self.rounds[1:] or self.rounds
        return {
            "start_up": self.started - self.begun,
            "first_round": self.rounds[0],
            "median_round": median(later),
            "rounds": len(self.rounds),
            "wall": self.ended - self.begun,
            "accuracy": job.accuracy(self.weights, folder, len(job.DOMAINS)),
            "digest": job.digest(self.weights),
        }


def begun() -> float:
    """Return when this process was started, as the one that started it says."""
    return float(os.environ.get(BEGUN, time.time()))


class Memory(threading.Thread):
    """Looks at the memory of this process and all its descendants now and then.

    Shared pages count once (the kernel's proportional set size).
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most_mb, self.processes = 0.0, 0
        self._done = threading.Event()

    def run(self) -> None:
        """Look until told to end."""
        while not self._done.wait(_PAUSE):
            self._look()

    def end(self) -> None:
        """Look a last time and stop."""
        self._done.set()
        self.join()
        self._look()

    def _look(self) -> None:
        found = [size for pid in usage.family() if (size := _share_mb(pid))]
        self.most_mb = max(self.most_mb, sum(found))
        self.processes = max(self.processes, len(found))


def _share_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0  # it ended in between
    sizes = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return float(sizes[0]) / 1024.0 if sizes else 0.0
