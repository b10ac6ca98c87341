"""Medians, quartiles and edges from summed counts are those of the pooled rows."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.preprocessing import RobustScaler

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import TrainingError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.edges import quartiles
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import PreparationWorker, preparing
from fl_plugin.preparation.raw import RawBlock, RawMemory
from tests.preparing import prepare_over, solve_over

COLUMNS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: rng.lognormal(0, 5, n),
    "integers": lambda rng, n: rng.integers(-40, 40, n).astype(float),
    "rounded": lambda rng, n: np.round(rng.normal(size=n), 1),
    "constant": lambda rng, n: np.full(n, -2.25),
    "two values": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "half zero": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.5),
    "tiny": lambda rng, n: rng.normal(size=n) * 5e-324,
    "huge": lambda rng, n: rng.normal(size=n) * 1e300,
    "close": lambda rng, n: 5.0 + rng.normal(size=n) * 1e-12,
    "heavy tie": lambda rng, n: np.where(rng.random(n) < 0.95, 7.0, rng.normal(size=n)),
    "gaps": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "negative zero": lambda rng, n: np.where(rng.random(n) < 0.5, -0.0, 0.0),
}


def rows_of(n, seed=0):
    rng = np.random.default_rng(seed)
    x = np.stack([made(rng, n) for made in COLUMNS.values()])
    return RawBlock(x, (), np.zeros(n))


def schema_of(**facts):
    features = tuple(Feature(name=name, kind="numeric") for name in COLUMNS)
    known = {"prepares": "bins", "edges": "exact", "min_cohort": 20, **facts}
    return Schema(features, target=Target(kind="none", classes=()), **known)


def thirds(block):
    n = block.rows
    ends = (0, n // 2, n // 2 + n // 3, n)
    return [block.at(slice(a, b)) for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize("rows", [7, 254, 255, 256, 510, 1_000, 4_321])
@pytest.mark.parametrize("bins", [2, 16, 255])
def test_exact_edges_are_scikit_learns_bit_for_bit(rows, bins):
    block = rows_of(rows, seed=rows)
    plan = PreparationPlan(edges="exact", max_bins=bins)
    found = prepare_over(schema_of(), plan, thirds(block))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy on huge numbers
        mapper = _BinMapper(n_bins=bins + 1).fit(block.numeric.T)
    for name, ours, theirs in zip(
        COLUMNS, found.edges, mapper.bin_thresholds_, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_bins_are_scikit_learns():
    block = rows_of(2_000)
    found = prepare_over(schema_of(), PreparationPlan(edges="exact"), thirds(block))
    mapper = _BinMapper().fit(block.numeric.T)
    ours = found.design_block(block).x
    np.testing.assert_array_equal(ours.T, mapper.transform(block.numeric.T))


@pytest.mark.parametrize("rows", [9, 100, 101, 102, 103, 2_000])
def test_exact_medians_and_quartiles_are_scikit_learns_bit_for_bit(rows):
    block = rows_of(rows, seed=rows)
    plan = PreparationPlan(edges="exact", numeric="robust", max_bins=2)
    found = prepare_over(schema_of(), plan, thirds(block))
    pooled = RobustScaler().fit(block.numeric.T)
    np.testing.assert_array_equal(found.centers, pooled.center_)
    np.testing.assert_array_equal(found.scales, pooled.scale_)


def test_the_number_of_parties_changes_nothing():
    block = rows_of(700)
    schema, plan = schema_of(), PreparationPlan(edges="exact", numeric="robust")
    cuts = [[], [350], [100, 101, 500], list(range(10, 700, 30))]
    found = []
    for cut in cuts:
        ends = [0, *cut, 700]
        pairs = itertools.pairwise(ends)
        parts = [block.at(slice(a, b)) for a, b in pairs]
        found.append(prepare_over(schema, plan, parts).to_wire()[1])
    for other in found[1:]:
        for name, array in found[0].items():
            assert array.tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize(("edges", "most"), [("exact", 14), ("k_anonymous", 8)])
def test_all_features_and_ranks_share_each_round(edges, most):
    block = rows_of(3_000)
    schema = schema_of(edges=edges)
    workers = [
        PreparationWorker(schema, RawMemory(p), np.ones(p.rows, bool))
        for p in thirds(block)
    ]
    plan = PreparationPlan(edges=edges)
    _, seen = solve_over(preparing(schema, plan), workers, schema)
    assert len(seen) <= most


def test_counts_that_do_not_add_up_are_refused():
    block = rows_of(500)
    schema = schema_of()
    worker = PreparationWorker(schema, RawMemory(block), np.ones(500, bool))
    rounds = preparing(schema, PreparationPlan(edges="exact"))
    question = next(rounds)
    for _ in range(3):
        question = rounds.send(worker.answer(question.arrays))
    counts = worker.answer(question.arrays)["counts"]
    counts[0, 0] += 1
    with pytest.raises(TrainingError, match="counted wrongly"):
        rounds.send({"counts": counts})


def test_rows_read_again_each_round_give_the_same(monkeypatch):
    block = rows_of(900)
    plan = PreparationPlan(edges="exact")
    kept = prepare_over(schema_of(), plan, thirds(block))
    monkeypatch.setattr("fl_plugin.preparation.worker.KEPT_KEYS", 0)
    monkeypatch.setattr("fl_plugin.preparation.raw.ROWS", 64)
    again = prepare_over(schema_of(), plan, thirds(block))
    for ours, theirs in zip(kept.edges, again.edges, strict=True):
        assert ours.tobytes() == theirs.tobytes()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40))
def test_quartiles_are_numpys_bit_for_bit(values):
    ordered = np.sort(np.array(values)) + 0.0
    found = quartiles(lambda ranks: ordered[ranks - 1], len(ordered))
    np.testing.assert_array_equal(found, np.percentile(ordered, [25, 75]))
