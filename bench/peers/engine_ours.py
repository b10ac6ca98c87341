"""This project: the whole of `fl train`, from opening the mesh to a registered model.

Variants are the engines' names; `warm` is the embedded one in a process that has
trained the same study before, which leaves out imports and first uses. `flower` starts
the SuperLink and a node for each domain, with certificates made anew, and ends them.
"""

import time
from pathlib import Path

from bench import small_job
from bench.peers.timed import Timed, begun
from fl_plugin import Mesh
from tests.faults.machines import Machines
from tests.made_mesh import STUDY


def run(folder: Path, which: str, variant: str) -> Timed:
    """Do the job over a mesh that lies beside the peers' rows."""
    root = folder / f"mesh-{which}"
    if variant == "flower":
        domains = tuple(sorted(p.name for p in (root / "domains").iterdir()))
        machines = Machines(root, domains)
        try:
            machines.start()
            return _trained(root, variant, begun())
        finally:
            machines.close()
    if variant != "warm":
        return _trained(root, variant, begun())
    small_job.train(root)
    return _trained(root, "embedded", time.time())


def _trained(root: Path, engine: str, since: float) -> Timed:
    heard: list[tuple[str, float]] = []

    def listen(kind: str, _number: int) -> None:
        heard.append((kind, time.time()))

    trained = Mesh.open(root).train(STUDY, engine=engine, listener=listen)
    ended = time.time()
    times = [at for _, at in heard] + [ended]
    steps = [place for place, (kind, _) in enumerate(heard) if kind == "step"]
    return Timed(
        begun=since,
        started=times[steps[0]],
        ended=ended,
        rounds=[times[place + 1] - times[place] for place in steps],
        weights=small_job.weights_of(trained),
    )
