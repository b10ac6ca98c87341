"""Every metric by hand and beside scikit-learn's; what is undefined is None."""

import json
import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.dummy import DummyClassifier

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)
from fl_plugin.evaluation.histogram import Labels, Scores, score_bins
from fl_plugin.evaluation.metrics import Interval, Metrics

SPEC = EvaluationSpec(bins=256)
SCORES = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2, 0.1, 0.05])
LABELS = np.array([1, 1, 0, 1, 0, 0, 1, 0], dtype=bool)


def drawn(rows: int, seed: int = 6) -> tuple[Scores, Labels]:
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.3
    return 1.0 / (1.0 + np.exp(-(rng.normal(size=rows) + labels - 0.5))), labels


class Named:
    """Metrics whose figures are attributes, for short tests."""

    def __init__(self, found: Metrics) -> None:
        self.found = found

    def __getattr__(self, name: str) -> Any:
        return self.found.figures.get(name, getattr(self.found, name, None))


def sums_for(scores: Scores, labels: Labels, spec: EvaluationSpec = SPEC) -> Any:
    return evaluation_for(spec).sums(scores, labels.astype(float))


def metrics_for(
    scores: Scores, labels: Labels, spec: EvaluationSpec = SPEC, min_cell: int = 1
) -> Any:
    totals = sums_for(scores, labels, spec)
    return Named(evaluation_for(spec).metrics(totals, min_cell))


def baseline(train_positives: int, train: int, positives: int, rows: int) -> Any:
    totals = sums_for(np.full(rows, 0.4), np.arange(rows) < positives)
    counts = (train - train_positives, train_positives)
    return Named(baseline_metrics(SPEC, totals, counts))


def test_eight_rows_by_hand():
    found = metrics_for(SCORES, LABELS)
    assert found.rows == 8
    assert found.confusion == ((3, 1), (2, 2))
    assert found.accuracy == 5 / 8
    assert found.balanced_accuracy == (2 / 4 + 3 / 4) / 2
    assert found.precision == 2 / 3
    assert found.recall == 2 / 4
    assert found.f1 == 4 / 7
    # Of 16 pairs: 4, 4, 3 and 1 negatives below the positives.
    assert found.roc_auc == Interval(12 / 16, 12 / 16, 12 / 16)
    average = (1 / 1 + 2 / 2 + 3 / 4 + 4 / 7) / 4
    assert found.pr_auc.value == pytest.approx(average)
    assert found.ks.value == 0.5
    terms = 0.9 * 0.8 * 0.3 * 0.4 * 0.7 * 0.8 * 0.1 * 0.95
    assert found.log_loss == pytest.approx(-math.log(terms) / 8)
    squares = 0.01 + 0.04 + 0.49 + 0.36 + 0.09 + 0.04 + 0.81 + 0.0025
    assert found.brier == pytest.approx(squares / 8)


def test_the_interval_of_eight_rows_by_hand():
    found = metrics_for(SCORES, LABELS).intervals["roc_auc"]
    positives, negatives = [1, 1, 0.75, 0.25], [0.5, 0.75, 0.75, 1]
    variance = np.var(positives, ddof=1) / 4 + np.var(negatives, ddof=1) / 4
    assert found.value == 0.75
    assert found.low == pytest.approx(0.75 - 1.959963984540054 * variance**0.5)
    assert found.high == 1.0


def test_curves_of_eight_rows_by_hand():
    curves = metrics_for(SCORES, LABELS).curves
    corners = [(0, 0), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 3), (3, 4), (4, 4)]
    assert curves.roc == tuple((fp / 4, tp / 4) for fp, tp in corners)
    assert curves.pr[0] == (0.0, 1.0)
    assert curves.pr[1:] == tuple((tp / 4, tp / (tp + fp)) for fp, tp in corners[1:])
    assert curves.gain == tuple(((tp + fp) / 8, tp / 4) for fp, tp in corners)


