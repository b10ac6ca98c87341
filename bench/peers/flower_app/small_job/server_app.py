"""The coordinator's half of the small job, as Flower's ServerApp."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict  # type: ignore[import-not-found,unused-ignore]
from flwr.serverapp import Grid, ServerApp  # type: ignore[import-not-found,unused-ignore]

from bench.peers import job

app = ServerApp()
OUT = "flower.json"
_PATIENCE = 600.0


def fit(grid: Grid, which: str, folder: str, parties: int) -> dict[str, Any]:
    """Run the job's rounds; return when it started, what each took, the weights."""
    nodes: list[int] = []
    while len(nodes) < parties:
        nodes = sorted(grid.get_node_ids())
        time.sleep(0.05)
    started, seconds = time.time(), []
    weights = np.zeros(job.COLUMNS + 1)
    for _ in range(job.rounds_of(which)):
        begun = time.perf_counter()
        weights = _round(grid, which, folder, weights, nodes)
        seconds.append(time.perf_counter() - begun)
    return {"started": started, "rounds": seconds, "weights": weights.tolist()}


def _round(
    grid: Grid, which: str, folder: str, weights: job.Floats, nodes: list[int]
) -> job.Floats:
    content: dict[str, Any] = {
        "arrays": ArrayRecord([weights]),
        "config": ConfigRecord({"job": which, "folder": folder}),
    }
    asked: Iterable[Message] = [
        Message(RecordDict(dict(content)), dst_node_id=node, message_type="train")
        for node in nodes
    ]
    replies = list(grid.send_and_receive(asked, timeout=_PATIENCE))
    found: list[Any] = [m.content for m in replies if not m.has_error()]
    if len(found) < len(nodes):
        raise RuntimeError(f"{len(found)} of {len(nodes)} nodes answered")
    arrays = [c["arrays"].to_numpy_ndarrays() for c in found]
    if which == "exact":
        return job.newton(weights, [(g, h) for g, h in arrays])
    rows = [int(c["metrics"]["rows"]) for c in found]
    return job.average([(a[0], n) for a, n in zip(arrays, rows, strict=True)])


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Fit, and write what came out: whole, or not at all."""
    asked = context.run_config
    folder = Path(str(asked["folder"]))
    found = fit(grid, str(asked["job"]), str(folder), int(asked["parties"]))
    part = folder / f"{OUT}.part"
    part.write_text(json.dumps(found))
    part.rename(folder / OUT)
