"""What the report says of attacks on the labels of a vertical run."""

from types import SimpleNamespace
from typing import Any

from fl_plugin.report.vertical import _attacks


def verdicts(**figures):
    told: Any = SimpleNamespace(figures={"bank": figures})
    return [(row.auc, row.tone, row.short) for row in _attacks(told)]


def test_an_attack_that_finds_labels_is_warned_of():
    (row,) = verdicts(attack_norm_auc=0.71)
    assert row == ("0.710", "warn", "finds labels")


def test_an_attack_near_one_half_finds_nothing():
    (row,) = verdicts(attack_norm_auc=0.54)
    assert row == ("0.540", "good", "no better than a guess")


def test_what_is_found_without_training_was_not_told_by_it():
    trained, before = verdicts(
        attack_completion_auc=0.78, attack_completion_untrained_auc=0.77
    )
    assert trained == ("0.780", "good", "no better than without training")
    assert before == ("0.770", "", "what features alone tell")


def test_what_training_adds_to_features_is_warned_of():
    trained, _ = verdicts(
        attack_completion_auc=0.78, attack_completion_untrained_auc=0.70
    )
    assert trained == ("0.780", "warn", "finds labels")


def test_an_attack_that_was_not_measured_is_left_out():
    assert verdicts(attack_norm_auc=None, loss_last=0.3) == []
