"""The private parts of scikit-learn that boosting stands on are as they were in 1.9."""

import inspect

import numpy as np
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting import grower

from fl_plugin.algorithms.boosting import compiled

ADVICE = (
    f"scikit-learn {sklearn.__version__} changed its private module "
    "sklearn.ensemble._hist_gradient_boosting: read what changed there, adapt "
    "fl_plugin/algorithms/boosting/compiled.py, and move the pin in pyproject.toml"
)


def rules(columns: int) -> compiled.SplitRules:
    none = np.zeros(columns, dtype=np.int64)
    return compiled.SplitRules(
        bins=none + 4,
        missing=none,
        categorical=none,
        monotonic=none,
        l2=0.0,
        smallest_leaf=1,
        constant_hessian=False,
    )


def test_the_version_is_the_one_that_was_read():
    assert sklearn.__version__.startswith("1.9."), ADVICE


def test_records_have_the_fields_that_are_written():
    assert [(n, str(t[0])) for n, t in compiled.HISTOGRAM_DTYPE.fields.items()] == [
        ("sum_gradients", "float64"),
        ("sum_hessians", "float64"),
        ("count", "uint32"),
    ], ADVICE
    assert list(compiled.PREDICTOR_RECORD_DTYPE.names) == [
        "value",
        "count",
        "feature_idx",
        "num_threshold",
        "missing_go_to_left",
        "left",
        "right",
        "gain",
        "depth",
        "is_leaf",
        "bin_threshold",
        "is_categorical",
        "bitset_idx",
    ], ADVICE


def test_histograms_are_sums_over_the_rows_that_are_named():
    x = np.asfortranarray(np.array([[0, 1], [3, 1], [0, 2], [3, 255]], dtype=np.uint8))
    gradients = np.array([1, 2, 4, 8], dtype=np.float32)
    sums = compiled.Sums(x, gradients, gradients * 2)
    try:
        found = sums.over(np.array([0, 2, 3], dtype=np.uint32)).reshape(2, 256)
    except (AttributeError, TypeError) as error:
        pytest.fail(f"{ADVICE}: {error}")
    assert found["sum_gradients"][0, [0, 1, 3]].tolist() == [5, 0, 8], ADVICE
    assert found["sum_hessians"][1, [1, 2, 255]].tolist() == [2, 8, 16], ADVICE
    assert found["count"].sum() == 6, ADVICE


def test_rows_are_split_and_their_leaves_added():
    x = np.asfortranarray(np.array([[0], [1], [2], [255], [3]], dtype=np.uint8))
    try:
        partition = compiled.Partition(x, rules(1))
        split = compiled.split_of(0, 1, left=True, members=None)
        partition.split(0, (1, 2), split)
        raw = np.zeros(5)
        partition.add({1: 1.0, 2: 2.0}, raw)
        members = np.zeros(8, dtype=np.int64)
        members[0] = 1 << 2
        by_set = compiled.split_of(0, 0, left=False, members=members)
        partition.split(2, (3, 4), by_set)
    except (AttributeError, TypeError) as error:
        pytest.fail(f"{ADVICE}: {error}")
    assert raw.tolist() == [1, 1, 2, 1, 2], ADVICE
    assert partition.rows(3).tolist() == [2], ADVICE
    assert partition.rows(4).tolist() == [4], ADVICE


def test_a_fitted_estimator_has_the_attributes_that_are_set():
    x = np.arange(100.0).reshape(-1, 1)
    own = HistGradientBoostingClassifier(max_iter=1).fit(x, x[:, 0] > 50)
    expected = {
        "_baseline_prediction",
        "_bin_mapper",
        "_is_categorical_remapped",
        "_label_encoder",
        "_loss",
        "_n_features",
        "_predictors",
        "_preprocessor",
        "_random_seed",
        "_scorer",
        "_use_validation_data",
        "classes_",
        "do_early_stopping_",
        "is_categorical_",
        "n_features_in_",
        "n_trees_per_iteration_",
        "train_score_",
        "validation_score_",
    }
    found = set(vars(own)) - set(own.get_params())
    # The generator of a fraction of columns per split: never used here.
    assert found - {"_feature_subsample_rng"} == expected, ADVICE
    assert {
        "bin_thresholds_",
        "is_categorical_",
        "missing_values_bin_idx_",
        "n_bins_non_missing_",
    } <= set(vars(own._bin_mapper)), ADVICE


def test_growth_follows_the_rules_that_were_copied():
    source = inspect.getsource(grower.TreeGrower.split_next)
    for rule in (
        "n_leaf_nodes == self.max_leaf_nodes",
        "depth == self.max_depth",
        "left_child_node.n_samples < self.min_samples_leaf * 2",
        "left_child_node.n_samples > right_child_node.n_samples",
        "mid = (left_child_node.value + right_child_node.value) / 2",
    ):
        assert rule in source, ADVICE
