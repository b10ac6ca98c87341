"""Figures by group beside fairlearn's, and what is kept back of them."""

from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (  # type: ignore[import-untyped]
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score

from fl_plugin.errors import MessageError
from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for

ROWS = 4_000


def drawn(seed: int = 1) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, ROWS)
    y = (rng.random(ROWS) < 0.25 + 0.1 * codes).astype(float)
    scores = 1 / (1 + np.exp(-(rng.normal(size=ROWS) + y - 0.6 + 0.2 * codes)))
    return scores, y, codes


def table(scores: Any, y: Any, codes: Any, **settings: Any) -> Any:
    min_cell = settings.pop("min_cell", 10)
    spec = EvaluationSpec(group_sizes=(3,), **settings)
    found = evaluation_for(spec)
    (only,) = found.metrics(found.sums(scores, y, (codes,)), min_cell).groups
    return only


def test_a_binary_target_is_judged_by_group_as_fairlearn_judges_it():
    scores, y, codes = drawn()
    predicted = scores > 0.5
    found = table(scores, y, codes)
    frame = MetricFrame(
        metrics={
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
        },
        y_true=y,
        y_pred=predicted,
        sensitive_features=codes,
    ).by_group
    for code, row in enumerate(found.rows):
        for name in frame.columns:
            assert row.figures[name] == pytest.approx(frame.loc[code, name], abs=1e-12)
        here = codes == code
        assert row.share == here.mean()
        assert row.figures["positive_rate"] == pytest.approx(y[here].mean(), abs=1e-12)
        gap = scores[here].mean() - y[here].mean()
        assert row.figures["calibration_gap"] == pytest.approx(gap, abs=1e-12)
    for name, oracle in (
        ("demographic_parity_difference", demographic_parity_difference),
        ("demographic_parity_ratio", demographic_parity_ratio),
        ("equalised_odds_difference", equalized_odds_difference),
    ):
        wanted = oracle(y, predicted, sensitive_features=codes)
        assert found.figures[name] == pytest.approx(wanted, abs=1e-12)


def test_several_classes_are_judged_one_against_the_rest_and_the_worst_counts():
    rng = np.random.default_rng(2)
    codes, y = rng.integers(0, 3, ROWS), rng.integers(0, 3, ROWS)
    logits = rng.normal(size=(ROWS, 3)) + 0.3 * codes[:, None] * [1, 0, -1]
    logits[np.arange(ROWS), y] += 1
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = table(chances, y.astype(float), codes, kind="multiclass", classes=(1, 2, 3))
    predicted, parity, odds = chances.argmax(axis=1), [], []
    for k in range(3):
        one, other = y == k, predicted == k
        parity.append(
            demographic_parity_difference(one, other, sensitive_features=codes)
        )
        odds.append(equalized_odds_difference(one, other, sensitive_features=codes))
        for code, row in enumerate(found.rows):
            here = codes == code
            rate = true_positive_rate(one[here], other[here])
            assert row.classes[k]["true_positive_rate"] == pytest.approx(rate)
    assert found.figures["demographic_parity_difference"] == pytest.approx(max(parity))
    assert found.figures["equalised_odds_difference"] == pytest.approx(max(odds))
    here = codes == 1
    accuracy = accuracy_score(y[here], predicted[here])
    assert found.rows[1].figures["accuracy"] == pytest.approx(accuracy, abs=1e-12)


@pytest.mark.parametrize("kind", ["regression", "count"])
def test_a_number_is_judged_by_the_mean_residual_of_each_group(kind):
    rng = np.random.default_rng(3)
    codes = rng.integers(-1, 3, ROWS)
    expected = rng.random(ROWS) * 5
    y = rng.poisson(expected + 0.3 * (codes == 2)).astype(float)
    found = table(expected, y, codes, kind=kind, low=0.0, high=9.0)
    means = []
    for code, row in zip((0, 1, 2, -1), found.rows, strict=True):
        residual = (y - expected)[codes == code]
        figures = row.figures
        assert figures["mean_residual"] == pytest.approx(residual.mean(), abs=1e-12)
        assert figures["mae"] == pytest.approx(np.abs(residual).mean(), abs=1e-12)
        here = expected[codes == code].mean()
        assert figures["mean_prediction"] == pytest.approx(here, abs=1e-12)
        target = y[codes == code].mean()
        assert figures["mean_target"] == pytest.approx(target, abs=1e-12)
        half = 1.959963984540054 * residual.std(ddof=1) / len(residual) ** 0.5
        interval = row.intervals["mean_residual"]
        assert interval.high - interval.value == pytest.approx(half, abs=1e-12)
        means += [residual.mean()] if code >= 0 else []
    wanted = max(means) - min(means)
    assert found.figures["mean_residual_difference"] == pytest.approx(wanted)


def test_rows_of_no_known_group_are_a_row_of_their_own_and_are_not_compared():
    scores, y, codes = drawn()
    some = np.where(np.arange(ROWS) % 5 == 0, -1, codes)
    found = table(scores, y, some)
    assert found.unknown
    assert found.rows[3].share == pytest.approx(0.2)
    known = [row.figures["selection_rate"] for row in found.rows[:3]]
    difference = found.figures["demographic_parity_difference"]
    assert difference == pytest.approx(max(known) - min(known))
    complete = table(scores, y, codes)
    assert (len(complete.rows), complete.unknown) == (3, False)


def test_a_small_group_and_the_next_smallest_are_kept_back_entirely():
    scores, y, codes = drawn()
    codes = np.where(codes == 2, 0, codes)
    codes[:6] = 2
    found = table(scores, y, codes, min_cell=10)
    rows = found.rows
    assert [row.share is None for row in rows] == [False, True, True]
    assert all(v is None for row in rows[1:] for v in row.figures.values())
    assert rows[1].intervals == {}
    assert found.suppressed == 2
    assert set(found.figures.values()) == {None}


def test_a_group_with_few_of_one_class_shows_only_how_often_it_is_chosen():
    scores, y, codes = drawn()
    y = np.where((codes == 1) & (np.cumsum((codes == 1) & (y == 1)) > 4), 0.0, y)
    found = table(scores, y, codes, min_cell=10)
    labelled = {"true_positive_rate", "false_positive_rate", "positive_rate"}
    labelled.add("calibration_gap")
    for name in labelled:
        assert found.rows[1].figures[name] is None
        # With one alone kept back, the whole would give it away.
        assert sum(row.figures[name] is None for row in found.rows) == 2
        assert name not in found.rows[1].intervals
    assert all(row.figures["selection_rate"] is not None for row in found.rows)


@pytest.mark.parametrize("field", ["counts", "rows"])
def test_group_sums_that_are_of_other_rows_are_refused_by_name(field):
    scores, y, codes = drawn()
    kind = {"counts": "binary", "rows": "regression"}[field]
    found = evaluation_for(EvaluationSpec(kind=kind, group_sizes=(3,)))
    totals = found.sums(scores, y, (codes,))
    totals[f"group0_{field}"] = totals[f"group0_{field}"] + 1
    with pytest.raises(MessageError, match="group0"):
        found.metrics(totals)


def test_more_right_answers_than_answers_are_refused():
    scores, y, codes = drawn()
    found = evaluation_for(EvaluationSpec(group_sizes=(3,)))
    totals = found.sums(scores, y, (codes,))
    totals["group0_counts"] = totals["group0_counts"].copy()
    totals["group0_counts"][0, 2, 1] += ROWS
    with pytest.raises(MessageError, match="group0_counts"):
        found.metrics(totals)
