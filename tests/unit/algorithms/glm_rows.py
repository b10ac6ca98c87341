"""Rows of three unlike parties for the generalised linear models."""

import numpy as np

from fl_plugin.algorithms.base import Block, Target
from tests.federated import task_over

CLASSES = ("blue", "green", "red")
CUTS = (1_000, 1_600)
ROWS = 1_900


def columns(seed=1, width=6, *, scaled=True):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(width, width)) * 0.4 + np.eye(width)
    x = rng.normal(size=(ROWS, width)) @ mixing
    x[: CUTS[0]] += 0.7  # one party's rows lie elsewhere
    x[:, 0] = x[:, 0] > 0.4
    return (x - x.mean(axis=0)) / x.std(axis=0) if scaled else x


def target(kind, x, seed=2):
    rng = np.random.default_rng(seed)
    line = x @ np.linspace(-0.5, 0.6, x.shape[1])
    if kind == "binary":
        return (line + rng.logistic(size=len(x)) > 0.3).astype(float)
    if kind == "multiclass":
        lines = x @ np.random.default_rng(5).normal(size=(x.shape[1], 3)) * 0.7
        return (lines + rng.gumbel(size=lines.shape)).argmax(axis=1).astype(float)
    if kind == "count":
        return rng.poisson(np.exp(line)).astype(float)
    if kind == "positive":
        return rng.gamma(2.0, np.exp(line) / 2.0)
    if kind == "zeros":
        return rng.poisson(np.exp(line)) * rng.gamma(2.0, 1.0, len(x))
    return line + rng.normal(size=len(x))


def blocks(x, y, cuts=CUTS):
    parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return [Block(np.ascontiguousarray(a.T), b) for a, b in parts]


def held(kind, known, *, x=None, y=None, cuts=CUTS):
    """Return pooled x and y, the parties' blocks and the task."""
    x = columns() if x is None else x
    y = target(kind, x) if y is None else y
    classes = {"multiclass": CLASSES, "binary": (False, True)}.get(known, ())
    parts = blocks(x, y, cuts)
    return x, y, parts, task_over(parts, Target(kind=known, classes=classes))


def attributes(estimator):
    """Return what fitting gave an estimator, by name."""
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") or name.startswith("_")
    }
