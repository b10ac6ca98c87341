"""What failed in a run of dbt: its own names for it, and never a value of a row."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fl_plugin.manifest.validation import shown

MAX_BYTES = 64 * 1024**2
_FAILED = {"error": "error", "fail": "test failed", "runtime error": "error"}
_STOPPED = ("Parsing Error", "Compilation Error", "Runtime Error")
# How DuckDB and Python begin: what follows may be a value. "Raw Error:" is dbt's own.
_FROM_DATABASE = re.compile(
    r"Database Error|\b(?!Raw )[A-Z][A-Za-z]* Error:|[a-z]Error:|Traceback"
)
# Said of a database, whose words may hold a value: only what kind of trouble is told.
_KINDS = {
    "set lock on file": "its database file is locked by another process",
    "being used by another process": "its database file is locked by another process",
    "not a valid duckdb": "its database file is damaged, or no DuckDB file",
    "read-only": "a database that may only be read was to be written",
}
_LINES = 4
_LONGEST = 240


@dataclass(frozen=True, kw_only=True)
class FailedNode:
    """A node that dbt could not build, or a test that did not pass.

    Args:
        name: dbt's own, `model.lending.credits.v1`.
        why: "error" or "test failed".
    """

    name: str
    why: str


def run_number(target: Path) -> str:
    """Return dbt's id of the run whose results stand in target/; "" without one."""
    about = _results(target).get("metadata")
    number = about.get("invocation_id") if isinstance(about, Mapping) else None
    return number if isinstance(number, str) else ""


def failed_nodes(target: Path, before: str) -> tuple[FailedNode, ...]:
    """Return what failed in the run that has just ended.

    Args:
        target: The project's target/.
        before: The id of the run before it: results that still are that run's say
            nothing about this one.
    """
    found = _results(target)
    if run_number(target) in ("", before):
        return ()
    listed = found.get("results")
    results = listed if isinstance(listed, list) else []
    return tuple(
        FailedNode(name=shown(r.get("unique_id")), why=_FAILED[r["status"]])
        for r in results
        if isinstance(r, Mapping) and str(r.get("status")) in _FAILED
    )


def first_words(output: str) -> str:
    """Return what dbt said before it had built anything: what it could not read."""
    told = output.casefold()
    for sign, kind in _KINDS.items():
        if sign in told:
            return kind
    lines = [line.strip() for line in output.splitlines()]
    starts = (n for n, line in enumerate(lines) if any(s in line for s in _STOPPED))
    start = next(starts, None)
    if start is None or _FROM_DATABASE.search(output):
        return "dbt gave no reason that may be repeated"
    words = " ".join(line for line in lines[start : start + _LINES] if line)
    return " ".join(shown(word) for word in words.split())[:_LONGEST]


def _results(target: Path) -> dict[str, Any]:
    path = target / "run_results.json"
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
