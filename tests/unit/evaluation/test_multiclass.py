"""Several classes, by hand and beside scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.dummy import DummyClassifier

from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)
from fl_plugin.evaluation.histogram import score_bins

SPEC = EvaluationSpec(kind="multiclass", classes=("a", "b", "c"), bins=256)
CHANCES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.4, 0.1]])
Y = np.array([0.0, 1.0, 2.0, 1.0])


def drawn(rows: int, classes: int = 4, seed: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    y[:classes] = np.arange(classes)
    logits = rng.normal(size=(rows, classes))
    logits[np.arange(rows), y] += 1.2
    chances = np.exp(logits)
    return chances / chances.sum(axis=1, keepdims=True), y.astype(float)


def judged(chances: Any, y: Any, spec: EvaluationSpec = SPEC, min_cell: int = 1) -> Any:
    found = evaluation_for(spec)
    return found.metrics(found.sums(chances, y), min_cell)


def test_four_rows_by_hand():
    found = judged(CHANCES, Y)
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert found.value("accuracy") == 0.75
    assert found.value("balanced_accuracy") == pytest.approx((1 + 0.5 + 1) / 3)
    wanted = -math.log(0.7 * 0.8 * 0.4 * 0.4) / 4
    assert found.value("log_loss") == pytest.approx(wanted)
    squares = (0.14, 0.06, 0.54, 0.62)
    assert found.value("brier") == pytest.approx(sum(squares) / 4)
    assert [c.precision for c in found.classes] == [0.5, 1.0, 1.0]
    assert [c.recall for c in found.classes] == [1.0, 0.5, 1.0]
    assert [c.support for c in found.classes] == [1, 2, 1]
    # Of a 4 pairs of b: 0.8 and 0.4 against 0.2 and 0.3: all won.
    assert found.classes[1].roc_auc.value == 1.0


@pytest.mark.parametrize(("rows", "classes"), [(60, 3), (3_000, 4), (40_000, 7)])
def test_every_metric_is_scikit_learns(rows, classes):
    chances, y = drawn(rows, classes)
    spec = EvaluationSpec(kind="multiclass", classes=tuple(range(classes)), bins=512)
    found, predicted = judged(chances, y, spec), chances.argmax(axis=1)
    wanted = {
        "log_loss": oracle.log_loss(y, chances),
        "accuracy": oracle.accuracy_score(y, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, predicted),
        "brier": oracle.brier_score_loss(y, chances),
    }
    for average in ("macro", "weighted"):
        scores = oracle.precision_recall_fscore_support(
            y, predicted, average=average, zero_division=0
        )
        for name, score in zip(("precision", "recall", "f1"), scores, strict=False):
            wanted[f"{name}_{average}"] = score
    got = {name: found.value(name) for name in wanted}
    assert got == pytest.approx(wanted, rel=1e-12)
    matrix = oracle.confusion_matrix(y, predicted)
    assert np.array_equal(np.array(found.confusion), matrix)


def test_the_area_is_that_of_the_bins_and_its_bracket_holds_scikit_learns():
    chances, y = drawn(3_000)
    spec = EvaluationSpec(kind="multiclass", classes=tuple("abcd"), bins=64)
    found = judged(chances, y, spec)
    areas = [
        oracle.roc_auc_score(y == k, score_bins(chances[:, k].copy(), 64))
        for k in range(4)
    ]
    auc = found.figures["roc_auc_ovr"]
    assert auc.value == pytest.approx(np.mean(areas), abs=1e-12)
    truth = oracle.roc_auc_score(y, chances, multi_class="ovr")
    assert auc.low < truth < auc.high
    assert auc.high - auc.low < 0.06


def test_calibration_is_that_of_the_predicted_class():
    chances, y = drawn(2_000, 3)
    found = judged(chances, y, SPEC)
    surest, right = chances.max(axis=1), chances.argmax(axis=1) == y
    inside = (surest > 0.6) & (surest <= 0.7)
    cell = found.calibration[6]
    assert cell.mean_score == pytest.approx(surest[inside].mean(), abs=1e-12)
    assert cell.rate == pytest.approx(right[inside].mean(), abs=1e-12)


def test_a_class_without_rows_has_no_recall_and_no_mean_area():
    found = judged(CHANCES[:2], Y[:2])
    assert found.classes[2].recall is None
    assert found.value("roc_auc_ovr") is None
    assert found.value("balanced_accuracy") == 1.0


def test_no_rows_give_no_figure():
    found = judged(np.zeros((0, 3)), np.zeros(0))
    assert found.rows == 0
    assert set(found.values().values()) == {None}


def test_the_answer_is_what_was_said_of_it_beforehand():
    spec = EvaluationSpec(
        kind="multiclass", classes=tuple("abc"), rows=4, group_sizes=(2, 3)
    )
    found = evaluation_for(spec)
    codes = np.zeros(4, dtype=np.int64)
    sums, answers = found.sums(CHANCES, Y, (codes, codes)), found.answers()
    assert {n: a.shape for n, a in sums.items()} == {
        n: a.shape for n, a in answers.items()
    }
    worst = found.sums(np.array([[1.0, 0.0, 0.0]] * 4), np.full(4, 2.0), (codes, codes))
    for name, answer in answers.items():
        assert answer.integer == (sums[name].dtype == np.int64)
        bound = np.asarray(answer.bound).reshape(-1, *[1] * (len(answer.shape) - 1))
        assert (np.abs(worst[name]) <= bound).all()


@pytest.mark.parametrize("train", [(5, 3, 2), (2, 4, 4)])
def test_the_baseline_is_scikit_learns_prior_classifier(train):
    chances, y = drawn(300, 3)
    totals = evaluation_for(SPEC).sums(chances, y)
    found = baseline_metrics(SPEC, totals, train)
    dummy = DummyClassifier(strategy="prior")
    dummy.fit(np.zeros((10, 1)), np.repeat([0, 1, 2], train))
    blank = np.zeros((300, 1))
    shares = dummy.predict_proba(blank)
    assert found.value("log_loss") == pytest.approx(
        oracle.log_loss(y, shares), rel=1e-12
    )
    wanted = oracle.accuracy_score(y, dummy.predict(blank))
    assert found.value("accuracy") == wanted
    assert found.value("roc_auc_ovr") == 0.5


def test_log_loss_is_what_two_models_are_compared_by():
    chances, y = drawn(500, 3)
    shares = np.full_like(chances, 1 / 3)
    found = evaluation_for(SPEC).paired(chances, shares, y)
    assert found is not None
    assert found.measure == evaluation_for(SPEC).main == "log_loss"
    wanted = oracle.log_loss(y, chances) - oracle.log_loss(y, shares)
    assert found.difference == pytest.approx(wanted, rel=1e-12)
    assert found.high < 0


@pytest.mark.parametrize(
    "chances",
    [
        np.array([[0.5, 0.5, np.nan]]),
        np.array([[1.5, -0.5, 0.0]]),
        np.array([[0.5, 0.4, 0.0]]),
        np.array([[0.5, 0.5]]),
        np.array([0.2, 0.3, 0.5]),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(chances):
    with pytest.raises(TrainingError, match="probability"):
        evaluation_for(SPEC).sums(chances, np.zeros(1))


@pytest.mark.parametrize("wrong", [3.0, -1.0, 0.5])
def test_a_target_that_is_no_class_is_refused(wrong):
    with pytest.raises(TrainingError, match="classes"):
        evaluation_for(SPEC).sums(CHANCES[:1], np.array([wrong]))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("confusion", (0, 1)),
        ("hits", (0, 3)),
        ("misses", (1, 3)),
        ("calibration_count", (2,)),
        ("calibration_positives", (0,)),
    ],
)
def test_totals_that_contradict_each_other_are_refused(name, place):
    found = evaluation_for(SPEC)
    totals = found.sums(CHANCES, Y)
    totals[name] = totals[name].copy()
    totals[name][place] += 1
    with pytest.raises(MessageError, match="cannot be used"):
        found.metrics(totals)


@pytest.mark.parametrize(
    "settings",
    [
        {"classes": ()},
        {"classes": ("a",)},
        {"classes": tuple(range(2_000))},
        {"classes": tuple(range(500)), "bins": 1 << 20},
    ],
)
def test_too_few_or_too_many_classes_are_refused(settings):
    with pytest.raises(ContractError):
        EvaluationSpec(kind="multiclass", **settings)
