"""What a message costs in the embedded engine, beside the work it asks for.

Copies a built mesh to a temporary folder, so that no ledger of yours grows, opens the
study's tables there and asks every party for one cheap count again and again. The same
count itself, over a few hundred rows, takes well under a millisecond, so what is seen
is the engine: threads, decoding, today's decision, the ledger's entries, encoding.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, finish, parser
from bench.statlog import ROOT
from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.coordinator.run import ROWS
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.party.domain import Domain
from fl_plugin.plan.draft import draft
from fl_plugin.plan.types import Plan

KEPT = ("mesh_policy.yml", "principals.yml", "target/manifest.json")
KEPT_OF_A_DOMAIN = ("node.yml", "permissions.yml", "target/manifest.json")


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """Copy what a run reads of a built mesh; its ledgers start empty."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        files = [root / name for name in KEPT]
        for domain in sorted((root / "domains").iterdir()):
            files += [domain / name for name in KEPT_OF_A_DOMAIN]
            files += sorted((domain / "data").glob("*.duckdb"))
        for file in filter(Path.is_file, files):
            place = copy / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        yield copy


def measure(root: Path, study: str, times: int) -> list[Figure]:
    """Return milliseconds per message, and what a party's own chores cost."""
    policy = load_vocabulary(root / "mesh_policy.yml")
    manifest = read_manifest(root / "target" / "manifest.json", policy)
    plan = draft(manifest.studies[study], manifest, "bench")
    folders = [root / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, plan.consumer) as engine:
        cpu, wall = _messages(plan, Federation("bench", engine), times)
    return [
        Figure(name="messages", value=times * len(folders)),
        Figure(name="CPU ms per message and answer", value=cpu),
        Figure(name="wall ms per message and answer", value=wall),
        *_chores(Domain(folders[0]), times),
    ]


def _messages(plan: Plan, run: Federation, times: int) -> tuple[float, float]:
    open_parties(with_decisions(plan, run), run)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        run.ask("count", {}, expected=ROWS)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    run.ask("close", {})
    messages = times * len(plan.parties)
    return 1000.0 * cpu / messages, 1000.0 * wall / messages


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
        Figure(name=f"  CPU ms, {name}", value=_milliseconds(chore, times))
        for name, chore in chores.items()
    ]


def _milliseconds(chore: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        chore()
    return 1000.0 * (time.process_time() - begun) / times


def main() -> int:
    """Print milliseconds; exit as the product does where the mesh is not built."""
    arguments = parser(__doc__)
    arguments.add_argument("--project", type=Path, default=ROOT)
    arguments.add_argument("--study", default="credit_risk")
    arguments.add_argument("--times", type=int, default=50)
    chosen = arguments.parse_args()
    try:
        with copied(chosen.project) as root:
            figures = measure(root, chosen.study, chosen.times)
    except MeshError as error:
        print(f"{error.problem} {error.remedy}", file=sys.stderr)
        return error.exit_code
    title = "The embedded engine, per message"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
