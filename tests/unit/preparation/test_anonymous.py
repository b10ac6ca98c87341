"""Attacks on the search for edges: no row's value, and no few rows, come out of it."""

import numpy as np
import pytest

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import MessageError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import PreparationWorker, answers, preparing
from fl_plugin.preparation.keys import keys_of
from fl_plugin.preparation.raw import RawBlock, RawMemory
from tests.preparing import parts_of, prepare_over, solve_over

K = 20
CANARY = 1234567.890123


def rows_of(n=3_000, seed=0):
    rng = np.random.default_rng(seed)
    x = np.stack(
        [
            rng.normal(size=n),
            rng.integers(18, 90, n).astype(float),
            np.round(rng.lognormal(3, 1, n), 2),
            rng.integers(-3, 4, n) * 1.0,
            np.where(rng.random(n) < 0.98, 0.0, rng.exponential(size=n)),
            2.0 ** rng.integers(-8, 8, n),
            -rng.integers(1, 1_000, n) / 8,  # borders of cells without an offset
            np.where(rng.random(n) < 0.4, np.nan, rng.integers(0, 1_000, n) / 8),
        ]
    )
    x[0, 17] = CANARY
    return RawBlock(x, (), np.zeros(n))


def schema_of(block, **facts):
    features = tuple(
        Feature(name=f"f{i}", kind="numeric") for i in range(len(block.numeric))
    )
    target = Target(kind="none", classes=())
    known = {"prepares": "bins", "min_cohort": K, **facts}
    return Schema(features, target=target, **known)


def prepared_of(block, **words):
    return prepare_over(schema_of(block), PreparationPlan(**words), parts_of(block))


PLANS = [{}, {"max_bins": 16}, {"impute": "mean"}, {"impute": "median"}]


@pytest.mark.parametrize("words", PLANS)
@pytest.mark.parametrize("seed", range(5))
def test_no_edge_is_a_value_of_a_row(words, seed):
    block = rows_of(seed=seed)
    found = prepared_of(block, **words)
    assert sum(map(len, found.edges)) > 100 or "max_bins" in words
    for edges, values in zip(found.edges, block.numeric, strict=True):
        assert not np.isin(edges, values).any()


@pytest.mark.parametrize("words", PLANS)
@pytest.mark.parametrize("seed", range(5))
def test_no_bin_holds_a_few_rows(words, seed):
    block = rows_of(seed=seed)
    found = prepared_of(block, **words)
    for i, edges in enumerate(found.edges):
        own = block.numeric[i][~np.isnan(block.numeric[i])]
        counts = np.bincount(np.searchsorted(edges, own), minlength=len(edges) + 1)
        assert (counts >= K).all()


def test_no_median_or_quartile_is_a_value_of_a_row():
    block = rows_of()
    found = prepared_of(block, impute="median", numeric="robust")
    for i, values in enumerate(block.numeric):
        assert not np.isin([found.fills[i], found.centers[i]], values).any()


def test_the_rank_error_is_below_the_cohort():
    block = rows_of(20_000)
    found = prepared_of(block, max_bins=32)
    values = np.sort(block.numeric[0])
    ranks = np.searchsorted(values, found.edges[0], side="right")
    wanted = np.ceil(20_000 * np.arange(1, 32) / 32)
    assert np.abs(ranks - wanted).max() < K


def test_a_lonely_value_stands_in_nothing_that_was_asked_or_answered():
    block = rows_of()
    schema = schema_of(block)
    workers = [
        PreparationWorker(schema, RawMemory(p), np.ones(p.rows, bool))
        for p in parts_of(block)
    ]
    found, seen = solve_over(preparing(schema, PreparationPlan()), workers, schema)
    _, arrays = found.to_wire()
    edges = np.concatenate(found.edges)
    assert np.abs(edges - CANARY).min() > 0.4 * CANARY
    told = [a for question, sums in seen for a in (*question.values(), *sums.values())]
    key = int(keys_of(np.array([CANARY]))[0])
    for array in [*told, *arrays.values()]:
        assert CANARY not in array
        # Not even by the number of a cell that has no others in it.
        if array.dtype == np.int64:
            assert not any(key >> shift in array for shift in range(44))


