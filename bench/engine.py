"""What a message costs in the embedded engine, and what a whole small job takes.

Overhead is everything but the algorithm's own numbers: threads, framing, parsing,
today's decision, the ledger's entry, masks, the coordinator's journal. It is seen in
messages that ask for a count of rows, once on this disk and once in memory (/dev/shm):
the difference is waiting for the disk, which journal and ledger insist on. Of several
stretches the quickest counts, as other work on the machine only ever adds.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import small_job
from bench.figures import Figure, finish, parser
from bench.peers import job
from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.journal import Journal
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.coordinator.run import ROWS
from fl_plugin.engines.embedded import Embedded
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.party.domain import Domain
from fl_plugin.party.standing import SETTLED_NS
from fl_plugin.plan.draft import draft
from tests.made_mesh import STUDY

MEMORY = Path("/dev/shm")  # noqa: S108 a folder of ours within it
STRETCHES = 5
Clock = tuple[float, float]  # CPU and wall seconds


def quickest(work: Callable[[], object], times: int) -> Clock:
    """Return the least CPU and wall seconds that `work` took in so many tries."""
    found = []
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        found.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(c for c, _ in found), min(w for _, w in found)


def message(root: Path, times: int) -> Clock:
    """Return CPU and wall seconds of one message to one party and its answer."""
    policy = load_vocabulary(root / "mesh_policy.yml")
    manifest = read_manifest(root / "target" / "manifest.json", policy)
    plan = draft(manifest.studies[STUDY], manifest, "bench")
    folders = [root / "domains" / p.domain for p in plan.parties]
    time.sleep(SETTLED_NS / 1e9)  # files just written are read at every message
    with (
        Embedded(folders, plan.consumer) as engine,
        Journal(root / "journal") as journal,
    ):
        run = Federation("bench", engine, journal=journal)
        open_parties(with_decisions(plan, run), run)

        def ask() -> None:
            for _ in range(times):
                run.ask("count", {}, expected=ROWS)

        cpu, wall = quickest(ask, STRETCHES)
        run.ask("close", {})
    messages = times * len(folders)
    return cpu / messages, wall / messages


def messages(times: int) -> list[Figure]:
    """Return milliseconds a message, on this disk and in memory."""
    places = {"on this disk": None, "in memory": MEMORY}
    found: dict[str, Clock] = {}
    chores: list[Figure] = []
    for place, folder in places.items():
        with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as name:
            root = small_job.make(Path(name), small_job.ALGORITHMS["fedavg"])
            found[place] = message(root, times)
            if folder == MEMORY:
                chores = _chores(Domain(root / "domains" / job.DOMAINS[0]), times)
    (_, disk), (cpu, memory) = found["on this disk"], found["in memory"]
    return [
        Figure(name="CPU ms per message and answer", value=1e3 * cpu, most=1.0),
        Figure(name="wall ms, in memory", value=1e3 * memory, most=1.0),
        Figure(name="wall ms, on this disk", value=1e3 * disk),
        Figure(name="  of that, waiting for the disk", value=1e3 * (disk - memory)),
        *chores,
    ]


def small_jobs() -> list[Figure]:
    """Return seconds from opening the mesh to a registered model, process warm."""
    figures = []
    for which, algorithm in small_job.ALGORITHMS.items():
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            root = small_job.make(Path(name), algorithm)
            small_job.train(root)
            cpu, wall = quickest(lambda at=root: small_job.train(at), STRETCHES)  # type: ignore[misc]
        figures += [
            Figure(name=f"{which}, CPU s of the whole job", value=cpu),
            Figure(name=f"{which}, wall s of the whole job", value=wall, most=1.0),
        ]
    return figures


def _chores(domain: Domain, times: int) -> list[Figure]:
    entry = AuditEntry(
        action="release",
        decision="allowed",
        consumer="bench",
        actor="bench",
        purpose="benchmark",
        study="bench",
        run="bench",
        product=f"{domain.name}.bench",
        version=None,
    )

    def append() -> None:
        with domain.ledger() as ledger:
            ledger.append(entry)

    chores: dict[str, Callable[[], object]] = {
        "its manifest": domain.manifest,
        "its vocabulary": domain.vocabulary,
        "its node.yml": domain.node,
        "an entry in its ledger": append,
    }
    return [
        Figure(name=f"  CPU ms, {name}", value=1e3 * quickest(chore, times)[0])
        for name, chore in chores.items()
    ]


def main() -> int:
    """Print milliseconds and seconds; the exit code is 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--times", type=int, default=50)
    chosen = arguments.parse_args()
    figures = [*messages(chosen.times), *small_jobs()]
    title = "The embedded engine"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
