"""A small made mesh with a binary target, and its study trained over any engine."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa

from fl_plugin.coordinator.decisions import insist, with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import Trained, train
from fl_plugin.coordinator.traffic import Transport
from fl_plugin.engines.embedded import Embedded
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.plan.draft import draft
from tests.made_mesh import CONSUMER, STUDY, Made

FIVE = ("ash", "birch", "cedar", "elm", "fir")
THREE = FIVE[:3]
SEED = 11
ROWS = 160


def some_rows(place: int, rows: int = ROWS) -> pa.Table:
    """Return one domain's rows; no two domains are alike."""
    random = np.random.default_rng(place)
    a = random.normal(place / 3, 1.0, rows)
    b = random.normal(size=rows)
    return pa.table(
        {
            "row_id": np.arange(rows) + 10_000 * place,
            "a": a,
            "b": b,
            "color": np.array(["blue", "red"])[random.integers(0, 2, rows)],
            "bad": a - b + random.logistic(size=rows) > 0.5,
        }
    )


def small(
    domains: Sequence[str] = FIVE,
    *,
    rows: int = ROWS,
    study: Mapping[str, Any] | None = None,
    node: Mapping[str, Any] | None = None,
) -> Made:
    """Return a mesh of these domains; one of `FIVE` has the same rows in each."""
    known = [*FIVE, *(d for d in domains if d not in FIVE)]
    return Made(
        tables={d: some_rows(known.index(d), rows) for d in domains},
        study={
            "algorithm": {"name": "logistic_regression", "l2": 1.0},
            "target": "bad",
            "features": ["a", "b", "color"],
            "evaluation": {"folds": 0},
            "seed": SEED,
            **(study or {}),
        },
        roles={"bad": ["label"]},
        accepted={"color": ["blue", "red"]},
        node=node or {},
    )


def trained_over(
    root: Path, wrap: Callable[[Transport], Transport]
) -> tuple[Trained, Federation]:
    """Train a made mesh's study over the embedded engine with something around it."""
    manifest = read_manifest(root / "target/manifest.json")
    plan = draft(manifest.studies[STUDY], manifest, "tester")
    folders = [root / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, CONSUMER) as engine:
        # Domains keep what an unfinished run has asked, under its id.
        federation = Federation(f"run-{uuid4().hex[:8]}", wrap(engine))
        plan = with_decisions(plan, federation)
        insist(plan)
        return train(plan, federation), federation
