"""Which rows train and which test: the same at any number of domains."""

import itertools
from dataclasses import asdict

import numpy as np
import pytest

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.preparation.cuts import Strata, cutting_time, time_schema, time_worker
from fl_plugin.preparation.splits import Split, row_hashes, uniform
from tests.preparing import solve_over

ROWS = 4_000
HASHES = row_hashes(str(i).encode() for i in range(ROWS))
SEED = 11


def classes_of(rows=ROWS):
    return np.random.default_rng(3).choice(3, rows, p=[0.7, 0.25, 0.05]) * 1.0


def cuts_of(strata, ends):
    y = classes_of()
    workers = [
        strata.worker(HASHES[a:b], y[a:b], SEED) for a, b in itertools.pairwise(ends)
    ]
    cuts, seen = solve_over(strata.cutting(), workers, strata.schema)
    assert len(seen) <= 8
    return cuts


def cut_of(times, ends, share=0.2):
    workers = [time_worker(times[a:b], 20) for a, b in itertools.pairwise(ends)]
    return solve_over(cutting_time(share, 20), workers, time_schema(20))[0]


def test_a_row_falls_into_one_fold_of_each_repeat():
    for repeat in range(3):
        folds = [
            Split(name="cv", part="test", folds=5, repeat=repeat, fold=f).select(
                HASHES, 7
            )
            for f in range(5)
        ]
        assert (np.sum(folds, axis=0) == 1).all()
        assert all(700 < f.sum() < 900 for f in folds)


def test_folds_do_not_depend_on_who_holds_the_row():
    split = Split(name="holdout", part="test", share=0.2)
    together = split.select(HASHES, SEED)
    apart = [split.select(HASHES[a:b], SEED) for a, b in ((0, 300), (300, ROWS))]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_another_seed_and_another_repeat_give_other_numbers():
    one, two, three = (
        uniform(HASHES, 1, 0),
        uniform(HASHES, 2, 0),
        uniform(HASHES, 1, 1),
    )
    for other in (two, three):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert 0.47 < one.mean() < 0.53


def test_stratified_cuts_are_the_same_at_any_number_of_domains():
    strata = Strata(classes=3, folds=5, repeats=2)
    one, many = cuts_of(strata, (0, ROWS)), cuts_of(strata, tuple(range(0, 4_001, 100)))
    assert one == many


def test_every_stratified_fold_has_its_share_of_every_class():
    strata, y = Strata(classes=3, folds=5, repeats=2), classes_of()
    cuts = cuts_of(strata, (0, 1_500, ROWS))
    for repeat in range(2):
        splits = [
            Split.read(
                {
                    "name": "cv",
                    "part": "test",
                    "folds": 5,
                    "repeat": repeat,
                    "fold": fold,
                    "cuts": [list(c) for c in cuts[repeat]],
                }
            )
            for fold in range(5)
        ]
        folds = [s.select(HASHES, SEED, classes=y) for s in splits]
        assert (np.sum(folds, axis=0) == 1).all()
        for index in range(3):
            sizes = [int((y[fold] == index).sum()) for fold in folds]
            assert max(sizes) - min(sizes) <= 1
        train = splits[0].other().select(HASHES, SEED, classes=y)
        np.testing.assert_array_equal(train, ~folds[0])


def test_a_class_too_small_for_its_folds_is_an_error():
    y = np.zeros(ROWS)
    y[:4] = 1.0
    strata = Strata(classes=2, folds=5, repeats=1)
    with pytest.raises(TrainingError, match="too few rows"):
        solve_over(strata.cutting(), [strata.worker(HASHES, y, SEED)], strata.schema)


def test_rows_of_one_group_stay_in_one_fold():
    groups = np.arange(ROWS) // 7
    hashes = row_hashes(str(g).encode() for g in groups)
    split = Split(name="cv", part="test", folds=4, fold=2)
    test = split.select(hashes, SEED)
    for group in np.unique(groups):
        assert len(np.unique(test[groups == group])) == 1
    assert 700 < test.sum() < 1_300


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_the_latest_rows_are_held_out_by_time(share):
    times = 1.7e9 + np.random.default_rng(0).uniform(0, 3e7, ROWS)
    cut = cut_of(times, (0, 1_000, 3_500, ROWS), share)
    assert cut == cut_of(times, (0, ROWS), share)
    split = Split(name="time", part="test", share=share, cut=cut)
    test = Split.read(asdict(split)).select(HASHES, SEED, times=times)
    assert abs(int(test.sum()) - share * ROWS) < 20
    assert times[test].min() > times[~test].max()
    assert cut not in times


@pytest.mark.parametrize("times", [np.full(ROWS, 1.7e9), np.full(30, 1.7e9)])
def test_rows_that_time_does_not_divide_are_an_error(times):
    with pytest.raises(TrainingError, match="Too few rows"):
        cut_of(times, (0, len(times)))


def test_a_split_that_needs_classes_or_times_does_not_go_without():
    stratified = Split(name="cv", part="test", folds=2, cuts=((0.5,),))
    timed = Split(name="time", part="test", cut=5.0)
    for split in (stratified, timed):
        with pytest.raises(MessageError):
            split.select(HASHES, SEED)
    with pytest.raises(MessageError):
        stratified.select(HASHES, SEED, classes=classes_of())
    with pytest.raises(MessageError):
        timed.select(HASHES, SEED, times=np.zeros(3))


CV = {"name": "cv", "part": "train", "folds": 4, "repeat": 0, "fold": 0}


@pytest.mark.parametrize(
    "raw",
    [
        CV,
        CV | {"cuts": [[0.2, 0.5, 0.7]]},
        {"name": "all", "part": "train"},
        {"name": "holdout", "part": "test", "share": 0.3},
        {"name": "time", "part": "test", "share": 0.3, "cut": -1e9},
    ],
)
def test_a_split_survives_a_message(raw):
    split = Split.read(raw)
    assert Split.read(asdict(split)) == split
    hash(split)


@pytest.mark.parametrize(
    "raw",
    [
        CV | {"folds": 1000},
        CV | {"fold": 4},
        CV | {"repeat": 999},
        CV | {"folds": 4.0},
        CV | {"folds": True},
        CV | {"part": "some"},
        CV | {"where": "customer_id = 1"},
        CV | {"cuts": [[0.2, 0.5]]},
        CV | {"cuts": [[0.2, 0.5, 0.5]]},
        CV | {"cuts": [[0.2, 0.5, 0.51]]},
        CV | {"cuts": [[0.7, 0.5, 0.2]]},
        CV | {"cuts": [[0.2, 0.5, float("nan")]]},
        CV | {"cuts": [[0.2, 0.5, "1"]]},
        CV | {"cuts": [[0.2, 0.5, 1.2]]},
        CV | {"cuts": [0.2, 0.5, 0.7]},
        CV | {"cuts": [[0.2, 0.5, 0.7]] * 1_001},
        CV | {"cuts": 3},
        CV | {"share": []},
        {"name": "holdout", "part": "train", "share": 0.999},
        {"name": "holdout", "part": "train", "share": float("nan")},
        {"name": "holdout", "part": "train", "share": 0.2, "cuts": [[0.5]]},
        {"name": "time", "part": "test", "cut": float("inf")},
        {"name": "time", "part": "test", "cut": "2020-01-01"},
        {"name": "all", "part": "test"},
        {"name": "mine", "part": "train"},
        {},
    ],
)
def test_a_selection_that_could_cut_out_single_rows_is_refused(raw):
    with pytest.raises(MessageError):
        Split.read(raw)
