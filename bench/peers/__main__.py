"""`python -m bench.peers`: one job on every engine; see `beside.py`.

`python -m bench.peers SYSTEM FOLDER JOB SIDE`: one measurement of another system.
The system's module is imported by its name: Ray's and NVFLARE's workers look functions
up there, and would not find them in `__main__`.
"""

import argparse
import importlib
import sys
from pathlib import Path

from bench import usage
from bench.peers.crew import Order

SYSTEMS = ("flower", "lightgbm", "nvflare", "xgboost")


def main() -> None:
    """Do what is ordered."""
    if not sys.argv[1:] or sys.argv[1].startswith("-"):
        # Not at the top: a peer's environment has nothing of what it needs.
        beside = importlib.import_module("bench.peers.beside")
        sys.exit(beside.main(sys.argv[1:]))
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("system", choices=SYSTEMS)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("job")
    arguments.add_argument("side", choices=("pooled", "federated"))
    chosen = arguments.parse_args()
    system = importlib.import_module(f"bench.peers.{chosen.system}")
    if chosen.job not in system.JOBS:
        arguments.error(f"{chosen.system} knows the jobs {', '.join(system.JOBS)}")
    usage.adopt_orphans()
    system.run(Order(chosen.folder.resolve(), chosen.job, chosen.side))


if __name__ == "__main__":
    main()
