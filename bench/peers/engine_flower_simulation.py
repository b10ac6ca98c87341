"""Flower's simulation: its own Ray backend, one CPU a domain's actor."""

import os
import time
from pathlib import Path

from flwr.app import Context  # type: ignore[import-not-found,unused-ignore]
from flwr.serverapp import Grid, ServerApp  # type: ignore[import-not-found,unused-ignore]
from flwr.simulation import run_simulation  # type: ignore[import-not-found,unused-ignore]

from bench.peers import job
from bench.peers.flower_app.small_job.client_app import app as client
from bench.peers.flower_app.small_job.server_app import fit
from bench.peers.timed import Timed, begun


def run(folder: Path, which: str, _: str) -> Timed:
    """Do the job."""
    parties, found = len(job.DOMAINS), {}
    server = ServerApp()

    @server.main()  # type: ignore[untyped-decorator,unused-ignore]
    def main(grid: Grid, _context: Context) -> None:
        found.update(fit(grid, which, str(folder), parties))

    workers = min(parties, os.cpu_count() or 1)
    run_simulation(
        server,
        client,
        num_supernodes=parties,
        backend_config={
            "client_resources": {"num_cpus": 1},
            "init_args": {"num_cpus": workers, "include_dashboard": False},
        },
    )
    return Timed(begun=begun(), ended=time.time(), **found)
