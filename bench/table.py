"""Every family beside pooled scikit-learn, and other systems beside their own.

`python -m bench.table` (the quick set, minutes) or `--full` (hours) prints one table
and keeps every measurement as a JSON line. Each is a process of its own, with one
thread for BLAS and OpenMP, on the same rows: unlike domains, 30 standardised columns.
Standardising is left out on both sides (`bench.preparation` measures it); finding bins
is on the clock of both. `--into docs/benchmarks.md` writes the table into the page, and
with `--only-write` does nothing else. `--only` measures some, and keeps the others'
lines.
"""

import argparse
import sys
from pathlib import Path

from bench import results
from bench.families import BY_NAME, FAMILIES
from bench.processes import ROOT
from bench.recorder import Recorder
from bench.sets import FULL, QUICK, Sets, Size

LINES = ROOT / "docs" / "benchmarks.jsonl"


def measure(sets: Sets, recorder: Recorder, only: frozenset[str]) -> None:
    """Measure all of a set, or only families and systems of these names."""
    work = [(family, size) for size in sets.every for family in FAMILIES]
    work += [(BY_NAME[name], size) for size in sets.further for name in sets.chosen]
    for family, size in dict.fromkeys((f.algorithm, s) for f, s in work):
        if not only or family in only:
            recorder.family(BY_NAME[family], size)
    peers = [p for p in sets.peers if not only or p.system in only]
    for size in sets.beside:
        for peer in peers:
            recorder.peer(peer, size)
    for system in dict.fromkeys(peer.system for peer in peers):
        recorder.weigh(system)


def sized(sets: Sets, rows: int, domains: int) -> Sets:
    """Return the same families and peers at one size."""
    size = (Size(rows, domains),)
    return Sets(every=size, further=(), chosen=(), beside=size, peers=sets.peers)


def main() -> int:
    """Measure, print the table, and write it where asked."""
    chosen = _arguments()
    if not chosen.only_write:
        size = (chosen.rows, chosen.domains) if chosen.rows else None
        results.drop(chosen.lines, frozenset(chosen.only), size)
        called = " ".join(sys.argv[1:])
        results.append(chosen.lines, results.made(called, chosen.repeats))
        recorder = Recorder(chosen.lines, chosen.repeats, _tell)
        sets = FULL if chosen.full else QUICK
        if chosen.rows:
            sets = sized(sets, chosen.rows, chosen.domains)
        measure(sets, recorder, frozenset(chosen.only))
    lines = results.read(chosen.lines)
    print(results.markdown(lines))
    if chosen.into:
        results.write_into(chosen.into, lines)
    return 0


def _tell(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--quick", action="store_true", help="the default: minutes")
    made.add_argument("--full", action="store_true", help="every size: hours")
    made.add_argument("--rows", type=int, default=0, help="one size only")
    made.add_argument("--domains", type=int, default=3, help="with --rows")
    made.add_argument("--only", nargs="*", default=[], help="families or systems")
    made.add_argument("--repeats", type=int, default=1)
    made.add_argument("--lines", type=Path, default=LINES, help="file of JSON lines")
    made.add_argument("--into", type=Path, help="page to write the table into")
    made.add_argument("--only-write", action="store_true", help="measure nothing")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
