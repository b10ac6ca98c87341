"""What an evaluation found is what the record keeps of it."""

import numpy as np
import pytest

from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.metrics import Metrics
from fl_plugin.mesh.figures import (
    ProtectedColumn,
    confusion_of,
    cross_validation_of,
    difference_of,
    estimates_of,
    fairness_of,
    quality_fields,
)

SEX = ProtectedColumn(name="sex", categories=("female", "male"))


@pytest.fixture
def found() -> Metrics:
    rng = np.random.default_rng(3)
    judge = evaluation_for(EvaluationSpec(group_sizes=(2,), bins=64))
    y = rng.integers(0, 2, 500).astype(float)
    scores = np.clip(0.3 * y + 0.7 * rng.random(500), 0, 1)
    return judge.metrics(judge.sums(scores, y, (rng.integers(-1, 2, 500),)))


def test_a_bracket_becomes_a_resolution_and_a_sampling_interval_the_ends(found):
    kept, auc = estimates_of(found), found.figures["roc_auc"]
    assert isinstance(auc, Interval)
    assert kept["roc_auc"].value == auc.value
    assert kept["roc_auc"].resolution == (auc.high - auc.low) / 2
    assert kept["roc_auc"].low == found.intervals["roc_auc"].low
    assert kept["f1"].resolution is kept["f1"].low is None
    assert set(kept) == set(found.figures)


def test_an_undefined_figure_is_kept_as_undefined():
    judge = evaluation_for(EvaluationSpec())
    nothing = judge.metrics(judge.sums(np.zeros(0), np.zeros(0)))
    assert {e.value for e in estimates_of(nothing).values()} == {None}


def test_groups_are_named_and_the_unknown_ones_are_none(found):
    (table,) = fairness_of(found, (SEX,))
    assert table.column == "sex"
    assert [group.group for group in table.groups] == ["female", "male", None]
    first = found.groups[0].rows[0]
    assert table.groups[0].figures == first.figures
    interval = first.intervals["selection_rate"]
    assert table.groups[0].intervals["selection_rate"].low == interval.low


def test_the_confusion_of_two_classes_has_names(found):
    kept = confusion_of(found, 0.5)
    assert kept is not None
    ((tn, fp), (fn, tp)) = found.confusion
    assert (kept.tn, kept.fp, kept.fn, kept.tp) == (tn, fp, fn, tp)
    judge = evaluation_for(EvaluationSpec(kind="regression"))
    other = judge.metrics(judge.sums(np.zeros(2), np.zeros(2)))
    assert confusion_of(other, 0.5) is None


def test_the_spread_of_every_figure_over_the_folds_is_kept(found):
    kept = cross_validation_of([found, found], folds_each=2, repeats=1)
    assert kept is not None
    assert set(kept.metrics) == set(found.figures)
    assert kept.metrics["brier"].mean == found.value("brier")
    assert kept.metrics["brier"].sd == 0.0
    assert cross_validation_of([], folds_each=5, repeats=5) is None


def test_a_comparison_is_kept_with_its_interval():
    judge = evaluation_for(EvaluationSpec(kind="regression"))
    y = np.arange(5.0)
    pair = judge.paired(y + 1, y + np.array([2.0, 2, 3, 2, 2]), y)
    kept = difference_of(pair)
    assert kept is not None
    assert pair is not None
    assert (kept.value, kept.low, kept.high) == (pair.difference, pair.low, pair.high)
    assert difference_of(None) is None


def test_all_fields_together(found):
    fields = quality_fields(found, (False, True), (SEX,))
    assert fields["target_kind"] == "binary"
    assert fields["curves"].gain == found.curves.gain
    assert len(fields["ranking"]) == len(found.ranking)
    assert fields["confusion_matrix"] == found.confusion
    assert fields["class_results"] == ()
