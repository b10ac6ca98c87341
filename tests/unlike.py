"""Rows of a few domains that differ, as blocks, and the same rows in one place."""

from typing import Any

import numpy as np

from fl_plugin.algorithms.base import Block


def unlike(
    sizes: tuple[int, ...] = (400, 250, 90), width: int = 5, classes: int = 2, seed=1
) -> list[Block]:
    """Return one block a domain: shifted columns, another share of every class."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(width, classes))
    found = []
    for place, size in enumerate(sizes):
        x = rng.normal(size=(size, width)) + 0.4 * place
        scores = (
            x @ weights + rng.gumbel(size=(size, classes)) + [0.3 * place] * classes
        )
        y = scores.argmax(axis=1).astype(np.float64)
        hashes = rng.integers(2**64, size=size, dtype=np.uint64)
        found.append(Block(np.ascontiguousarray(x.T), y, hashes))
    return found


def pooled(blocks: list[Block]) -> tuple[Any, Any]:
    """Return all rows, (rows, columns) and (rows,)."""
    x = np.concatenate([block.x.T for block in blocks])
    return x, np.concatenate([block.y for block in blocks])


def attributes(estimator: Any) -> dict[str, Any]:
    """Return what a fitted estimator says it learned."""
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.endswith("__")
    }