def test_nothing_is_asked_about_a_cell_with_fewer_rows_than_the_cohort():
    block = rows_of()
    schema = schema_of(block)
    workers = [
        PreparationWorker(schema, RawMemory(p), np.ones(p.rows, bool))
        for p in parts_of(block)
    ]
    _, seen = solve_over(preparing(schema, PreparationPlan()), workers, schema)
    searched = [sums["counts"] for _, sums in seen if "counts" in sums]
    assert len(searched) > 4
    for counts in searched:
        assert (counts.sum(axis=1) >= K).all()


def search(level, features, cells, most=10_000):
    return {
        "level": np.array([level]),
        "features": np.array(features),
        "cells": np.array(cells),
        "most": np.array([most]),
    }


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"means": np.zeros(3)},
        {"means": np.full(8, np.nan)},
        {"means": np.zeros(8, dtype=np.float32)},
        {"sums": np.array([2]), "categories": np.array([0])},
        {"sums": np.array([1.0]), "categories": np.array([0])},
        {"sums": np.array([1])},
        search(7, [0], [0]),  # finer than may be without exact edges
        search(-1, [0], [0]),
        search(0, [8], [0]),
        search(0, [-1], [0]),
        search(0, [0], [1]),
        search(1, [0], [32]),
        search(1, [0], [-1]),
        search(1, [0, 0], [3, 3]),
        search(1, [0, 0], [4, 3]),
        search(1, [1, 0], [3, 3]),
        search(1, [0, 0], [3]),
        search(1, [], []),
        search(3, [0] * 1_025, list(range(1_025))),
        search(1, [0], [3], most=2**41),
        search(1, [0], [3], most=-1),
        {**search(1, [0], [3]), "more": np.zeros(1)},
        {**search(1, [0], [3]), "cells": np.array([3.0])},
        {**search(1, [0], [3]), "cells": np.array([[3]])},
    ],
)
def test_a_question_that_no_preparation_asks_is_refused(question):
    with pytest.raises(MessageError):
        answers(question, schema_of(rows_of(100)))


def worker_of(**facts):
    block = rows_of(200)
    schema = schema_of(block, **facts)
    return PreparationWorker(schema, RawMemory(block), np.ones(200, bool))


def test_a_search_cannot_jump_to_a_cell_it_has_not_come_through():
    worker = worker_of()
    worker.answer(search(0, [0], [0]))
    worker.answer(search(1, [0], [17]))
    with pytest.raises(MessageError):
        worker.answer(search(2, [0], [18 * 32]))


def test_a_search_cannot_skip_a_level_or_begin_in_the_middle():
    worker = worker_of()
    with pytest.raises(MessageError):
        worker.answer(search(1, [0], [3]))
    worker.answer(search(0, [0], [0]))
    with pytest.raises(MessageError):
        worker.answer(search(2, [0], [0]))


def test_a_third_search_is_refused():
    worker = worker_of()
    for _ in range(2):
        worker.answer(search(0, [0], [0]))
    with pytest.raises(MessageError):
        worker.answer(search(0, [0], [0]))


def test_only_exact_edges_may_be_looked_for_to_the_last_digit():
    answers(search(7, [0], [0]), schema_of(rows_of(100), edges="exact"))
    with pytest.raises(MessageError):
        answers(search(13, [0], [0]), schema_of(rows_of(100), edges="exact"))


def test_a_search_for_cuts_answers_nothing_else():
    schema = schema_of(rows_of(100), prepares="cuts")
    for question in (
        {"means": np.zeros(8)},
        {"sums": np.array([1]), "categories": np.array([0])},
        {"sums": np.array([0]), "categories": np.array([1])},
    ):
        with pytest.raises(MessageError):
            answers(question, schema)
