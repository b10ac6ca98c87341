"""Preparation from sums equals scikit-learn's own transformers on the pooled rows."""

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.preparation.features import Feature, RawColumns, design, width
from fl_plugin.preparation.moments import count, counted, moments, scatter
from fl_plugin.preparation.splits import Split, row_hashes, uniform


def pooled_and_parts(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, 600)) * np.array([[1], [1e6], [1e-3], [0]]) + np.array(
        [[0], [3e6], [5], [7]]
    )
    x[:2, rng.random(600) < 0.1] = np.nan
    y = rng.random(600) < 0.3
    return x, y, [(x[:, a:b], y[a:b]) for a, b in ((0, 300), (300, 520), (520, 600))]


def sum_of(arrays):
    return np.sum(arrays, axis=0)


def federated(parts):
    everything = [count(x, y, np.ones(len(y), bool)) for x, y in parts]
    counts = {n: sum_of([c[n] for c, _ in everything]) for n in everything[0][0]}
    sums = {n: sum_of([s[n] for _, s in everything]) for n in everything[0][1]}
    first = counted(counts, sums)
    squares = sum_of([scatter(x, np.ones(len(y), bool), first.means) for x, y in parts])
    return moments(first, squares)


def test_moments_equal_the_imputer_and_the_scaler():
    x, _, parts = pooled_and_parts()
    found = federated(parts)
    pooled = make_pipeline(SimpleImputer(), StandardScaler()).fit(x.T)
    np.testing.assert_allclose(found.counted.means, pooled[0].statistics_, rtol=1e-13)
    np.testing.assert_allclose(found.scales, pooled[1].scale_, rtol=1e-12)


def test_the_design_equals_the_transformed_rows():
    x, y, parts = pooled_and_parts(3)
    found = federated(parts)
    raw = RawColumns(numeric=x, codes=(), sizes=(), target=y)
    made = design(raw, np.ones(600, bool), found.counted.means, found.scales)
    pooled = make_pipeline(SimpleImputer(), StandardScaler()).fit_transform(x.T)
    np.testing.assert_allclose(made.x.T, pooled, atol=1e-9)


def test_a_constant_feature_is_not_divided_by_nothing():
    _, _, parts = pooled_and_parts()
    assert federated(parts).scales[3] == 1.0


def test_an_unknown_category_gives_zeros():
    raw = RawColumns(
        numeric=np.empty((0, 4)),
        codes=(np.array([0, 2, -1, 1]),),
        sizes=(3,),
        target=np.zeros(4, bool),
    )
    made = design(raw, np.ones(4, bool), np.empty(0), np.empty(0))
    np.testing.assert_array_equal(
        made.x.T, [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]]
    )


def test_width_counts_numbers_once_and_categories_each():
    features = (
        Feature(name="a", kind="numeric"),
        Feature(name="b", kind="categorical", categories=("x", "y", "z")),
    )
    assert width(features) == 4


@pytest.mark.parametrize("y", [np.zeros(600, bool), np.ones(600, bool)])
def test_one_class_is_an_error(y):
    x, _, _ = pooled_and_parts()
    with pytest.raises(TrainingError, match="one class"):
        federated([(x, y)])


def test_a_feature_without_a_value_is_an_error():
    x, y, _ = pooled_and_parts()
    x[0] = np.nan
    with pytest.raises(TrainingError, match="no value"):
        federated([(x, y)])


def test_a_row_falls_into_one_fold_of_each_repeat():
    hashes = row_hashes(str(i).encode() for i in range(5000))
    for repeat in range(3):
        folds = [
            Split(name="cv", part="test", folds=5, repeat=repeat, fold=f).select(
                hashes, 7
            )
            for f in range(5)
        ]
        assert (np.sum(folds, axis=0) == 1).all()
        assert all(900 < f.sum() < 1100 for f in folds)


def test_folds_do_not_depend_on_who_holds_the_row():
    keys = [str(i).encode() for i in range(1000)]
    split = Split(name="holdout", part="test", share=0.2)
    together = split.select(row_hashes(keys), 11)
    apart = [
        split.select(row_hashes(keys[a:b]), 11) for a, b in ((0, 300), (300, 1000))
    ]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_another_seed_and_another_repeat_give_other_numbers():
    hashes = row_hashes(str(i).encode() for i in range(2000))
    one, two, three = (
        uniform(hashes, 1, 0),
        uniform(hashes, 2, 0),
        uniform(hashes, 1, 1),
    )
    for other in (two, three):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert 0.47 < one.mean() < 0.53


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "cv", "part": "train", "folds": 1000, "repeat": 0, "fold": 0},
        {"name": "cv", "part": "train", "folds": 5, "repeat": 0, "fold": 5},
        {"name": "cv", "part": "train", "folds": 5, "repeat": 999, "fold": 0},
        {"name": "cv", "part": "train", "folds": 5.0, "repeat": 0, "fold": 0},
        {"name": "cv", "part": "some", "folds": 5, "repeat": 0, "fold": 0},
        {"name": "holdout", "part": "train", "share": 0.999},
        {"name": "holdout", "part": "train", "share": float("nan")},
        {"name": "all", "part": "test"},
        {"name": "mine", "part": "train"},
        {"name": "cv", "part": "train", "where": "customer_id = 1"},
        {},
    ],
)
def test_a_selection_that_could_cut_out_single_rows_is_refused(raw):
    with pytest.raises(MessageError):
        Split.read(raw)
