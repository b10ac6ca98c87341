"""`python -m bench.peers SYSTEM FOLDER JOB SIDE`: one measurement of another system.

The system's module is imported by its name: Ray's and NVFLARE's workers look functions
up there, and would not find them in `__main__`.
"""

import argparse
import importlib
from pathlib import Path

from bench import usage
from bench.peers.crew import Order

SYSTEMS = ("flower", "lightgbm", "nvflare", "xgboost")


def main() -> None:
    """Do what is ordered."""
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
