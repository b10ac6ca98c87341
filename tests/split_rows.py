"""Rows for the split network: three domains, one with codes, and a label party."""

import numpy as np

from fl_plugin.algorithms.base import Block, DesignColumn, Target
from fl_plugin.vertical.base import PROTECTED, VerticalTask
from tests.vertical import sides

CODES = 5
TARGETS = {
    "binary": Target(kind="binary", classes=(False, True)),
    "multiclass": Target(kind="multiclass", classes=("a", "b", "c")),
    "regression": Target(kind="regression", classes=()),
    "count": Target(kind="count", classes=()),
}


def parties_of(kind="binary", rows=300, seed=0, *, own_features=False):
    """Return the sides; `shop` has a column of codes, `bank` the labels."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, rows))
    codes = rng.integers(0, CODES, rows).astype(np.float64)
    score = x[0] + x[1] * x[2] + 1.5 * (codes == 2) - 0.3
    y = {
        "binary": (score + 0.3 * rng.standard_normal(rows) > 0).astype(np.float64),
        "multiclass": np.digitize(score, [-0.5, 0.7]).astype(np.float64),
        "regression": 40.0 + 7.0 * score,
        "count": rng.poisson(np.exp(0.5 * np.clip(score, -3, 3))).astype(np.float64),
    }[kind]
    nothing = np.zeros(0)
    own = x[4:] if own_features else np.empty((0, rows))
    blocks = {
        "bank": Block(own, y),
        "post": Block(x[:2], nothing),
        "shop": Block(np.stack([x[2], codes, x[3]]), nothing),
    }
    coded = DesignColumn(name="kind", feature="kind", categorical=True, bins=CODES)
    columns = {
        "bank": tuple(DesignColumn(name="b", feature="b") for _ in own),
        "post": tuple(DesignColumn(name=n, feature=n) for n in ("p", "q")),
        "shop": (
            DesignColumn(name="r", feature="r"),
            coded,
            DesignColumn(name="s", feature="s"),
        ),
    }
    return sides(blocks, columns)


def task_of(parties, kind="binary", labels=PROTECTED, seed=3):
    """Return the task of these parties."""
    return VerticalTask(
        target=TARGETS[kind],
        widths={p: len(side.columns) for p, side in parties.items()},
        label_party="bank",
        rows=parties["post"].block.rows,
        labels=labels,
        seed=seed,
    )