@pytest.mark.parametrize("rows", [40, 1_000, 100_000])
def test_every_metric_is_scikit_learns(rows):
    scores, labels = drawn(rows)
    found = metrics_for(scores, labels)
    bins, predicted = score_bins(scores, SPEC.bins), scores > 0.5
    wanted = {
        "log_loss": oracle.log_loss(labels, scores),
        "brier": oracle.brier_score_loss(labels, scores),
        "accuracy": oracle.accuracy_score(labels, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(labels, predicted),
        "precision": oracle.precision_score(labels, predicted),
        "recall": oracle.recall_score(labels, predicted),
        "f1": oracle.f1_score(labels, predicted),
    }
    assert {name: getattr(found, name) for name in wanted} == pytest.approx(
        wanted, rel=1e-12
    )
    assert found.roc_auc.value == pytest.approx(
        oracle.roc_auc_score(labels, bins), abs=1e-13
    )
    assert found.roc_auc.low <= oracle.roc_auc_score(labels, scores)
    assert found.roc_auc.high >= oracle.roc_auc_score(labels, scores)
    assert found.pr_auc.value == pytest.approx(
        oracle.average_precision_score(labels, bins), abs=1e-13
    )


@pytest.mark.parametrize("rows", [3, 250, 100_000])
@pytest.mark.parametrize("min_cell", [1, 10])
def test_curves_have_at_most_200_points_and_never_turn_back(rows, min_cell):
    scores, labels = drawn(rows)
    labels[:2] = [True, False]
    spec = EvaluationSpec(bins=16_384)
    curves = metrics_for(scores, labels, spec, min_cell).curves
    roc, pr = np.array(curves.roc), np.array(curves.pr)
    assert 2 <= len(roc) == len(pr) <= 200
    assert (np.diff(roc, axis=0) >= 0).all()
    assert (np.diff(pr[:, 0]) >= 0).all()
    assert curves.roc[0] == (0.0, 0.0)
    assert curves.roc[-1] == (1.0, 1.0)
    assert curves.pr[-1] == (1.0, pytest.approx(labels.mean()))


def test_a_thinned_curve_still_has_the_area():
    scores, labels = drawn(100_000)
    spec = EvaluationSpec(bins=16_384)
    found = metrics_for(scores, labels, spec, min_cell=10)
    area = np.trapezoid(*np.array(found.curves.roc).T[::-1])
    assert area == pytest.approx(found.roc_auc.value, abs=2e-4)


def test_the_rare_class_keeps_its_steps_in_the_curve():
    rng = np.random.default_rng(7)
    labels = np.arange(200_000) < 400
    scores = 1.0 / (1.0 + np.exp(-(rng.normal(size=labels.size) - 4 + 5 * labels)))
    curves = metrics_for(scores, labels, EvaluationSpec(bins=16_384), 10).curves
    assert sum(recall < 0.5 for recall, _ in curves.pr) > 15


def test_no_step_of_a_curve_rests_on_fewer_rows_than_a_cell_may_have():
    scores, labels = drawn(300)
    roc = np.array(metrics_for(scores, labels, min_cell=10).curves.roc)
    positives = int(labels.sum())
    rows = roc @ [300 - positives, positives]
    assert np.diff(rows).min() > 10 - 1e-9
    assert len(roc) > 20


def test_calibration_cells_say_what_was_predicted_and_what_came():
    scores, labels = np.array([0.05, 0.15, 0.25, 0.95]), np.array([0, 1, 0, 1]) > 0
    spec = EvaluationSpec(bins=256, calibration_bins=2)
    low, high = metrics_for(scores, labels, spec).calibration
    assert (low.low, low.high, high.low, high.high) == (0.0, 0.5, 0.5, 1.0)
    assert (low.mean_score, low.rate, low.share) == (pytest.approx(0.15), 1 / 3, 0.75)
    assert (high.mean_score, high.rate, high.share) == (0.95, 1.0, 0.25)


def test_a_small_calibration_cell_is_suppressed_and_cannot_be_subtracted_back():
    scores = np.repeat([0.05, 0.35, 0.55, 0.95], [40, 30, 20, 3])
    labels = np.arange(93) % 3 == 0
    cells = metrics_for(scores, labels, min_cell=10).calibration
    shown = [i for i, cell in enumerate(cells) if cell.share is not None]
    # Three rows alone are what the others lack: the next smallest cell goes too.
    assert shown == [0, 3]
    assert all(cells[i].rate is None and cells[i].mean_score is None for i in (5, 9))


def test_cells_hidden_together_need_no_further_cell():
    scores = np.repeat([0.05, 0.35, 0.55, 0.95], [40, 30, 6, 7])
    cells = metrics_for(scores, np.arange(83) % 3 == 0, min_cell=10).calibration
    assert [i for i, cell in enumerate(cells) if cell.share is not None] == [0, 3]


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_gives_none_and_no_warning(label):
    found = metrics_for(np.array([0.2, 0.7, 0.8]), np.full(3, label))
    for name in ("roc_auc", "pr_auc", "ks", "gini", "ndcg", "balanced_accuracy"):
        assert getattr(found, name) is None
    assert "roc_auc" not in found.intervals
    assert found.curves.roc == found.curves.pr == found.curves.gain == ()
    assert found.ranking == ()
    assert found.log_loss > 0
    assert found.accuracy == (2 / 3 if label else 1 / 3)
    assert found.recall == (2 / 3 if label else None)


def test_nothing_predicted_positive_leaves_precision_open_and_f1_zero():
    found = metrics_for(np.array([0.2, 0.3]), np.array([True, False]))
    assert (found.precision, found.recall, found.f1) == (None, 0.0, 0.0)


def test_no_rows_give_no_figure():
    found = metrics_for(np.empty(0), np.empty(0, dtype=bool))
    assert found.rows == 0
    for name in ("roc_auc", "log_loss", "brier", "accuracy", "precision", "f1"):
        assert getattr(found, name) is None


@pytest.mark.parametrize("rows", [0, 1, 8, 500])
def test_the_json_is_plain_and_complete(rows):
    scores, labels = drawn(rows)
    found = metrics_for(scores, labels, min_cell=10).found
    plain = found.to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain.keys() == found.__dataclass_fields__.keys()


def test_sums_as_they_come_from_fixed_point_give_the_same_metrics():
    scores, labels = drawn(500)
    sums = sums_for(scores, labels)
    grid = 2.0**-40
    for name in ("log_loss", "brier", "calibration_score"):
        sums[name] = np.rint(sums[name] / grid) * grid
    found, exact = (
        Named(evaluation_for(SPEC).metrics(sums)),
        metrics_for(scores, labels, min_cell=10),
    )
    assert found.roc_auc == exact.roc_auc
    assert found.log_loss == pytest.approx(exact.log_loss, abs=1e-11)


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("positives", np.zeros(255, dtype=np.int64)),
        ("confusion", np.array([2, 1, 2, -3])),
        ("confusion", np.array([2, 1, 2, 4])),
        ("confusion", np.array([1, 2, 2, 3])),
        ("brier", np.array([np.nan, 1.0])),
        ("brier", np.array([np.inf, 1.0])),
        ("brier", np.array([1.0])),
        ("calibration_positives", np.array([4, *[0] * 9])),
        ("calibration_count", np.full(10, 2)),
    ],
)
def test_sums_that_contradict_each_other_are_refused_by_name(name, spoilt):
    sums = sums_for(SCORES, LABELS) | {name: spoilt}
    with pytest.raises(MessageError, match="cannot be used"):
        evaluation_for(SPEC).metrics(sums)


