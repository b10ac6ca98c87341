"""What the peers' files share: the order, party processes, the JSON line."""

import json
import multiprocessing
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import cases, usage

TREES, LEAVES, BINS, RATE, SMALLEST_LEAF, SEED = 60, 31, 255, 0.1, 20, 7
PATIENCE = 600.0  # seconds that a party may take to load its rows


@dataclass(frozen=True)
class Order:
    """What a peer is asked to do."""

    folder: Path
    job: str
    side: str

    @property
    def case(self) -> cases.Case:
        """Return the case that the folder holds."""
        return cases.Case.read(self.folder)

    @property
    def outcome(self) -> Path:
        """Return the file for this side's values on the probe rows."""
        return self.folder / f"outcome.{self.job}.{self.side}.npy"

    def finish(self, spent: usage.Spent, values: Any, **facts: float) -> None:
        """Write the values on the probe rows; print what was spent."""
        np.save(self.outcome, np.asarray(values, dtype=np.float64))
        print(json.dumps(spent.json() | facts), flush=True)


Work = Callable[[int, Mapping[str, Any]], Any]


def together(
    work: Work, parties: int, facts: Mapping[str, Any]
) -> tuple[list[Any], usage.Spent]:
    """Run `work(place, facts)` for every party in a process of its own, at once.

    The clock runs from the moment when all have loaded their rows until all are done.

    Args:
        work: A module's function: imports of its module are not on the clock.
        parties: How many.
        facts: Sent to each; with `folder`, whose rows are loaded beforehand and
            added as `x` (rows, columns) and `y`.
    """
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for place in range(parties):
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, work, place, dict(facts)))
        process.start()
        pipes.append(here)
        processes.append(process)
    for pipe in pipes:
        if not pipe.poll(PATIENCE):
            raise TimeoutError
        pipe.recv()
    begun = usage.Moment.now()
    for pipe in pipes:
        pipe.send("go")
    results = [pipe.recv() for pipe in pipes]
    spent = begun.until_now()
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send("end")
        process.join()
    return results, spent


def _serve(pipe: Any, work: Work, place: int, facts: dict[str, Any]) -> None:
    x, y = cases.domain(Path(facts["folder"]), place)
    facts |= {"x": np.ascontiguousarray(x.T), "y": y}
    del x
    pipe.send("ready")
    pipe.recv()
    pipe.send(work(place, facts))
    pipe.recv()  # stay until the clocks are read


def alone(
    work: Callable[[Mapping[str, Any]], Any], folder: Path
) -> tuple[Any, usage.Spent]:
    """Run `work` on the pooled rows in this process."""
    x, y = cases.pooled(folder)
    begun = usage.Moment.now()
    result = work({"x": x, "y": y})
    return result, begun.until_now()


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens now."""
    sockets = [socket.socket() for _ in range(count)]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    ports = [int(held.getsockname()[1]) for held in sockets]
    for held in sockets:
        held.close()
    return ports
