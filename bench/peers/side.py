"""One engine's run: `python -m bench.peers.side ENGINE FOLDER JOB`, in its environment.

An engine is a module of this room, `engine_<name>.py`, with
`run(folder, job, variant) -> Timed`; ENGINE is its name, or `name:variant`.
"""

import argparse
import contextlib
import importlib
import json
import sys
from pathlib import Path

from bench import usage
from bench.peers import job
from bench.peers.timed import Memory


def main() -> None:
    """Run the job; print one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("engine")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("job", choices=job.JOBS)
    chosen = arguments.parse_args()
    name, _, variant = chosen.engine.partition(":")
    usage.adopt_orphans()
    memory = Memory()
    memory.start()
    folder = chosen.folder.resolve()
    with contextlib.redirect_stdout(sys.stderr):  # some engines talk
        engine = importlib.import_module(f"bench.peers.engine_{name}")
        timed = engine.run(folder, chosen.job, variant)
    memory.end()
    found = timed.json(folder)
    found |= {"most_mb": memory.most_mb, "processes": memory.processes}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