def test_a_missing_array_is_named():
    sums = sums_for(SCORES, LABELS)
    del sums["brier"]
    with pytest.raises(MessageError, match="brier is missing"):
        evaluation_for(SPEC).metrics(sums)


def test_the_majority_baseline_by_hand():
    found = baseline(30, 100, 6, 10)
    for bracket, value in ((found.roc_auc, 0.5), (found.pr_auc, 0.6), (found.ks, 0.0)):
        assert (bracket.value, bracket.low, bracket.high) == (value, value, value)
    assert found.confusion == ((4, 0), (6, 0))
    assert found.accuracy == 0.4
    assert found.brier == pytest.approx(0.6 * 0.49 + 0.4 * 0.09)
    assert found.log_loss == pytest.approx(-0.6 * math.log(0.3) - 0.4 * math.log(0.7))
    assert found.curves.roc == ((0.0, 0.0), (1.0, 1.0))


@pytest.mark.parametrize("train_positives", [0, 30, 70, 100])
def test_the_majority_baseline_is_scikit_learns_prior_classifier(train_positives):
    y_train, y_test = np.arange(100) < train_positives, np.arange(40) < 15
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((100, 1)), y_train)
    predicted = dummy.predict(np.zeros((40, 1)))
    chances = np.full(40, train_positives / 100)
    found = baseline(train_positives, 100, 15, 40)
    assert found.accuracy == oracle.accuracy_score(y_test, predicted)
    assert found.brier == pytest.approx(oracle.brier_score_loss(y_test, chances))
    assert found.log_loss == pytest.approx(oracle.log_loss(y_test, chances))
    assert found.pr_auc.value == oracle.average_precision_score(y_test, chances)


def test_the_majority_baseline_on_one_class_has_no_ranking():
    found = baseline(3, 10, 0, 5)
    assert found.roc_auc is None
    assert found.accuracy == 1.0


@pytest.mark.parametrize("counts", [(0, 0, 1, 2), (3, 2, 1, 2)])
def test_an_impossible_baseline_is_refused(counts):
    with pytest.raises(TrainingError):
        baseline(*counts)


def test_the_intervals_of_shares_and_of_mean_losses_by_hand():
    found = metrics_for(SCORES, LABELS).intervals
    z = 1.959963984540054
    square = z * z
    centre = (3 / 4 + square / 8) / (1 + square / 4)
    half = z * math.sqrt((3 / 16) / 4 + square / 64) / (1 + square / 4)
    some = metrics_for(SCORES, LABELS, EvaluationSpec(bins=256, threshold=0.15))
    recall = some.intervals["recall"]
    assert (recall.value, recall.low) == (3 / 4, pytest.approx(centre - half))
    losses = (SCORES - LABELS) ** 2
    half = z * losses.std(ddof=1) / math.sqrt(8)
    assert found["brier"].low == pytest.approx(losses.mean() - half)
    assert found["brier"].high == pytest.approx(losses.mean() + half)


def test_the_baselines_train_counts_may_name_only_two_classes():
    with pytest.raises(TrainingError, match="classes"):
        baseline_metrics(SPEC, sums_for(SCORES, LABELS), (1, 2, 3))


def test_equally_frequent_classes_are_all_called_negative():
    assert baseline(50, 100, 6, 10).confusion == ((4, 0), (6, 0))
    assert baseline(51, 100, 6, 10).confusion == ((0, 4), (0, 6))


def test_the_expected_calibration_error_by_hand():
    scores, labels = np.array([0.05, 0.15, 0.25, 0.95]), np.array([0, 1, 0, 1]) > 0
    spec = EvaluationSpec(bins=256, calibration_bins=2)
    found = metrics_for(scores, labels, spec)
    wanted = 0.75 * abs(0.15 - 1 / 3) + 0.25 * abs(0.95 - 1)
    assert found.calibration_error == pytest.approx(wanted)
