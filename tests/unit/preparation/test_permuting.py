"""Permuting one feature among a party's rows: keyed, and the same from any side."""

import numpy as np
import pytest

from fl_plugin.algorithms.base import Block
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.permuting import (
    Permutation,
    permuted_design,
    permuted_rows,
)
from fl_plugin.preparation.raw import RawMemory
from fl_plugin.preparation.splits import row_hashes
from tests.preparing import FEATURES, parts_of, prepare_over, schema_of, some_rows

SEED, ROWS = 11, 2_000
HASHES = row_hashes(str(i).encode() for i in range(ROWS))
AGE = Permutation(feature="age", repeat=0)
PLANS = {
    "matrix": PreparationPlan(indicators=True),
    "bins": PreparationPlan(max_bins=20),
}


class InPieces(RawMemory):
    """Rows that are read in small blocks, as from a disk."""

    def blocks(self, size=257, chosen=None):
        return super().blocks(size, chosen)


def joined(blocks):
    found = list(blocks)
    return (
        np.concatenate([b.x for b in found], axis=1),
        np.concatenate([b.y for b in found]),
        np.concatenate([b.hashes for b in found]),
    )


def test_every_row_gives_its_value_to_one():
    order = AGE.order(HASHES, SEED)
    np.testing.assert_array_equal(np.sort(order), np.arange(ROWS))
    assert (order == np.arange(ROWS)).sum() < 10


def test_a_row_takes_the_same_row_s_value_in_whatever_order_they_lie():
    order = AGE.order(HASHES, SEED)
    takes = dict(zip(HASHES.tolist(), HASHES[order].tolist(), strict=True))
    shuffled = np.random.default_rng(0).permutation(HASHES)
    again = shuffled[AGE.order(shuffled, SEED)]
    assert dict(zip(shuffled.tolist(), again.tolist(), strict=True)) == takes


def test_another_feature_repeat_or_seed_is_another_draw():
    others = [
        Permutation(feature="age", repeat=1).order(HASHES, SEED),
        Permutation(feature="amount", repeat=0).order(HASHES, SEED),
        AGE.order(HASHES, SEED + 1),
    ]
    first = AGE.order(HASHES, SEED)
    for other in others:
        assert (other == first).mean() < 0.01
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_every_place_is_as_likely_as_any_other():
    """Chi-square of where one of eight rows goes, over 4,000 seeds."""
    few = HASHES[:8]
    went = [int(AGE.order(few, seed)[3]) for seed in range(4_000)]
    counts = np.bincount(went, minlength=8)
    assert ((counts - 500) ** 2 / 500).sum() < 29.9  # one in ten thousand


@pytest.mark.parametrize("rows", [0, 1])
def test_of_one_row_or_none_nothing_is_permuted(rows):
    np.testing.assert_array_equal(AGE.order(HASHES[:rows], SEED), np.arange(rows))


@pytest.mark.parametrize("prepares", PLANS)
@pytest.mark.parametrize("feature", [f.name for f in FEATURES])
def test_prepared_rows_and_rows_to_be_prepared_give_the_same(prepares, feature):
    raw = some_rows(3_000)
    prepared = prepare_over(schema_of(prepares), PLANS[prepares], parts_of(raw))
    chosen = np.random.default_rng(5).random(raw.rows) < 0.4
    design = prepared.design_block(raw.at(chosen))
    order = Permutation(feature=feature, repeat=2).order(design.hashes, SEED)
    in_memory = joined(permuted_design(design, prepared.columns, feature, order))
    rows = InPieces(raw)
    streamed = joined(permuted_rows(rows, chosen, prepared, feature, order))
    for one, other in zip(in_memory, streamed, strict=True):
        np.testing.assert_array_equal(one, other)
    by_hand = design.x.copy()
    for i, column in enumerate(prepared.columns):
        if column.feature == feature:
            by_hand[i] = design.x[i][order]
    np.testing.assert_array_equal(in_memory[0], by_hand)
    np.testing.assert_array_equal(in_memory[1], design.y)


def test_the_rows_themselves_stay_as_they_are():
    raw = some_rows(500)
    prepared = prepare_over(schema_of(), PLANS["matrix"], parts_of(raw, (200,)))
    design = prepared.design_block(raw)
    before = design.x.copy(), raw.numeric.copy(), [c.copy() for c in raw.codes]
    order = AGE.order(design.hashes, SEED)
    everything = np.ones(raw.rows, dtype=bool)
    for name in ("age", "purpose"):
        joined(permuted_design(design, prepared.columns, name, order))
        joined(permuted_rows(RawMemory(raw), everything, prepared, name, order))
    np.testing.assert_array_equal(design.x, before[0])
    np.testing.assert_array_equal(raw.numeric, before[1])
    np.testing.assert_array_equal(raw.codes, before[2])


def test_where_no_row_is_chosen_there_is_nothing():
    raw = some_rows(500)
    prepared = prepare_over(schema_of(), PLANS["matrix"], parts_of(raw, (200,)))
    nobody, order = np.zeros(raw.rows, dtype=bool), np.zeros(0, dtype=np.int64)
    assert not list(permuted_rows(RawMemory(raw), nobody, prepared, "age", order))
    none = Block(np.zeros((len(prepared.columns), 0)), np.zeros(0))
    assert not list(permuted_design(none, prepared.columns, "age", order))
