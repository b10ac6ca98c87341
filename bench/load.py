"""Many parties, many rounds: what a run costs, and whether anything in it grows.

Federated averaging over 100 parties for 50 rounds in one process, then over 20
node processes for 20 rounds, masked, with ledgers and journals. Memory, open files and
threads are read after the fifth round and after the last one; nodes are added up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import small_job, usage
from bench.figures import Figure, finish, parser
from fl_plugin import Mesh
from tests.made_mesh import STUDY

ROOT = Path(__file__).parents[1]
SETTLED = 5  # the round after which nothing may grow
MOST_GROWTH = 1.1
ROWS = 200  # of a party


@dataclass(frozen=True, kw_only=True)
class Load:
    """One run.

    Args:
        engine: How the parties run.
        parties: How many.
        rounds: Of training.
    """

    engine: str
    parties: int
    rounds: int


LOADS = (
    Load(engine="embedded", parties=100, rounds=50),
    Load(engine="processes", parties=20, rounds=20),
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the coordinator's process holds, and all node processes together."""

    own_mb: float
    nodes_mb: float
    files: int
    threads: int


def held() -> Held:
    """Look at this process and its descendants."""
    own, *nodes = usage.family()
    return Held(
        own_mb=_resident_mb(own),
        nodes_mb=sum(map(_resident_mb, nodes)),
        files=sum(_entries(pid, "fd") for pid in (own, *nodes)),
        threads=sum(_entries(pid, "task") for pid in (own, *nodes)),
    )


@dataclass
class Watch:
    """Notes what is held when a round of training begins, that is, after the last.

    Args:
        rounds: How many there will be.
    """

    rounds: int
    steps: int = 0
    at: dict[str, Held] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def __call__(self, kind: str, _number: int) -> None:
        """Hear of a round."""
        if self.steps == self.rounds and "end" not in self.at:
            self.times.append(time.perf_counter())
            self.at["end"] = held()
        if kind != "step":
            return
        self.times.append(time.perf_counter())
        if self.steps == SETTLED:
            self.at["settled"] = held()
        self.steps += 1


def run(root: Path, load: Load) -> dict[str, Any]:
    """Train in this process; return what it took and what it held."""
    watch = Watch(load.rounds)
    before = usage.Moment.now()
    trained = Mesh.open(root).train(STUDY, engine=load.engine, listener=watch)
    spent = before.until_now()
    seconds = [b - a for a, b in zip(watch.times, watch.times[1:], strict=False)]
    tail = sum(seconds[-SETTLED:]) / SETTLED
    return {
        "cpu": spent.cpu,
        "wall": spent.wall,
        "peak_mb": spent.peak_mb,
        "start": sum(seconds[:SETTLED]) / SETTLED,
        "tail": tail,
        "left": len(usage.family()) - 1,
        "rounds": len(trained.record.rounds),
        **{name: asdict(found) for name, found in watch.at.items()},
    }


def measured(load: Load) -> dict[str, Any]:
    """Make the mesh, and train in a child process."""
    algorithm = {
        **small_job.ALGORITHMS["fedavg"],
        "max_rounds": load.rounds,
        "local_epochs": 1,
    }
    domains = [f"d{place:03d}" for place in range(load.parties)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = small_job.make(
            Path(folder), algorithm, domains, rows=ROWS * load.parties
        )
        words = [load.engine, str(load.parties), str(load.rounds), str(root)]
        found = subprocess.run(  # noqa: S603  # our own command line
            [sys.executable, "-m", "bench.load", "--child", *words],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
    result: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return result


def figures(load: Load) -> list[Figure]:
    """Return the run's figures."""
    found = measured(load)
    early, late = found["settled"], found["end"]
    name = f"{load.engine}, {load.parties} x {load.rounds}: "
    return [
        Figure(name=f"{name}CPU s", value=found["cpu"]),
        Figure(name=f"{name}wall s", value=found["wall"]),
        Figure(name=f"{name}s a round, first five", value=found["start"]),
        Figure(name=f"{name}s a round, last five", value=found["tail"]),
        Figure(name=f"{name}MB, round {SETTLED}", value=early["own_mb"]),
        Figure(name=f"{name}MB, end", value=late["own_mb"]),
        _growth(f"{name}growth", early["own_mb"], late["own_mb"]),
        *(_of_nodes(name, early, late) if early["nodes_mb"] else ()),
        Figure(name=f"{name}peak MB of a process", value=found["peak_mb"]),
        Figure(name=f"{name}files, round {SETTLED}", value=early["files"]),
        Figure(name=f"{name}files, end", value=late["files"], most=early["files"]),
        Figure(name=f"{name}threads, round {SETTLED}", value=early["threads"]),
        Figure(
            name=f"{name}threads, end", value=late["threads"], most=early["threads"]
        ),
        Figure(name=f"{name}processes left", value=found["left"], most=0),
    ]


def _of_nodes(
    name: str, early: Mapping[str, float], late: Mapping[str, float]
) -> tuple[Figure, ...]:
    before, after = early["nodes_mb"], late["nodes_mb"]
    return (
        Figure(name=f"{name}MB of the nodes, round {SETTLED}", value=before),
        Figure(name=f"{name}MB of the nodes, end", value=after),
        _growth(f"{name}growth of the nodes", before, after),
    )


def _growth(name: str, early: float, late: float) -> Figure:
    return Figure(name=name, value=late / early, most=MOST_GROWTH)


def _resident_mb(pid: int) -> float:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0.0  # it ended in between
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _entries(pid: int, what: str) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/{what}"))  # noqa: PTH208 of the kernel's
    except OSError:
        return 0


def _rounds(word: str) -> int:
    if int(word) <= SETTLED:
        raise argparse.ArgumentTypeError(f"more than {SETTLED}, please")
    return int(word)


def main() -> int:
    """Print the figures; the exit code is 1 where something grows."""
    arguments = parser(__doc__)
    arguments.add_argument("--only", choices=[load.engine for load in LOADS])
    arguments.add_argument("--parties", type=int, help="instead of 100 and 20")
    arguments.add_argument(
        "--rounds", type=_rounds, help=f"instead of 50 and 20; more than {SETTLED}"
    )
    arguments.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.child:
        engine, parties, rounds, root = chosen.child
        load = Load(engine=engine, parties=int(parties), rounds=int(rounds))
        print(json.dumps(run(Path(root), load)))
        return 0
    found: list[Figure] = []
    for load in LOADS:
        if chosen.only in {None, load.engine}:
            parties = chosen.parties or load.parties
            rounds = chosen.rounds or load.rounds
            found += figures(Load(engine=load.engine, parties=parties, rounds=rounds))
    return finish("Many parties, many rounds", found, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
