"""What must hold of federated evaluation, whatever the rows and whoever holds them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    ndcg_score,
    roc_auc_score,
    roc_curve,
)

from fl_plugin.evaluation.base import EvaluationSpec, evaluation_for
from fl_plugin.evaluation.histogram import Labels, ScoreHistogram, Scores, score_bins
from fl_plugin.evaluation.metrics import Interval, Metrics
from fl_plugin.evaluation.paired import paired_auc
from fl_plugin.privacy.encoding import decode, encode, pack, unpack, words_shape

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


def sums_of(part: Rows, spec: EvaluationSpec) -> dict[str, Any]:
    values, labels = arrays_of(part)
    return evaluation_for(spec).sums(values, labels.astype(float))


def total(held: list[Rows], spec: EvaluationSpec) -> dict[str, Any]:
    handed = [sums_of(part, spec) for part in held]
    return {name: sum(sums[name] for sums in handed) for name in handed[0]}


def metrics_of(sums: Any, spec: EvaluationSpec, min_cell: int = 10) -> Metrics:
    return evaluation_for(spec).metrics(sums, min_cell)


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
    for name in ("roc_auc", "pr_auc", "ks", "gini", "ndcg", "f1"):
        assert one.figures[name] == other.figures[name]
    assert one.intervals.get("roc_auc") == other.intervals.get("roc_auc")
    assert (one.rows, one.confusion) == (other.rows, other.confusion)
    assert (one.curves, one.ranking) == (other.curves, other.ranking)
    if one.rows:
        assert one.value("log_loss") == pytest.approx(
            other.value("log_loss"), rel=1e-12
        )


@given(held=parties, spec=specs)
def test_no_total_exceeds_its_public_bound(held, spec):
    sums, count = total(held, spec), sum(len(part) for part in held)
    for name, answer in evaluation_for(replace(spec, rows=count)).answers().items():
        assert (np.abs(sums[name]) <= answer.bound).all()
        if answer.integer:
            assert 2 * sums[name].max() < 256**answer.width


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
        for name in ("roc_auc", "pr_auc", "ks"):
            assert found.figures[name] is None
        return
    bins = score_bins(values, spec.bins)
    for bracket, oracle in (
        (found.figures["roc_auc"], roc_auc_score),
        (found.figures["pr_auc"], average_precision_score),
        (found.figures["ks"], ks_score),
        (found.figures["ndcg"], lambda y, s: ndcg_score([y], [s])),
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
    classes = np.array([sum(line) for line in found.confusion])
    steps = np.diff(np.array(found.curves.roc).reshape(-1, 2) @ classes)
    assert (steps > min(min_cell, found.rows) - 1e-6).all()
    tops = [row.share * found.rows for row in found.ranking]
    assert all(top > min_cell - 1 for top in tops)


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
    assert forward.first == pytest.approx(roc_auc_score(labels, a), abs=1e-12)


KINDS = ("binary", "multiclass", "regression", "count", "none")


def drawn(kind: str, rows: int, seed: int) -> tuple[EvaluationSpec, Any, Any, Any]:
    """Return a spec, predictions, a target and the codes of two protected columns."""
    rng = np.random.default_rng(seed)
    spec = EvaluationSpec(
        kind=kind,
        classes=("a", "b", "c"),
        bins=32,
        rows=rows,
        low=0.0,
        high=8.0,
        centre=1.5,
        group_sizes=(2, 3),
    )
    codes = tuple(rng.integers(-1, size, rows) for size in spec.group_sizes)
    if kind == "binary":
        return spec, rng.random(rows), rng.integers(0, 2, rows).astype(float), codes
    if kind == "multiclass":
        chances = rng.dirichlet([1, 1, 1], rows)
        return spec, chances, rng.integers(0, 3, rows).astype(float), codes
    y = rng.poisson(2.0, rows).astype(float)
    return spec, rng.random(rows) * 5, y, codes


def through_fixed_point(spec: EvaluationSpec, parts: list[Any]) -> dict[str, Any]:
    """Return the sums of the parts as they come out of the wire's words."""
    found = {}
    for name, answer in evaluation_for(spec).answers().items():
        sent = [pack(encode(answer, p[name]), answer.width) for p in parts]
        shape = words_shape(answer)
        words: Any = sum(unpack(one, shape, answer.width) for one in sent)
        found[name] = decode(answer, words)
    return found


