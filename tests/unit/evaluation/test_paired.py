"""Two models on the same rows, against a slow DeLong written out here."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.histogram import Labels, Scores
from fl_plugin.evaluation.paired import Paired, paired_auc, paired_loss, verdict

Z = 1.959963984540054


def slow_delong(scores_a: Scores, scores_b: Scores, labels: Labels) -> Any:
    """Return AUCs, difference and its standard error, pair by pair in O(n**2)."""
    placements = []
    for scores in (scores_a, scores_b):
        positives, negatives = scores[labels], scores[~labels]
        wins = (positives[:, None] > negatives).astype(float)
        wins += 0.5 * (positives[:, None] == negatives)
        placements.append((wins.mean(axis=1), wins.mean(axis=0)))
    (ap, an), (bp, bn) = placements
    covariance = np.cov(ap, bp) / len(ap) + np.cov(an, bn) / len(an)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return ap.mean(), bp.mean(), error


def compared(scores_a: Scores, scores_b: Scores, labels: Labels) -> Any:
    return paired_auc(scores_a, scores_b, labels)


@pytest.mark.parametrize("rows", [12, 150, 800])
@pytest.mark.parametrize("decimals", [1, 16])
def test_the_fast_form_is_the_slow_one_ties_included(rows, decimals):
    rng = np.random.default_rng(rows)
    labels = np.arange(rows) % 3 == 0
    a, b = (
        np.round(1 / (1 + np.exp(-(rng.normal(size=rows) + labels))), decimals)
        for _ in range(2)
    )
    auc_a, auc_b, error = slow_delong(a, b, labels)
    found = compared(a, b, labels)
    wanted = (auc_a, auc_b, auc_a - auc_b, auc_a - auc_b - Z * error)
    got = (found.first, found.second, found.difference, found.low)
    assert got == pytest.approx(wanted, abs=1e-12)
    assert found.high == pytest.approx(auc_a - auc_b + Z * error, abs=1e-12)


def test_four_rows_by_hand():
    labels = np.array([True, True, False, False])
    a, b = np.array([0.9, 0.6, 0.5, 0.1]), np.array([0.9, 0.3, 0.5, 0.1])
    # Placements differ for one positive (1 against 1/2) and one negative likewise.
    found = compared(a, b, labels)
    assert (found.first, found.second, found.difference) == (1.0, 0.75, 0.25)
    assert found.low == pytest.approx(0.25 - Z * (0.125 / 2 + 0.125 / 2) ** 0.5)
    assert verdict(found) == "no clear difference"


def test_the_same_scores_differ_by_nothing():
    rng = np.random.default_rng(8)
    scores, labels = rng.random(50), rng.random(50) < 0.5
    found = compared(scores, scores, labels)
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert verdict(found) == "no clear difference"


def test_swapping_the_models_swaps_the_verdict():
    rng = np.random.default_rng(9)
    labels = rng.random(2_000) < 0.3
    good = 1 / (1 + np.exp(-(rng.normal(size=2_000) + 3 * labels)))
    poor = rng.random(2_000)
    assert verdict(paired_auc(good, poor, labels)) == "helped"
    assert verdict(paired_auc(poor, good, labels)) == "hurt"


@pytest.mark.parametrize("positives", [0, 1, 9, 10])
def test_fewer_than_two_rows_of_a_class_cannot_be_compared(positives):
    scores = np.linspace(0, 1, 10)
    found = compared(scores, scores[::-1].copy(), np.arange(10) < positives)
    assert found is None
    assert verdict(found) == "no clear difference"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "helped"),
        (-0.01, 0.02, "no clear difference"),
        (0.0, 0.02, "no clear difference"),
        (-0.02, 0.0, "no clear difference"),
        (-0.02, -0.01, "hurt"),
    ],
)
def test_the_verdict_reads_the_interval(low, high, said):
    found = Paired(
        measure="roc_auc",
        first=0.8,
        second=0.7,
        difference=(low + high) / 2,
        low=low,
        high=high,
    )
    assert verdict(found) == said
    opposite = {"helped": "hurt", "hurt": "helped"}.get(said, said)
    assert verdict(replace(found, better="lower")) == opposite


def test_a_mean_loss_is_compared_by_the_paired_t_interval():
    rng = np.random.default_rng(11)
    first, second = rng.random(30), rng.random(30) + 0.6
    found = paired_loss("mse", first, second)
    assert found is not None
    assert found.difference == pytest.approx(first.mean() - second.mean())
    error = np.std(first - second, ddof=1) / np.sqrt(30)
    t = 2.045229642132703  # of 29 degrees of freedom, from a table
    assert found.low == pytest.approx(found.difference - t * error, abs=1e-9)
    assert found.high == pytest.approx(found.difference + t * error, abs=1e-9)
    assert verdict(found) == "helped"
    assert verdict(paired_loss("mse", second, first)) == "hurt"


def test_one_row_is_no_comparison():
    assert paired_loss("mse", np.ones(1), np.zeros(1)) is None


def test_about_95_of_100_intervals_hold_no_difference_when_there_is_none():
    rng = np.random.default_rng(10)
    held = 0
    for _ in range(400):
        labels = np.arange(120) < 40
        a, b = (1 / (1 + np.exp(-(rng.normal(size=120) + labels))) for _ in range(2))
        found = compared(a, b, labels)
        held += found.low <= 0 <= found.high
    assert 0.91 <= held / 400 <= 0.98


def test_scores_of_different_lengths_are_refused():
    with pytest.raises(TrainingError):
        paired_auc(np.ones(3), np.ones(4), np.array([True, False, True]))
