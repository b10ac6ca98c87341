"""Fit an algorithm over several parties' arrays, as a run does, without a mesh."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fl_plugin.algorithms.base import (
    Algorithm,
    Block,
    Design,
    DesignColumn,
    Fitted,
    Target,
    Task,
    solve,
)
from fl_plugin.summand import Arrays, Summand
from tests.masked_sums import MaskedSums


def task_over(
    blocks: Sequence[Block], target: Target | None = None, **facts: Any
) -> Task:
    """Return the public facts about these parties' rows together."""
    x = np.concatenate([b.x for b in blocks], axis=1)
    y = np.concatenate([b.y for b in blocks])
    target = target or Target()
    counts = (
        tuple(int((y == i).sum()) for i in range(len(target.classes)))
        if target.kind in {"binary", "multiclass"}
        else ()
    )
    columns = tuple(DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(len(x)))
    known: dict[str, Any] = {
        "target": target,
        "columns": columns,
        "rows": len(y),
        "parties": len(blocks),
        "mean_square": float((x.astype(float) ** 2).mean(axis=1).max(initial=0.0)),
        "target_mean": float(y.mean()),
        "target_mean_square": float((y**2).mean()),
        "class_counts": counts,
    }
    return Task(**{**known, **facts})


def fit_over(
    algorithm: Algorithm, task: Task, designs: Sequence[Design], *, masked: bool = True
) -> Fitted:
    """Fit over these parties: every part is encoded, masked, cut, added, decoded."""
    workers = [algorithm.worker(task, design) for design in designs]
    sums = MaskedSums(len(designs), masked=masked)

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        parts = [worker.answer(question) for worker in workers]
        assert all(set(part) == set(expected) for part in parts)
        if algorithm.sees == "each":
            return algorithm.combine(parts)
        return sums.add(parts, expected)

    return solve(algorithm, task, total)
