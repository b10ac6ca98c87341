"""Small rows that every algorithm can learn from, for each kind of target it takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fl_plugin.algorithms.base import (
    Algorithm,
    Block,
    DesignColumn,
    Fitted,
    Target,
    Task,
    solve,
)
from fl_plugin.summand import Arrays, Summand
from tests.federated import fit_over, task_over

ROWS, WIDTH, EDGES = 420, 4, 12
CUTS = (150, 330)
MISSING = 255


@dataclass(frozen=True)
class Case:
    """An algorithm, three parties' rows and the public facts about them."""

    algorithm: Algorithm
    parts: tuple[Block, ...]
    task: Task

    def fit(self, parts: Sequence[Block] | None = None) -> Fitted:
        """Fit over these parts, or over the case's own."""
        parts = self.parts if parts is None else parts
        return fit_over(self.algorithm, facts(self.task, parts), parts)


def facts(task: Task, parts: Sequence[Block]) -> Task:
    """Return the task for as many parties as there are parts."""
    return task_over(
        parts,
        task.target,
        columns=task.columns,
        mean_square=task.mean_square,
        seed=task.seed,
    )


def case_of(kind: type[Algorithm], target: str) -> Case:
    """Return rows with that kind of target, prepared as the algorithm wants them."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, WIDTH)) @ (np.eye(WIDTH) + 0.3)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = _target(target, x, rng)
    hashes = rng.integers(0, 2**64, ROWS, dtype=np.uint64)
    columns, design = _binned(x) if kind.prepares == "bins" else _plain(x)
    whole = Block(design, y, hashes)
    classes = {"binary": (False, True), "multiclass": ("a", "b", "c")}.get(target, ())
    task = task_over(
        [whole], Target(kind=target, classes=classes), columns=columns, seed=5
    )
    parts = cut(whole, CUTS)
    return Case(kind(), parts, facts(task, parts))


def cut(block: Block, ends: Sequence[int]) -> tuple[Block, ...]:
    """Return consecutive rows as parties hold them."""
    xs = np.split(block.x, ends, axis=1)
    ys, hashes = np.split(block.y, ends), np.split(block.hashes, ends)
    return tuple(
        Block(np.ascontiguousarray(a), b, c)
        for a, b, c in zip(xs, ys, hashes, strict=True)
    )


def pooled(parts: Sequence[Block]) -> Block:
    """Return all parts' rows in one place."""
    return Block(
        np.concatenate([p.x for p in parts], axis=1),
        np.concatenate([p.y for p in parts]),
        np.concatenate([p.hashes for p in parts]),
    )


def conversation(case: Case) -> Iterator[tuple[list[Arrays], Arrays]]:
    """Yield each question of a fit, with those before it."""
    before: list[Arrays] = []
    for question in questions(case):
        yield list(before), question
        before.append(question)


def questions(case: Case) -> list[Arrays]:
    """Return every question of a fit."""
    workers = [case.algorithm.worker(case.task, part) for part in case.parts]
    asked: list[Arrays] = []

    def total(question: Arrays, expected: Mapping[str, Summand]) -> Arrays:
        asked.append({name: array.copy() for name, array in question.items()})
        parts = [worker.answer(question) for worker in workers]
        if case.algorithm.sees == "each":
            return case.algorithm.combine(parts)
        return {n: np.sum([part[n] for part in parts], axis=0) for n in expected}

    solve(case.algorithm, case.task, total)
    return asked


def unlike(case: Case) -> list[tuple[list[Arrays], Arrays]]:
    """Return the first question of each kind that a fit asks, with those before it."""
    found: dict[str, tuple[list[Arrays], Arrays]] = {}
    for before, question in conversation(case):
        words = [(n, a.dtype.str, a.shape) for n, a in sorted(question.items())]
        found.setdefault(str(words), (before, question))
    return list(found.values())[:4]


def _target(kind: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    line = x @ np.linspace(-0.6, 0.5, x.shape[1])
    if kind == "binary":
        return (line + rng.logistic(size=len(x)) > 0).astype(float)
    if kind == "multiclass":
        return np.digitize(line + rng.logistic(size=len(x)), [-0.7, 0.7]).astype(float)
    if kind == "count":
        return rng.poisson(np.exp(line)).astype(float)
    if kind == "regression":  # positive, so that every family knows it
        return rng.gamma(3.0, np.exp(0.5 * line))
    return np.zeros(len(x))


def _plain(x: np.ndarray) -> tuple[tuple[DesignColumn, ...], np.ndarray]:
    columns = tuple(
        DesignColumn(name=f"x{j}", feature=f"x{j}") for j in range(x.shape[1])
    )
    return columns, np.ascontiguousarray(x.T)


def _binned(x: np.ndarray) -> tuple[tuple[DesignColumn, ...], np.ndarray]:
    """Bin the columns; the last is categorical, the first has missing values."""
    edges = [np.quantile(column, np.linspace(0, 1, EDGES + 2)[1:-1]) for column in x.T]
    bins = np.array(
        [np.searchsorted(e, c) for e, c in zip(edges, x.T, strict=True)], np.uint8
    )
    bins[0, ::9] = MISSING
    columns = tuple(
        DesignColumn(
            name=f"x{j}",
            feature=f"x{j}",
            categorical=j == WIDTH - 1,
            edges=None if j == WIDTH - 1 else edges[j],
            bins=EDGES + 1,
        )
        for j in range(WIDTH)
    )
    return columns, bins
