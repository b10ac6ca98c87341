"""Runs the measurements of one line of the table, and keeps them as JSON lines."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import results
from bench.families import Family
from bench.measure import outcome
from bench.peers.environment import PeerUnavailableError, environment
from bench.processes import MeasurementError, run
from bench.sets import Peer, Size

# With more parties than this, starting their processes takes longer than all work.
MOST_PROCESSES = 10


@dataclass(frozen=True)
class Recorder:
    """Runs measurements, keeps their lines.

    Args:
        file: For the JSON lines.
        repeats: Of each measurement; the sides take turns.
        tell: Called with a word about what is being done.
    """

    file: Path
    repeats: int
    tell: Callable[[str], None]

    def family(self, family: Family, size: Size) -> None:
        """Measure a family: every pooled fit, the parties in turn and at once."""
        facts = _facts(results.OURS, family.algorithm, size)
        with self._noting_failure(facts):
            if not family.installed:
                raise MeasurementError("not installed")
            with rows(size, family.target) as folder:
                if family.made().prepares == "bins":
                    self._ours(folder, family, "bins")
                for _ in range(self.repeats):
                    self._sides(facts, family, folder)

    def peer(self, peer: Peer, size: Size) -> None:
        """Measure a job of another system: pooled, then federated."""
        facts = _facts(peer.system, peer.what, size)
        with self._noting_failure(facts):
            python = environment(peer.system).python
            with rows(size, "binary") as folder:
                command = [str(python), "-m", "bench.peers", peer.system, str(folder)]
                for _ in range(self.repeats):
                    pooled = run([*command, peer.job, "pooled"], folder=folder)
                    self._keep(facts, pooled, side="pooled", rival="its own pooled fit")
                    found = run([*command, peer.job, "federated"], folder=folder)
                    said = folder / f"outcome.{peer.job}.federated.npy"
                    apart = _apart(
                        said.with_name(f"outcome.{peer.job}.pooled.npy"), said
                    )
                    self._keep(facts, found, side="federated", difference=apart)

    def weigh(self, system: str) -> None:
        """Keep what a peer's environment weighs, where it can be made."""
        try:
            held = environment(system)
        except PeerUnavailableError:
            return
        line = {"kind": "peer", "peer": system, "unpacked_mb": held.unpacked_mb}
        main = [v for v in held.versions if v.partition("==")[0] in MAIN]
        results.append(self.file, {**line, "main": ", ".join(main)})

    def _sides(self, facts: dict[str, Any], family: Family, folder: Path) -> None:
        # The federated sides first: some pooled fits start where they have started.
        few = facts["domains"] <= MOST_PROCESSES
        sides = ("together", "apart") if few else ("together",)
        found = {s: self._ours(folder, family, s) for s in (*sides, *family.rivals)}
        for rival in family.rivals:
            self._keep(facts, found[rival], side="pooled", rival=rival)
        twin = outcome(folder, family.algorithm, family.twin)
        for side in sides:
            apart = _apart(twin, outcome(folder, family.algorithm, side))
            self._keep(facts, found[side], side=side, difference=apart)

    def _ours(self, folder: Path, family: Family, side: str) -> dict[str, Any]:
        self.tell(f"{family.algorithm}: {side}")
        module = [sys.executable, "-m", "bench.measure"]
        return run([*module, str(folder), family.algorithm, side], folder=folder)

    def _keep(self, facts: dict[str, Any], found: dict[str, Any], **more: Any) -> None:
        results.append(self.file, {**facts, **found, **more})

    @contextmanager
    def _noting_failure(self, facts: dict[str, Any]) -> Iterator[None]:
        """What cannot be measured is a line that says why, not the end of the table."""
        self.tell(
            f"{facts['what']}, {facts['rows']:,} rows, {facts['domains']} domains"
        )
        try:
            yield
        except (MeasurementError, PeerUnavailableError) as error:
            results.append(self.file, {**facts, "error": str(error)})


MAIN = frozenset({"xgboost", "lightgbm", "flwr", "ray", "nvflare"})


@contextmanager
def rows(size: Size, target: str) -> Iterator[Path]:
    """Yield a folder that holds the rows of a case; it is gone afterwards.

    A child writes them: this process stays small.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        words = [str(folder), str(size.rows), str(size.domains), target]
        run([sys.executable, "-m", "bench.cases", *words], folder=folder)
        yield folder


def _apart(pooled: Path, federated: Path) -> float:
    return float(np.abs(np.load(pooled) - np.load(federated)).max())


def _facts(system: str, what: str, size: Size) -> dict[str, Any]:
    return {
        "kind": "measured",
        "system": system,
        "what": what,
        "rows": size.rows,
        "domains": size.domains,
    }
