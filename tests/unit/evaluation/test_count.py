"""An expected count, by hand and beside scikit-learn."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)

SPEC = EvaluationSpec(kind="count", low=0.0, high=30.0, centre=1.4, rows=10**6)


def drawn(rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(rows)
    expected = np.exp(0.8 * rng.normal(size=rows))
    return expected * 1.1, rng.poisson(expected).astype(float)


def judged(expected: Any, y: Any, cell: int = 1) -> Any:
    found = evaluation_for(SPEC)
    return found.metrics(found.sums(expected, y), cell)


def test_two_rows_by_hand():
    found = judged(np.array([1.0, 2.0]), np.array([0.0, 3.0]))
    deviance = 2 * (1.0 + 3 * math.log(1.5) - 1)
    assert found.value("poisson_deviance") == pytest.approx(deviance / 2)
    null = 2 * (1.5 + 3 * math.log(2) - 1.5)
    assert found.value("d2") == pytest.approx(1 - deviance / null)
    assert found.value("observed_expected") == 1.0
    assert found.value("mae") == 1.0


@pytest.mark.parametrize("rows", [20, 2_000, 60_000])
def test_every_metric_is_scikit_learns(rows):
    expected, y = drawn(rows)
    found = judged(expected, y)
    wanted = {
        "poisson_deviance": oracle.mean_poisson_deviance(y, expected),
        "d2": oracle.d2_tweedie_score(y, expected, power=1),
        "mae": oracle.mean_absolute_error(y, expected),
        "rmse": oracle.root_mean_squared_error(y, expected),
        "observed_expected": y.sum() / expected.sum(),
    }
    assert found.values() == pytest.approx(wanted, rel=1e-12)


def test_calibration_is_by_decile_of_what_was_expected():
    expected, y = drawn(20_000)
    cells = judged(expected, y, 10).calibration
    assert len(cells) == 10
    assert [c.mean_score for c in cells] == sorted(c.mean_score for c in cells)
    assert all(0.05 < c.share < 0.16 for c in cells)
    total = sum(c.rate * c.share for c in cells)
    assert total == pytest.approx(y.mean(), rel=1e-12)


def test_a_row_of_which_nothing_was_expected_costs_much_but_not_endlessly():
    found = judged(np.array([0.0, 0.0]), np.array([0.0, 2.0]))
    tiny = 2.0**-52
    wanted = oracle.mean_poisson_deviance([0.0, 2.0], [tiny, tiny])
    assert found.value("poisson_deviance") == pytest.approx(wanted, rel=1e-9)


def test_counts_that_are_all_zero_have_no_share_explained():
    found = judged(np.array([0.5, 0.5]), np.zeros(2))
    assert found.value("d2") is None
    assert found.value("observed_expected") == 0.0


def test_no_rows_give_no_figure():
    assert set(judged(np.zeros(0), np.zeros(0)).values().values()) == {None}


@pytest.mark.parametrize(("expected", "y"), [(-0.1, 1.0), (1.0, -1.0)])
def test_what_is_below_zero_is_refused(expected, y):
    with pytest.raises(TrainingError, match="below 0"):
        evaluation_for(SPEC).sums(np.array([expected]), np.array([y]))


def test_the_baseline_always_expects_the_training_mean():
    expected, y = drawn(900)
    totals = evaluation_for(SPEC).sums(expected, y)
    found, always = baseline_metrics(SPEC, totals), np.full(900, 1.4)
    assert found.values() == pytest.approx(judged(always, y).values(), abs=1e-12)
    deviance = oracle.mean_poisson_deviance(y, always)
    assert found.value("poisson_deviance") == pytest.approx(deviance, rel=1e-12)


def test_deviance_is_what_two_models_are_compared_by():
    expected, y = drawn(3_000)
    found = evaluation_for(SPEC).paired(expected, np.full(3_000, y.mean()), y)
    assert found is not None
    assert found.measure == "poisson_deviance"
    wanted = oracle.mean_poisson_deviance(y, expected)
    assert found.first == pytest.approx(wanted, rel=1e-12)
    assert found.high < 0


def test_the_answer_is_what_was_said_of_it_beforehand():
    spec = replace(SPEC, group_sizes=(2,))
    found = evaluation_for(spec)
    codes = np.zeros(20, dtype=np.int64)
    sums = found.sums(*drawn(20), (codes,))
    answers = found.answers()
    assert {n: a.shape for n, a in sums.items()} == {
        n: a.shape for n, a in answers.items()
    }
    for name, array in sums.items():
        assert answers[name].integer == (array.dtype == np.int64)


def test_bins_are_narrower_where_counts_crowd():
    expected, y = drawn(20_000)
    found = evaluation_for(replace(SPEC, high=300.0))
    cells = found.metrics(found.sums(expected, y)).calibration
    # Of 128 even bins up to 300 the first would hold nine tenths of these rows.
    assert max(cell.share or 0.0 for cell in cells) < 0.3
