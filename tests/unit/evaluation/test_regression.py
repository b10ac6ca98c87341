"""A predicted number, by hand and beside scikit-learn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.evaluation.base import (
    EvaluationSpec,
    baseline_metrics,
    evaluation_for,
)

SPEC = EvaluationSpec(kind="regression", rows=10**6)


def drawn(rows: int, scale: float = 1.0, shift: float = 0.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(rows)
    y = rng.normal(size=rows) * scale + shift
    return y + scale * (0.6 * rng.normal(size=rows) + 0.1), y


def judged(predictions: Any, y: Any, spec: EvaluationSpec = SPEC, cell: int = 1) -> Any:
    found = evaluation_for(spec)
    return found.metrics(found.sums(predictions, y), cell)


def test_three_rows_by_hand():
    found = judged(np.array([1.0, 2.0, 5.0]), np.array([0.0, 2.0, 7.0]))
    assert found.values() == pytest.approx(
        {
            "mse": 5 / 3,
            "rmse": (5 / 3) ** 0.5,
            "mae": 1.0,
            "r2": 1 - 5 / 26,
            "explained_variance": 1 - (5 / 3 - 1 / 9) / (26 / 3),
            "bias": -1 / 3,
        }
    )


@pytest.mark.parametrize("rows", [5, 1_000, 50_000])
@pytest.mark.parametrize(
    ("scale", "shift"), [(1.0, 0.0), (1e-4, 0.0), (300.0, 1e6), (1e7, -1e9)]
)
def test_every_metric_is_scikit_learns(rows, scale, shift):
    predictions, y = drawn(rows, scale, shift)
    spec = replace(SPEC, centre=shift, low=shift - 4 * scale, high=shift + 4 * scale)
    found = judged(predictions, y, spec)
    wanted = {
        "mse": oracle.mean_squared_error(y, predictions),
        "rmse": oracle.root_mean_squared_error(y, predictions),
        "mae": oracle.mean_absolute_error(y, predictions),
        "r2": oracle.r2_score(y, predictions),
        "explained_variance": oracle.explained_variance_score(y, predictions),
    }
    assert {n: found.value(n) for n in wanted} == pytest.approx(wanted, rel=1e-12)
    bias = float((predictions - y).mean())
    assert found.value("bias") == pytest.approx(bias, rel=1e-9)


def test_the_intervals_are_those_of_the_mean_of_each_rows_loss():
    predictions, y = drawn(400)
    found = judged(predictions, y).intervals
    for name, losses in (
        ("mse", (predictions - y) ** 2),
        ("mae", np.abs(predictions - y)),
    ):
        half = 1.959963984540054 * losses.std(ddof=1) / 20
        assert found[name].low == pytest.approx(losses.mean() - half)
        assert found[name].high == pytest.approx(losses.mean() + half)
    assert found["rmse"].low == pytest.approx(found["mse"].low ** 0.5)


def test_calibration_rows_hold_about_a_tenth_each_and_their_exact_means():
    predictions, y = drawn(5_000)
    found = judged(predictions, y, replace(SPEC, low=-4.0, high=4.0), 10)
    cells = found.calibration
    assert 8 <= len(cells) <= 10
    assert sum(cell.share for cell in cells) == pytest.approx(1)
    assert all(0.05 < cell.share < 0.15 for cell in cells)
    assert [c.high for c in cells[:-1]] == [c.low for c in cells[1:]]
    cell = cells[3]
    inside = (predictions >= cell.low) & (predictions < cell.high)
    assert cell.mean_score == pytest.approx(predictions[inside].mean(), abs=1e-12)
    assert cell.rate == pytest.approx(y[inside].mean(), abs=1e-12)
    assert cell.share == pytest.approx(inside.mean())


def test_predictions_outside_the_range_fall_into_the_outer_rows():
    predictions, y = np.array([-9.0, -9.0, 0.1, 0.2, 99.0]), np.zeros(5)
    found = judged(
        predictions, y, replace(SPEC, low=-1.0, high=1.0, calibration_bins=3)
    )
    first, last = found.calibration[0], found.calibration[-1]
    assert (first.low, first.mean_score) == (-1.0, -9.0)
    assert (last.high, last.mean_score) == (1.0, 99.0)


@pytest.mark.parametrize("rows", [9, 25, 100, 130])
def test_no_calibration_row_rests_on_fewer_rows_than_allowed(rows):
    predictions, y = drawn(rows)
    found = judged(predictions, y, replace(SPEC, low=-4.0, high=4.0), 10)
    assert all(cell.share * rows > 10 - 1e-9 for cell in found.calibration)
    assert bool(found.calibration) == (rows >= 10)


def test_without_a_range_there_is_no_calibration_and_the_rest_is_the_same():
    predictions, y = drawn(300)
    plain = judged(predictions, y)
    ranged = judged(predictions, y, replace(SPEC, low=-4.0, high=4.0))
    assert plain.calibration == ()
    assert plain.values() == pytest.approx(ranged.values(), rel=1e-14)


def test_a_target_that_does_not_vary_has_no_r2():
    found = judged(
        np.array([1.0, 2.0]), np.array([3.0, 3.0]), replace(SPEC, centre=3.0)
    )
    assert found.value("r2") is found.value("explained_variance") is None
    assert found.value("mse") == 2.5


def test_no_rows_give_no_figure():
    found = judged(np.zeros(0), np.zeros(0), replace(SPEC, low=-1.0, high=1.0))
    assert (found.rows, found.calibration, dict(found.intervals)) == (0, (), {})
    assert set(found.values().values()) == {None}


def test_the_baseline_always_predicts_the_training_mean():
    predictions, y = drawn(500, shift=3.0)
    spec = replace(SPEC, centre=2.9, low=0.0, high=6.0)
    totals = evaluation_for(spec).sums(predictions, y)
    found = baseline_metrics(spec, totals)
    wanted = judged(np.full(500, 2.9), y, spec).values()
    assert found.values() == pytest.approx(wanted, abs=1e-12)
    assert found.figures["r2"] == pytest.approx(wanted["r2"], abs=1e-15)


def test_squared_errors_are_what_two_models_are_compared_by():
    predictions, y = drawn(500)
    found = evaluation_for(SPEC).paired(predictions, y + 2.0, y)
    assert found is not None
    assert (found.measure, found.better) == ("mse", "lower")
    wanted = oracle.mean_squared_error(y, predictions) - 4.0
    assert found.difference == pytest.approx(wanted)
    assert found.low < found.difference < found.high < 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_no_number_is_refused_without_being_shown(wrong, side):
    arrays = np.ones((2, 2))
    arrays[side, 1] = wrong
    with pytest.raises(TrainingError, match="finite") as caught:
        evaluation_for(SPEC).sums(arrays[0], arrays[1])
    assert str(wrong) not in str(caught.value)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(TrainingError, match="belong together"):
        evaluation_for(SPEC).sums(np.ones(2), np.ones(3))


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("rows", np.array([-1])),
        ("rows", np.array([7])),
        ("squared_error", np.array([np.nan, 0.0])),
        ("squared_error", np.array([-1.0, 0.0])),
        ("absolute_error", np.zeros(2)),
        ("calibration_count", np.zeros(128, dtype=np.int64)),
    ],
)
def test_totals_that_cannot_be_are_refused(name, spoilt):
    spec = replace(SPEC, low=-1.0, high=1.0)
    found = evaluation_for(spec)
    totals = found.sums(np.zeros(3), np.zeros(3)) | {name: spoilt}
    with pytest.raises(MessageError, match="cannot be used"):
        found.metrics(totals)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"low": -1e300, "high": 1e300}, "range"),
        ({"centre": float("nan")}, "range"),
        ({"high": float("inf")}, "range"),
        ({"rows": 1 << 60}, "rows"),
        ({"rows": -1}, "rows"),
        ({"group_sizes": (0,)}, "group_sizes"),
    ],
)
def test_settings_that_an_opponent_might_send_are_refused_by_name(settings, named):
    with pytest.raises(ContractError, match=rf"evaluation\.{named}"):
        replace(SPEC, **settings)


def test_a_range_without_width_is_none():
    assert replace(SPEC, low=2.0, high=2.0).range is None
    assert replace(SPEC, low=3.0, high=2.0).range is None
    assert replace(SPEC, low=1.0, high=1.0 + 2.0**-50).range is None
    assert replace(SPEC, low=1.0, high=2.0).range == (1.0, 2.0)
