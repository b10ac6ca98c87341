"""What a party hands over, beside hand-computed values and scikit-learn's."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, confusion_matrix, log_loss

from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.histogram import Labels, Scores

SPEC = EvaluationSpec(bins=64)
SCORES = np.array([0.9, 0.6, 0.5, 0.2])
LABELS = np.array([True, False, True, False])


def evaluation_sums(scores: Scores, labels: Labels, spec: EvaluationSpec) -> Any:
    return evaluation_for(spec).sums(scores, labels.astype(float))


def drawn(rows: int, seed: int = 3) -> tuple[Scores, Labels]:
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.3
    return 1.0 / (1.0 + np.exp(-(rng.normal(size=rows) + labels))), labels


def test_four_rows_by_hand():
    sums = evaluation_sums(SCORES, LABELS, EvaluationSpec(bins=64, calibration_bins=4))
    assert sums["confusion"].tolist() == [1, 1, 1, 1]
    assert sums["brier"][0] == pytest.approx(0.01 + 0.36 + 0.25 + 0.04)
    assert sums["log_loss"][0] == pytest.approx(-math.log(0.9 * 0.4 * 0.5 * 0.8))
    assert sums["calibration_count"].tolist() == [1, 1, 1, 1]
    assert sums["calibration_positives"].tolist() == [0, 1, 0, 1]
    assert sums["calibration_score"].tolist() == [0.2, 0.5, 0.6, 0.9]
    assert sums["positives"].sum() == sums["negatives"].sum() == 2


def test_a_score_at_the_threshold_is_predicted_negative():
    spec = EvaluationSpec(bins=64, threshold=0.6)
    sums = evaluation_sums(np.array([0.6, 0.61]), np.array([True, True]), spec)
    assert sums["confusion"].tolist() == [1, 0, 1, 0]


def test_counts_are_integers_and_sums_are_floats():
    kinds = {name: a.dtype for name, a in evaluation_sums(SCORES, LABELS, SPEC).items()}
    floats = {"log_loss", "brier", "calibration_score"}
    assert {name for name, kind in kinds.items() if kind == np.float64} == floats
    assert {kinds[name] for name in kinds.keys() - floats} == {np.dtype(np.int64)}


@pytest.mark.parametrize("rows", [50, 1_000, 70_001])
def test_sums_are_those_of_scikit_learn(rows):
    scores, labels = drawn(rows)
    sums = evaluation_sums(scores, labels, SPEC)
    (tn, fp), (fn, tp) = confusion_matrix(labels, scores > 0.5)
    assert sums["confusion"].tolist() == [tp, fp, fn, tn]
    assert sums["log_loss"][0] / rows == pytest.approx(log_loss(labels, scores), 1e-12)
    brier = brier_score_loss(labels, scores)
    assert sums["brier"][0] / rows == pytest.approx(brier, 1e-12)


def test_the_calibration_cells_are_those_of_scikit_learn_even_on_their_edges():
    scores, labels = drawn(2_000)
    scores[:11] = np.linspace(0, 1, 11)
    sums = evaluation_sums(scores, labels, SPEC)
    filled = sums["calibration_count"] > 0
    counts = sums["calibration_count"][filled]
    rate, mean = calibration_curve(labels, scores, n_bins=10)
    np.testing.assert_allclose(sums["calibration_positives"][filled] / counts, rate)
    np.testing.assert_allclose(sums["calibration_score"][filled] / counts, mean)


def test_certain_and_wrong_costs_what_scikit_learn_says_and_no_more_than_the_bound():
    scores, labels = np.array([0.0, 1.0]), np.array([True, False])
    sums = evaluation_sums(scores, labels, SPEC)
    assert sums["log_loss"][0] / 2 == pytest.approx(log_loss(labels, scores), 1e-12)
    answers = evaluation_for(EvaluationSpec(bins=64, rows=2)).answers()
    for name in ("log_loss", "brier"):
        assert (sums[name] <= answers[name].bound).all()
    assert sums["brier"][0] == answers["brier"].bound == 2.0


def test_every_array_is_what_was_said_of_it_beforehand():
    sums = evaluation_sums(SCORES, LABELS, SPEC)
    answers = evaluation_for(SPEC).answers()
    assert {n: a.shape for n, a in sums.items()} == {
        n: answer.shape for n, answer in answers.items()
    }
    for name, array in sums.items():
        assert answers[name].integer == (array.dtype == np.int64)


def test_a_party_without_rows_hands_over_zeros():
    sums = evaluation_sums(np.empty(0), np.empty(0, dtype=bool), SPEC)
    assert all(not array.any() for array in sums.values())
    assert sums["positives"].shape == (64,)


@pytest.mark.parametrize("wrong", [np.nan, -0.01, 1.01, np.inf])
def test_a_score_that_is_no_probability_is_refused_without_being_shown(wrong):
    with pytest.raises(TrainingError) as caught:
        evaluation_sums(np.array([0.5, wrong]), np.array([True, False]), SPEC)
    assert str(wrong) not in str(caught.value) + caught.value.remedy


@pytest.mark.parametrize("labels", [np.array([1.0]), np.array([[1.0], [0.0]])])
def test_there_must_be_one_label_for_each_score(labels):
    with pytest.raises(TrainingError, match="belong together"):
        evaluation_for(SPEC).sums(np.array([0.5, 0.6]), labels)


@pytest.mark.parametrize(
    ("key", "value"),
    [("bins", 1), ("bins", 1 << 21), ("threshold", 1.0), ("calibration_bins", 0)],
)
def test_a_setting_out_of_range_is_named_in_the_error(key, value):
    with pytest.raises(ContractError, match=rf"evaluation\.{key}"):
        EvaluationSpec(**{key: value})


@pytest.mark.parametrize("wrong", [2.0, -1.0, 0.5, np.nan])
def test_a_label_of_neither_class_is_refused(wrong):
    with pytest.raises(TrainingError, match="neither"):
        evaluation_for(SPEC).sums(np.array([0.5, 0.6]), np.array([1.0, wrong]))
