"""What must hold of federated evaluation, whatever the rows and whoever holds them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from fl_plugin.evaluation.histogram import Labels, ScoreHistogram, Scores, score_bins
from fl_plugin.evaluation.metrics import metrics_of
from fl_plugin.evaluation.paired import paired_auc
from fl_plugin.evaluation.sums import EvaluationSpec, evaluation_sums, sum_bounds

Rows = list[tuple[float, bool]]

scores = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.50001, 1.0])
rows = st.lists(st.tuples(scores, st.booleans()), max_size=60)
parties = st.lists(rows, min_size=1, max_size=5)
specs = st.builds(
    EvaluationSpec,
    bins=st.integers(10, 300),
    threshold=st.floats(0.01, 0.99),
    calibration_bins=st.integers(1, 10),
)


def arrays_of(some_rows: Rows) -> tuple[Scores, Labels]:
    found = [score for score, _ in some_rows], [label for _, label in some_rows]
    return np.array(found[0], dtype=float), np.array(found[1], dtype=bool)


def total(held: list[Rows], spec: EvaluationSpec) -> dict[str, Any]:
    handed = [evaluation_sums(*arrays_of(part), spec) for part in held]
    return {name: sum(sums[name] for sums in handed) for name in handed[0]}


def ks_score(labels: Any, values: Any) -> float:
    fpr, tpr, _ = roc_curve(labels, values)
    return float(np.abs(tpr - fpr).max())


@given(held=parties, spec=specs)
def test_any_split_of_the_rows_gives_the_totals_of_the_pooled_rows(held, spec):
    federated = total(held, spec)
    pooled = total([[row for part in held for row in part]], spec)
    for name, array in pooled.items():
        if array.dtype == np.int64:
            np.testing.assert_array_equal(federated[name], array)
        else:
            np.testing.assert_allclose(federated[name], array, rtol=1e-12, atol=1e-12)


@given(held=parties, spec=specs)
def test_the_order_of_parties_does_not_matter(held, spec):
    forward, backward = total(held, spec), total(held[::-1], spec)
    one, other = (metrics_of(sums, spec, min_cell=1) for sums in (forward, backward))
    for name in ("rows", "confusion", "roc_auc", "roc_auc_ci", "pr_auc", "ks"):
        assert getattr(one, name) == getattr(other, name)
    assert one.curves == other.curves
    if one.rows:
        assert one.log_loss == pytest.approx(other.log_loss, rel=1e-12)


@given(held=parties, spec=specs)
def test_no_total_exceeds_its_public_bound(held, spec):
    sums, count = total(held, spec), sum(len(part) for part in held)
    for name, bound in sum_bounds(count, spec).items():
        assert np.abs(sums[name]).max() <= bound


@given(some=rows, bins=st.integers(2, 300))
def test_a_higher_score_never_has_a_lower_bin(some, bins):
    found = score_bins(np.sort(arrays_of(some)[0]), bins)
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found < bins)).all()


@given(held=parties, spec=specs)
def test_the_brackets_hold_the_truth_and_the_value_is_that_of_the_bins(held, spec):
    values, labels = arrays_of([row for part in held for row in part])
    found: Any = metrics_of(total(held, spec), spec)
    if labels.all() or not labels.any():
        assert found.roc_auc is found.pr_auc is found.ks is None
        return
    bins = score_bins(values, spec.bins)
    for bracket, oracle in (
        (found.roc_auc, roc_auc_score),
        (found.pr_auc, average_precision_score),
        (found.ks, ks_score),
    ):
        # scikit-learn's own sums are rounded in the last bits.
        assert bracket.low - 1e-12 <= oracle(labels, values) <= bracket.high + 1e-12
        assert bracket.value == pytest.approx(oracle(labels, bins), abs=1e-12)
        assert 0 <= bracket.low <= bracket.value <= bracket.high <= 1


@given(held=parties, spec=specs, min_cell=st.integers(1, 30))
def test_nothing_shown_rests_on_fewer_rows_than_allowed(held, spec, min_cell):
    found = metrics_of(total(held, spec), spec, min_cell=min_cell)
    shares = [cell.share for cell in found.calibration if cell.share is not None]
    assert all(share * found.rows > min_cell - 1e-6 for share in shares)
    hidden = found.rows - round(sum(shares) * found.rows)
    assert hidden == 0 or hidden >= min(min_cell, found.rows)
    classes = np.array([found.rows - found.positives, found.positives])
    steps = np.diff(np.array(found.curves.roc).reshape(-1, 2) @ classes)
    assert (steps > min(min_cell, found.rows) - 1e-6).all()


@given(some=rows, bins=st.integers(2, 300))
def test_the_histogram_of_the_flipped_labels_swaps_the_classes(some, bins):
    values, labels = arrays_of(some)
    one = ScoreHistogram.of(values, labels, bins)
    other = ScoreHistogram.of(values, ~labels, bins)
    np.testing.assert_array_equal(one.positives, other.negatives)
    np.testing.assert_array_equal(one.negatives, other.positives)


@given(some=st.lists(st.tuples(scores, scores, st.booleans()), min_size=4, max_size=40))
def test_comparing_two_models_the_other_way_round_changes_the_sign_only(some):
    a, b, labels = (np.array(column) for column in zip(*some, strict=True))
    forward, backward = paired_auc(a, b, labels), paired_auc(b, a, labels)
    if forward is None or backward is None:
        assert min(labels.sum(), (~labels).sum()) < 2
        return
    assert forward.difference == -backward.difference
    assert (forward.low, forward.high) == (-backward.high, -backward.low)
    assert forward.auc_a == pytest.approx(roc_auc_score(labels, a), abs=1e-12)
