"""Fit an algorithm over several parties' arrays, as a run does, without a mesh."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

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
from fl_plugin.privacy.encoding import decode, encode, pack, unpack, words_shape
from fl_plugin.privacy.masking import PairwiseMasks
from fl_plugin.summand import Arrays, Summand


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
    names = [f"p{i}" for i in range(len(designs))]
    keys = {name: X25519PrivateKey.generate() for name in names}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    hide = masked and len(designs) > 2
    masks = [PairwiseMasks(n, "run", k, publics) for n, k in keys.items()] * hide
    asked = 0

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        nonlocal asked
        asked += 1
        parts = [worker.answer(question) for worker in workers]
        assert all(set(part) == set(expected) for part in parts)
        if algorithm.sees == "each":
            return algorithm.combine(parts)
        sums = {}
        for name, summand in expected.items():
            words = [encode(summand, part[name]) for part in parts]
            if hide:
                context = f"{asked}/{name}"
                words = [m.mask(w, context) for m, w in zip(masks, words, strict=True)]
            shape = words_shape(summand)
            sent = [pack(w, summand.width) for w in words]
            added = sum(unpack(s, shape, summand.width) for s in sent)
            sums[name] = decode(summand, added)
        return sums

    return solve(algorithm, task, total)
