"""No engine: the job in one loop of NumPy. The floor."""

import time
from pathlib import Path

import numpy as np

from bench.peers import job
from bench.peers.timed import Timed, begun


def run(folder: Path, which: str, _: str) -> Timed:
    """Do the job."""
    rows = [job.load(folder, place) for place in range(len(job.DOMAINS))]
    weights, seconds, started = np.zeros(job.COLUMNS + 1), [], time.time()
    for _round in range(job.rounds_of(which)):
        clock = time.perf_counter()
        if which == "fedavg":
            parts = [(job.steps(weights, r), len(r[1])) for r in rows]
            weights = job.average(parts)
        else:
            weights = job.newton(weights, [job.derivatives(weights, r) for r in rows])
        seconds.append(time.perf_counter() - clock)
    return Timed(
        begun=begun(),
        started=started,
        ended=time.time(),
        rounds=seconds,
        weights=weights,
    )
