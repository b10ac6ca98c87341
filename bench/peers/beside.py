"""One job on every engine, side by side: `python -m bench.peers`.

FedAvg logistic regression, 3 domains, 30,000 rows, 10 rounds, and the exact logistic
regression: on this project's engines, plain NumPy, Flower's simulation, Flower's
deployment with TLS and NVFLARE's simulator, each in an environment of its own
(`environment.py`), one after the other. Equal digests are equal weights. Ours also
reads DuckDB, decides, masks, keeps ledgers and journals, judges the model on rows held
out and registers it with its report; the others read arrays and only train.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import results, small_job
from bench.figures import parser
from bench.peers import job
from bench.peers.environment import PeerUnavailableError, environment
from bench.peers.timed import BEGUN
from bench.processes import MeasurementError, run
from fl_plugin.discovery import discover
from fl_plugin.engines.base import Engine

BEGIN, END = "<!-- bench.peers begins -->", "<!-- bench.peers ends -->"
PATIENCE = 900.0
HEADER = (
    "job",
    "engine",
    "wall s",
    "start-up s",
    "first round s",
    "median round s",
    "most MB",
    "processes",
    "accuracy",
    "weights",
)


@dataclass(frozen=True)
class Entry:
    """An engine.

    Args:
        name: For people.
        engine: As `bench.peers.side` takes it.
        system: Whose environment it needs; empty for this one.
    """

    name: str
    engine: str
    system: str = ""


def entries() -> tuple[Entry, ...]:
    """Return every engine, ours as they are installed."""
    ours = [f"ours:{name}" for name in sorted(discover("fl_plugin.engines", Engine))]
    return (
        Entry("plain NumPy", "plain"),
        Entry("ours, embedded, warm process", "ours:warm"),
        *(Entry(f"ours, {name[5:]}", name) for name in ours),
        Entry("Flower, simulation", "flower_simulation", "flower"),
        Entry("Flower, deployment, TLS", "flower_deployment:tls", "flower"),
        Entry("NVFLARE, simulator", "nvflare", "nvflare"),
    )


def measured(
    jobs: Iterable[str], chosen: Sequence[Entry], folder: Path
) -> list[dict[str, Any]]:
    """Return what each engine's run of each job came to, or why there is none."""
    small_job.write_for_peers(folder)
    lines = []
    for which in jobs:
        small_job.make(folder / f"mesh-{which}", small_job.ALGORITHMS[which])
        for entry in chosen:
            print(f"{which}: {entry.name} ...", file=sys.stderr)
            line: dict[str, Any] = {"job": which, "engine": entry.name}
            try:
                line |= _run(entry, folder, which)
            except (MeasurementError, PeerUnavailableError) as error:
                line["error"] = str(error)
            lines.append(line | {"load": round(os.getloadavg()[0], 1)})
    return lines


def _run(entry: Entry, folder: Path, which: str) -> dict[str, Any]:
    own = entry.system and environment(entry.system).python
    command = [str(own or sys.executable), "-m", "bench.peers.side"]
    os.environ[BEGUN] = repr(time.time())
    words = [entry.engine, str(folder), which]
    return run([*command, *words], folder=folder, patience=PATIENCE)


def markdown(lines: Sequence[dict[str, Any]]) -> str:
    """Return the table, with when and where it was made."""
    now = datetime.now(UTC).isoformat(timespec="minutes")
    loads = [line["load"] for line in lines]
    rows = [HEADER, *(_cells(line) for line in lines)]
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    texts = [
        f"| {' | '.join(c.ljust(w) for c, w in zip(row, wide, strict=True))} |"
        for row in rows
    ]
    texts.insert(1, "|" + "|".join("-" * (w + 2) for w in wide) + "|")
    made = (
        f"Made by `python -m bench.peers` on {now}: {os.cpu_count()} cores, load "
        f"{min(loads)} to {max(loads)} (its own included)."
    )
    return "\n".join([made, "", *texts])


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    name = line["job"], line["engine"]
    if "error" in line:
        return (*name, line["error"], *("",) * (len(HEADER) - 3))
    return (
        *name,
        f"{line['wall']:.2f}",
        f"{line['start_up']:.2f}",
        f"{line['first_round']:.4f}",
        f"{line['median_round']:.4f}",
        f"{line['most_mb']:.0f}",
        str(line["processes"]),
        f"{line['accuracy']:.4f}",
        line["digest"],
    )


def write_into(page: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Put the table between the page's two marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page.name} lacks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{markdown(lines)}\n{END}{after}")


def main(words: Sequence[str]) -> int:
    """Print the table; the exit code is 1 where an engine did not do the job."""
    arguments = parser(__doc__)
    arguments.add_argument("--jobs", nargs="+", choices=job.JOBS, default=job.JOBS)
    arguments.add_argument("--only", nargs="+", metavar="ENGINE", help="words of names")
    arguments.add_argument("--lines", type=Path, help="keep the figures as JSON lines")
    arguments.add_argument("--into", type=Path, metavar="PAGE")
    chosen = arguments.parse_args(words)
    only = chosen.only or [""]
    engines = [e for e in entries() if any(o in e.name for o in only)]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        lines = measured(chosen.jobs, engines, Path(name))
    if chosen.lines:
        for line in lines:
            results.append(chosen.lines, line)
    if chosen.into:
        write_into(chosen.into, lines)
    print(markdown(lines))
    return 1 if any("error" in line for line in lines) else 0