def leaves(value: Any, *path: str | int) -> dict[tuple[str | int, ...], Any]:
    """Return what metrics hold, by where it stands; of what has parts, their number."""
    if not isinstance(value, (dict, list)):
        return {path: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[tuple[str | int, ...], Any] = {path: len(value)}
    for name, part in parts:
        found |= leaves(part, *path, name)
    return found


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(0, 80), parties=st.integers(1, 7), seed=st.integers(0, 2**32))
def test_any_number_of_domains_gives_the_figures_of_the_pooled_rows(
    kind, rows, parties, seed
):
    spec, predictions, y, codes = drawn(kind, rows, seed)
    judge = evaluation_for(spec)
    whose = np.random.default_rng(seed + 1).integers(0, parties, rows)
    parts = [
        judge.sums(predictions[here], y[here], tuple(c[here] for c in codes))
        for here in (whose == party for party in range(parties))
    ]
    pooled = judge.metrics(judge.sums(predictions, y, codes), min_cell=3)
    federated = judge.metrics(through_fixed_point(spec, parts), min_cell=3)
    assert leaves(federated.to_json()) == {
        place: pytest.approx(one, rel=1e-12, abs=1e-12) if type(one) is float else one
        for place, one in leaves(pooled.to_json()).items()
    }


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(0, 60), seed=st.integers(0, 2**32))
def test_blocks_of_rows_add_up_to_all_rows(kind, rows, seed):
    spec, predictions, y, codes = drawn(kind, rows, seed)
    judge = evaluation_for(spec)
    cuts = (slice(0, rows // 3), slice(rows // 3, None))
    blocks = [
        judge.sums(predictions[c], y[c], tuple(k[c] for k in codes)) for c in cuts
    ]
    whole = judge.sums(predictions, y, codes)
    assert whole.keys() == judge.answers().keys()
    for name, array in whole.items():
        np.testing.assert_allclose(
            blocks[0][name] + blocks[1][name], array, rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(0, 120), seed=st.integers(0, 2**32), cell=st.integers(2, 20))
def test_no_group_is_shown_that_is_small_or_alone_in_being_hidden(
    kind, rows, seed, cell
):
    spec, predictions, y, codes = drawn(kind, rows, seed)
    judge = evaluation_for(spec)
    found = judge.metrics(judge.sums(predictions, y, codes), cell)
    for table in found.groups:
        shares = [row.share for row in table.rows]
        assert all(s is None or s * rows > cell - 1e-6 for s in shares)
        assert shares.count(None) != 1
        rest = rows - sum(s * rows for s in shares if s is not None)
        assert rest < 1e-6 or rest > min(cell, rows) - 1e-6
        for row in table.rows:
            if row.share is None:
                assert not any(v is not None for v in row.figures.values())
                assert not row.intervals


@pytest.mark.parametrize("kind", KINDS)
@given(rows=st.integers(2, 60), seed=st.integers(0, 2**32))
def test_a_model_is_neither_better_nor_worse_than_itself(kind, rows, seed):
    spec, predictions, y, _ = drawn(kind, rows, seed)
    judge = evaluation_for(spec)
    found = judge.paired(predictions, predictions.copy(), y)
    if found is not None:
        assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
        figure = judge.metrics(judge.sums(predictions, y, _)).figures[found.measure]
        if not isinstance(figure, Interval):
            assert figure == pytest.approx(found.first, rel=1e-12)
        assert found.measure == judge.main
        assert found.better == judge.better
