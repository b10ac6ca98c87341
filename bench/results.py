"""Measurements as JSON lines, and the table made of them.

A line of kind `made` says how those after it were made. A `measured` one is one side,
once; the table divides the federated by the pooled ones, medians over repeats. Nothing
in the table is typed by hand.
"""

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

BEGIN, END = "<!-- bench.table begins -->", "<!-- bench.table ends -->"
OURS = "this project"
PACKAGES = ("scikit-learn", "numpy", "scipy", "cryptography")
HEADER = (
    "system",
    "what, against which pooled fit",
    "rows",
    "domains",
    "CPU ratio",
    "wall ratio, in turn",
    "wall ratio, at once",
    "largest difference",
    "rounds",
    "bytes, party and round",
    "MB, party",
    "peak MB (pooled)",
)
# Sides of one process with one thread: on a quiet machine it has a core all the time.
_ALONE = frozenset({"pooled", "together"})
_WAITING = 1.1
Line = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Key:
    """What one row of the table is about."""

    system: str
    what: str
    rows: int
    domains: int

    @classmethod
    def of(cls, line: Line) -> "Key":
        """Return that of a measurement."""
        return cls(line["system"], line["what"], line["rows"], line["domains"])


def made(sets: str, repeats: int) -> dict[str, Any]:
    """Return the first line: machine, versions, time, load."""
    return {
        "kind": "made",
        "command": f"python -m bench.table {sets}",
        "repeats": repeats,
        "time": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
        ),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "load": round(os.getloadavg()[0], 1),
    }


def read(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def drop(
    file: Path, names: frozenset[str], size: tuple[int, int] | None = None
) -> None:
    """Forget what is measured again; how the others were made is kept.

    Args:
        file: Of JSON lines.
        names: Of families and systems; none for all.
        size: Rows and domains; None for all.
    """

    def again(line: Line) -> bool:
        named = not names or bool(names & {line["what"], line["system"]})
        return named and size in {None, (line["rows"], line["domains"])}

    kept = [
        line
        for line in (read(file) if (names or size) and file.exists() else [])
        if line["kind"] != "measured" or not again(line)
    ]
    file.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in kept))


def append(file: Path, line: Line) -> None:
    """Add a line; what was measured is kept if a later measurement fails."""
    with file.open("a") as stream:
        stream.write(json.dumps(dict(line), sort_keys=True) + "\n")


def table(lines: Iterable[Line]) -> list[tuple[str, ...]]:
    """Return the cells, row by row, by size, without the header."""
    groups: dict[Key, list[Line]] = {}
    lines = sorted(
        lines, key=lambda line: (line.get("rows", 0), line.get("domains", 0))
    )
    for line in lines:
        if line["kind"] == "measured":
            groups.setdefault(Key.of(line), []).append(line)
    return [row for key, group in groups.items() for row in _rows(key, group)]


def _size(line: Line) -> tuple[int, int]:
    return line.get("rows", 0), line.get("domains", 0)


def markdown(lines: Sequence[Line]) -> str:
    """Return the table with how it was made, as Markdown."""
    rows = [HEADER, *table(lines)]
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    texts = [_markdown_row(row, wide) for row in rows]
    texts.insert(1, "|" + "|".join("-" * (w + 2) for w in wide) + "|")
    return "\n".join([*_how(lines), "", *texts, *_weights(lines)])


def write_into(page: Path, lines: Sequence[Line]) -> None:
    """Put the table between the page's two marks."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page.name} lacks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{markdown(lines)}\n{END}{after}")


def _rows(key: Key, group: Sequence[Line]) -> list[tuple[str, ...]]:
    """One row for each pooled fit; one that says why, where there is no measurement."""
    failed = next((line for line in group if "error" in line), None)
    if failed is not None:
        blank = ("",) * (len(HEADER) - 5)
        return [(*_name(key, ""), str(failed["error"]), *blank)]
    pooled = [line for line in group if line["side"] == "pooled"]
    rivals = list(dict.fromkeys(line["rival"] for line in pooled))
    return [_row(key, group, rival) for rival in rivals]


def _row(key: Key, group: Sequence[Line], rival: str) -> tuple[str, ...]:
    pooled = [line for line in group if line["side"] == "pooled"]
    against = [line for line in pooled if line["rival"] == rival]
    turn = [line for line in group if line["side"] == "together"]
    once = [line for line in group if line["side"] in {"apart", "federated"}]
    shown = turn or once
    first = shown[0]
    twin = rival == pooled[0]["rival"]
    return (
        *_name(key, rival),
        _ratio(shown, against, "cpu"),
        _ratio(turn, against, "wall"),
        _ratio(once, against, "wall"),
        f"{first['difference']:.1e}" if twin and "difference" in first else "",
        f"{first['rounds']}",
        *_traffic(first, key.domains),
        f"{_middle(once or turn, 'peak_mb'):.0f} ({_middle(against, 'peak_mb'):.0f})",
    )


def _name(key: Key, rival: str) -> tuple[str, ...]:
    what = f"{key.what}: {rival}" if rival else key.what
    return (key.system, what, f"{key.rows:,}", str(key.domains))


def _middle(lines: Sequence[Line], name: str) -> float:
    return median(float(line[name]) for line in lines) if lines else math.nan


def _ratio(ours: Sequence[Line], pooled: Sequence[Line], name: str) -> str:
    value = _middle(ours, name) / _middle(pooled, name)
    return "" if math.isnan(value) else f"{value:.2f}"


def _traffic(line: Line, domains: int) -> tuple[str, str]:
    """What a party sends per round and in all; of peers, what crossed their device."""
    star = "" if "bytes_up" in line else " *"
    sent = line.get("bytes_up", line["loopback"] / domains)
    if not sent:
        return "not measured", ""
    return f"{sent / line['rounds']:,.0f}{star}", f"{sent / 1e6:.3g}{star}"


def _markdown_row(row: Sequence[str], wide: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, wide, strict=True)]
    return "| " + " | ".join(cells) + " |"


def _how(lines: Sequence[Line]) -> list[str]:
    said = []
    for head in (line for line in lines if line["kind"] == "made"):
        versions = ", ".join(f"{n} {v}" for n, v in head["versions"].items())
        said.append(
            f"Made by `{head['command']}` on {head['time']}: {head['cores']} cores "
            f"({head['processor']}), {head['memory_gb']} GB; Python {head['python']}, "
            f"{versions}; {head['repeats']} repeat(s), medians."
        )
    waited = [
        line["wall"] / line["cpu"] for line in lines if line.get("side") in _ALONE
    ]
    late = sum(ratio > _WAITING for ratio in waited)
    if late:
        said.append(
            f"**The machine was not quiet**: {late} of {len(waited)} measurements of "
            "one process waited for a core for more than a tenth of their time. Do not "
            "trust wall ratios, and take CPU ratios as rough."
        )
    return said


def _weights(lines: Sequence[Line]) -> list[str]:
    """What each peer weighs, where one was measured."""
    peers = {line["peer"]: line for line in lines if line["kind"] == "peer"}.values()
    if not peers:
        return []
    rows = [("peer", "packages of its own", "unpacked MB")]
    rows += [(p["peer"], p["main"], f"{p['unpacked_mb']:.0f}") for p in peers]
    wide = [max(len(row[i]) for row in rows) for i in range(3)]
    texts = [_markdown_row(row, wide) for row in rows]
    texts.insert(1, "|" + "|".join("-" * (w + 2) for w in wide) + "|")
    return ["", *texts]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
