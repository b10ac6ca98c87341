"""Training over a table that does not fit into the memory its domain gives it.

One domain's table is large, the others' are small, and every party is in one process,
so that the process's peak beyond that of a run over small tables is what the large
table costs. It is measured in a child process each time, as the kernel's high-water
mark (VmHWM); pages of the file cache are not part of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from bench.figures import Figure, finish, parser
from bench.usage import peak_mb
from fl_plugin import Mesh
from fl_plugin.policy.node import memory_bytes
from tests.made_mesh import MODEL, STUDY, Made, make_mesh

ROOT = Path(__file__).parents[1]
DOMAINS = ("north", "south", "west")
FEATURES, SMALL = 30, 1_000
NUMBER, MEGABYTE = 8, 2**20  # bytes
# The bar: a table so many times as large as what its party may take of the memory.
TIMES = 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured.

    Args:
        rows: Of the large table.
        memory: As node.yml has it.
        algorithm: As a study has it.
    """

    rows: int
    memory: str
    algorithm: Mapping[str, Any]

    @property
    def table_mb(self) -> float:
        """The size of the columns that are learned from, as numbers in memory."""
        return self.rows * (FEATURES + 1) * NUMBER / MEGABYTE


def make(root: Path, case: Case) -> Path:
    """Write a mesh of three domains; the first has the large table."""
    with duckdb.connect(":memory:") as connection:
        tables = {
            domain: connection.sql(_query(i * 10**9, SMALL)).to_arrow_table()
            for i, domain in enumerate(DOMAINS)
        }
    made = Made(
        tables=tables,
        study={
            "algorithm": dict(case.algorithm),
            "target": "positive",
            "features": [f"f{k:02d}" for k in range(FEATURES)],
            "evaluation": {"folds": 0},
        },
        roles={"positive": ["label"], "row_id": ["join_key"]},
        node={"memory": case.memory},
    )
    make_mesh(root, made)
    grow(root, case.rows)
    return root


def grow(root: Path, rows: int) -> None:
    """Put another table in place of the first domain's."""
    domain = DOMAINS[0]
    path = root / "domains" / domain / "data" / f"{domain}.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("set memory_limit = '1GB'")
        connection.execute(f"create or replace table {MODEL} as {_query(0, rows)}")


def _query(first: int, rows: int) -> str:
    """Return a query that gives the same rows wherever it runs."""
    draws = ", ".join(
        f"(hash(i * {FEATURES + 1} + {k}) % 1000003 + 0.5) / 1000003.0 as u{k:02d}"
        for k in range(FEATURES + 1)
    )
    columns = ", ".join(
        f"3.4641 * (u{k:02d} - 0.5) as f{k:02d}" for k in range(FEATURES)
    )
    luck = f"ln(u{FEATURES} / (1 - u{FEATURES}))"
    wanted = f"row_id, {columns}, {luck} + f00 - f01 + 0.5 * f02 > 0 as positive"
    drawn = f"select i as row_id, {draws} from range({first}, {first + rows}) as s(i)"  # noqa: S608 numbers of this file
    return f"select {wanted} from ({drawn})"  # noqa: S608 likewise


def measured(root: Path) -> dict[str, float]:
    """Train in a child process; return its peak, its CPU seconds and its loss."""
    command = [sys.executable, "-m", "bench.memory", "--child", str(root)]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    result: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return result


def _train(root: Path) -> None:
    begun = time.perf_counter()
    run = Mesh.open(root).train(STUDY)
    told = {
        "peak_mb": peak_mb(os.getpid()),
        "cpu": time.process_time(),
        "wall": time.perf_counter() - begun,
        "rounds": len(run.record.rounds),
    }
    print(json.dumps(told))


def figures(case: Case) -> list[Figure]:
    """Return what a run over the large table costs beyond one over a small table."""
    cap = memory_bytes(case.memory) / MEGABYTE
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), replace(case, rows=SMALL))
        small = measured(root)
        grow(root, case.rows)
        large = measured(root)
        left = len(list(root.glob("domains/*/spool/*")))
    return [
        Figure(name="rows", value=case.rows),
        Figure(name="memory given, MB", value=cap),
        Figure(name="table, MB", value=case.table_mb, least=TIMES * cap),
        Figure(name="peak of a run over 1,000 rows, MB", value=small["peak_mb"]),
        Figure(name="peak of this run, MB", value=large["peak_mb"]),
        Figure(
            name="beyond it, MB", value=large["peak_mb"] - small["peak_mb"], most=cap
        ),
        Figure(name="CPU seconds", value=large["cpu"]),
        Figure(name="wall seconds", value=large["wall"]),
        Figure(name="rounds", value=large["rounds"]),
        Figure(name="files left behind", value=left, most=0),
    ]


def main() -> int:
    """Print megabytes; the exit code is 1 where the table costs too many."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--memory", default="512MB")
    arguments.add_argument("--algorithm", default="logistic_regression")
    arguments.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.child:
        _train(chosen.child)
        return 0
    case = Case(
        rows=chosen.rows, memory=chosen.memory, algorithm={"name": chosen.algorithm}
    )
    title = f"A table beyond the {chosen.memory} that its domain gives it"
    return finish(title, figures(case), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
