"""Fit a preparation over parties in memory, through the sums that a real run makes."""

import itertools
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fl_plugin.algorithms.base import Question, Target, Worker
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import PreparationWorker, answers, preparing
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import RawBlock, RawMemory
from fl_plugin.summand import Arrays
from tests.masked_sums import MaskedSums

PURPOSES = ("boat", "car", "house", "rare a", "rare b")
RATES = (1, 2, 3)
FEATURES = (
    Feature(name="amount", kind="numeric"),
    Feature(name="purpose", kind="categorical", categories=PURPOSES),
    Feature(name="age", kind="numeric"),
    Feature(name="income", kind="numeric"),
    Feature(name="phone", kind="categorical", categories=(False, True)),
    Feature(name="rate", kind="categorical", categories=RATES),
    Feature(name="branch", kind="numeric"),
)


def some_rows(rows: int = 1_500, seed: int = 0) -> RawBlock:
    """Return rows of FEATURES: gaps, ties, a constant, rare categories, -0.0."""
    rng = np.random.default_rng(seed)
    numeric = np.stack(
        [
            rng.lognormal(8, 1, rows),
            rng.integers(18, 90, rows).astype(float),
            np.round(rng.normal(size=rows), 2) * 1e6,
            np.full(rows, 3.5),
        ]
    )
    numeric[0, rng.random(rows) < 0.2] = np.nan
    numeric[2, rng.random(rows) < 0.05] = np.nan
    numeric[2, :3] = -0.0
    purpose = rng.choice(5, rows, p=[0.3, 0.4, 0.28, 0.015, 0.005])
    purpose[rng.random(rows) < 0.02] = -1
    codes = (purpose, rng.integers(0, 2, rows), rng.integers(0, 3, rows))
    target = (rng.random(rows) < 0.3).astype(float)
    hashes = rng.integers(0, 2**63, rows).astype(np.uint64)
    return RawBlock(numeric, codes, target, hashes)


def table_of(block: RawBlock, features: Sequence[Feature] = FEATURES) -> pa.Table:
    """Return the rows as somebody who holds all of them would see them."""
    numbers, codes = iter(block.numeric), iter(block.codes)
    columns: dict[str, Any] = {}
    for feature in features:
        if feature.kind == "numeric":
            columns[feature.name] = pa.array(next(numbers), from_pandas=True)
        else:
            known = [*(feature.categories or ()), None]
            columns[feature.name] = pa.array([known[c] for c in next(codes)])
    return pa.table(columns)


def schema_of(prepares: str = "matrix", **facts: Any) -> Schema:
    """Return the schema of FEATURES with a binary target."""
    known: dict[str, Any] = {"target": Target(), "min_cohort": 20, **facts}
    return Schema(FEATURES, prepares=prepares, **known)


def parts_of(block: RawBlock, cuts: Sequence[int] = (500, 900)) -> list[RawBlock]:
    """Return the rows of three domains, or as many as the cuts make."""
    ends = [0, *cuts, block.rows]
    return [block.at(slice(a, b)) for a, b in itertools.pairwise(ends)]


def prepare_over(
    schema: Schema, plan: PreparationPlan, parts: Sequence[RawBlock]
) -> Prepared:
    """Fit over these parties: encoded, masked, cut, added, decoded."""
    workers = [
        PreparationWorker(schema, RawMemory(part), np.ones(part.rows, dtype=bool))
        for part in parts
    ]
    found, _ = solve_over(preparing(schema, plan), workers, schema)
    prepared: Prepared = found
    return prepared


def solve_over(
    rounds: Generator[Question, Arrays, Any],
    workers: Sequence[Worker],
    schema: Schema,
) -> tuple[Any, list[tuple[Arrays, Arrays]]]:
    """Return what the rounds come to, and each question with its sums."""
    seen: list[tuple[Arrays, Arrays]] = []
    masks = MaskedSums(len(workers))
    try:
        question = next(rounds).arrays
        while True:
            expected = answers(question, schema)
            parts = [worker.answer(question) for worker in workers]
            sums = masks.add(parts, expected)
            seen.append((question, sums))
            question = rounds.send(sums).arrays
    except StopIteration as end:
        return end.value, seen
